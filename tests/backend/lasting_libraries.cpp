// No library is unloaded in a program that has this file. LeakSanitizer names a leak by the library that allocated it, when the
// program ends; the Vulkan loader has unloaded the driver by then, and what the driver leaked would be nobody's.
extern "C" __attribute__((visibility("default"))) int dlclose(void*) noexcept { return 0; }
