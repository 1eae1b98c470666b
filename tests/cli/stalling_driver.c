/* A Vulkan driver whose compiler never ends; for the rest it is the driver whose library TUFF_DRIVER_BEHIND names. */
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXPORTED __attribute__((visibility("default")))

typedef void (*function_t)(void);
typedef function_t (*get_t)(void* handle, const char* name);
typedef int32_t (*negotiate_t)(uint32_t* version);

EXPORTED function_t vk_icdGetInstanceProcAddr(void* instance, const char* name);
EXPORTED function_t vk_icdGetPhysicalDeviceProcAddr(void* instance, const char* name);
EXPORTED int32_t vk_icdNegotiateLoaderICDInterfaceVersion(uint32_t* version);

static void* behind(const char* name) {
  static void* library;
  if (!library) library = dlopen(getenv("TUFF_DRIVER_BEHIND"), RTLD_NOW);
  return library ? dlsym(library, name) : NULL;
}

static void stall(void) {
  for (;;) pause();
}

static get_t get_device;
static function_t device_function(void* device, const char* name) {
  return strcmp(name, "vkCreateComputePipelines") == 0 ? stall : get_device(device, name);
}

function_t vk_icdGetInstanceProcAddr(void* instance, const char* name) {
  get_t get = (get_t)(uintptr_t)behind("vk_icdGetInstanceProcAddr");
  if (strcmp(name, "vkCreateComputePipelines") == 0) return stall;
  if (strcmp(name, "vkGetDeviceProcAddr") != 0) return get(instance, name);
  get_device = (get_t)get(instance, name);
  return (function_t)device_function;
}

function_t vk_icdGetPhysicalDeviceProcAddr(void* instance, const char* name) {
  return ((get_t)(uintptr_t)behind("vk_icdGetPhysicalDeviceProcAddr"))(instance, name);
}

int32_t vk_icdNegotiateLoaderICDInterfaceVersion(uint32_t* version) {
  return ((negotiate_t)(uintptr_t)behind("vk_icdNegotiateLoaderICDInterfaceVersion"))(version);
}
