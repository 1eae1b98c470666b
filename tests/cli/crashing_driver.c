/* A Vulkan driver that crashes as soon as it is loaded: what `tuff devices` has to survive. */
#include <stdlib.h>

__attribute__((constructor)) static void crash(void) { abort(); }
