#include "vulkan_host.h"

#include <dlfcn.h>
#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <mutex>

#include "counted_allocations.h"

namespace {

struct Failure {
  uint32_t left;
  VkResult result;
  bool lasting;
};

struct Layer {
  PFN_vkGetInstanceProcAddr get_instance = nullptr;
  PFN_vkGetDeviceProcAddr get_device = nullptr;
  std::map<std::string, PFN_vkVoidFunction> next;  // the driver's
  std::atomic<uint64_t> allocations{0}, allocated_bytes{0}, descriptor_writes{0}, recordings{0}, submits{0}, creations{0};
  std::mutex mutex;
  std::map<std::string, Failure> failures;
};
Layer layer;

template <class Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(layer.next.at(name));
}

// VK_SUCCESS unless the call is to fail now.
VkResult wanted_failure(const char* name) {
  std::lock_guard lock(layer.mutex);
  auto found = layer.failures.find(name);
  if (found == layer.failures.end()) return VK_SUCCESS;
  Failure& failure = found->second;
  if (failure.left > 0) {
    --failure.left;
    return VK_SUCCESS;
  }
  const VkResult result = failure.result;
  if (!failure.lasting) layer.failures.erase(found);
  return result;
}

std::atomic<uint64_t>& counter_of(const std::string& name) {
  if (name == "vkAllocateMemory") return layer.allocations;
  if (name == "vkBeginCommandBuffer") return layer.recordings;
  if (name == "vkQueueSubmit") return layer.submits;
  return layer.creations;
}
bool is_counted(const std::string& name) {
  return name == "vkBeginCommandBuffer" || name == "vkQueueSubmit" || name.starts_with("vkCreate") ||
         name.starts_with("vkAllocate");
}

void count_bytes(const VkMemoryAllocateInfo* info) { layer.allocated_bytes += info->allocationSize; }
template <class Other>
void count_bytes(const Other&) {}

void wait_idle(VkQueue queue) { next<PFN_vkQueueWaitIdle>("vkQueueWaitIdle")(queue); }
template <class Other>
void wait_idle(const Other&) {}

// Each call that answers with a VkResult, by one template: counted, made to fail, else passed on.
// clang-format off
#define TESTED_CALLS(X) \
  X(vkAllocateMemory) X(vkBindBufferMemory) X(vkMapMemory) \
  X(vkCreateBuffer) X(vkCreateBufferView) X(vkCreateCommandPool) \
  X(vkAllocateCommandBuffers) X(vkCreateFence) X(vkCreateDescriptorPool) \
  X(vkAllocateDescriptorSets) X(vkCreateDescriptorSetLayout) X(vkCreatePipelineLayout) \
  X(vkCreateShaderModule) X(vkCreateComputePipelines) X(vkCreatePipelineCache) \
  X(vkCreateQueryPool) X(vkBeginCommandBuffer) X(vkEndCommandBuffer) \
  X(vkQueueSubmit) X(vkWaitForFences) X(vkResetFences) \
  X(vkFlushMappedMemoryRanges) X(vkInvalidateMappedMemoryRanges)
// clang-format on

template <class Tag, class Function>
struct Wrapper;
template <class Tag, class... Args>
struct Wrapper<Tag, VkResult (*)(Args...)> {
  static VKAPI_ATTR VkResult VKAPI_CALL call(Args... args) {
    InDriver driver;
    const VkResult failure = wanted_failure(Tag::name);
    // A device that is really lost has nothing in flight any more.
    if (failure == VK_ERROR_DEVICE_LOST && std::strcmp(Tag::name, "vkWaitForFences") == 0)
      (void)next<VkResult (*)(Args...)>(Tag::name)(args...);
    if (failure == VK_ERROR_DEVICE_LOST && std::strcmp(Tag::name, "vkQueueSubmit") == 0) (wait_idle(args), ...);
    if (failure != VK_SUCCESS) return failure;
    if (is_counted(Tag::name)) ++counter_of(Tag::name);
    (count_bytes(args), ...);
    return next<VkResult (*)(Args...)>(Tag::name)(args...);
  }
};

VKAPI_ATTR void VKAPI_CALL update_descriptor_sets(VkDevice device, uint32_t count, const VkWriteDescriptorSet* writes,
                                                  uint32_t copy_count, const VkCopyDescriptorSet* copies) {
  InDriver driver;
  layer.descriptor_writes += count;
  next<PFN_vkUpdateDescriptorSets>("vkUpdateDescriptorSets")(device, count, writes, copy_count, copies);
}

#define TAG(call_name)                              \
  struct Tag_##call_name {                          \
    static constexpr const char* name = #call_name; \
  };
TESTED_CALLS(TAG)

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL get_device(VkDevice device, const char* name) {
  const PFN_vkVoidFunction driver = layer.get_device(device, name);
  if (!driver) return nullptr;
  layer.next["vkQueueWaitIdle"] = layer.get_device(device, "vkQueueWaitIdle");
#define WRAP(call_name)                                                                            \
  if (std::strcmp(name, #call_name) == 0) {                                                        \
    layer.next[name] = driver;                                                                     \
    return reinterpret_cast<PFN_vkVoidFunction>(&Wrapper<Tag_##call_name, PFN_##call_name>::call); \
  }
  TESTED_CALLS(WRAP)
  if (std::strcmp(name, "vkUpdateDescriptorSets") == 0) {
    layer.next[name] = driver;
    return reinterpret_cast<PFN_vkVoidFunction>(update_descriptor_sets);
  }
  return driver;
}

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL get_instance(VkInstance instance, const char* name) {
  const PFN_vkVoidFunction driver = layer.get_instance(instance, name);
  if (std::strcmp(name, "vkGetDeviceProcAddr") != 0) return driver;
  layer.get_device = reinterpret_cast<PFN_vkGetDeviceProcAddr>(driver);
  return reinterpret_cast<PFN_vkVoidFunction>(get_device);
}

VKAPI_ATTR VkBool32 VKAPI_CALL heard(VkDebugUtilsMessageSeverityFlagBitsEXT, VkDebugUtilsMessageTypeFlagsEXT,
                                     const VkDebugUtilsMessengerCallbackDataEXT* data, void* user_data) {
  static_cast<VulkanHost*>(user_data)->messages.emplace_back(data->pMessage);
  return VK_FALSE;
}

template <class T>
T structure(VkStructureType type) {
  T s{};
  s.sType = type;
  return s;
}

}  // namespace

template <class Function>
Function VulkanHost::instance_call(const char* name) const {
  return reinterpret_cast<Function>(layer.get_instance(instance_, name));
}
template <class Function>
Function VulkanHost::call(const char* name) const {
  return reinterpret_cast<Function>(instance_call<PFN_vkGetDeviceProcAddr>("vkGetDeviceProcAddr")(device_, name));
}

VulkanHost::VulkanHost(tuff_vulkan_tier_t tier) {
  static void* loader = dlopen("libvulkan.so.1", RTLD_NOW);
  REQUIRE(loader != nullptr);
  layer.get_instance = reinterpret_cast<PFN_vkGetInstanceProcAddr>(dlsym(loader, "vkGetInstanceProcAddr"));
  auto application = structure<VkApplicationInfo>(VK_STRUCTURE_TYPE_APPLICATION_INFO);
  application.apiVersion = VK_API_VERSION_1_2;
  auto messenger = structure<VkDebugUtilsMessengerCreateInfoEXT>(VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT);
  messenger.messageSeverity = VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT | VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT;
  messenger.messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT;
  messenger.pfnUserCallback = heard;
  messenger.pUserData = this;
  auto instance = structure<VkInstanceCreateInfo>(VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO);
  instance.pApplicationInfo = &application;
  const char* debug = VK_EXT_DEBUG_UTILS_EXTENSION_NAME;
  const bool listens = std::getenv("TUFF_TEST_VALIDATION") != nullptr;
  if (listens) {
    instance.pNext = &messenger;  // hears creation and destruction
    instance.enabledExtensionCount = 1;
    instance.ppEnabledExtensionNames = &debug;
  }
  REQUIRE(instance_call<PFN_vkCreateInstance>("vkCreateInstance")(&instance, nullptr, &instance_) == VK_SUCCESS);
  if (listens)
    REQUIRE(instance_call<PFN_vkCreateDebugUtilsMessengerEXT>("vkCreateDebugUtilsMessengerEXT")(instance_, &messenger, nullptr,
                                                                                                &messenger_) == VK_SUCCESS);
  uint32_t count = 1;
  instance_call<PFN_vkEnumeratePhysicalDevices>("vkEnumeratePhysicalDevices")(instance_, &count, &physical_);
  REQUIRE(count == 1);

  REQUIRE(tuff_vulkan_requirements_create(reinterpret_cast<tuff_vulkan_function_t>(layer.get_instance), instance_, physical_,
                                          VK_API_VERSION_1_2, tier, &requirements_, nullptr) == TUFF_OK);
  family_ = tuff_vulkan_requirements_queue_family(requirements_);
  for (uint32_t i = 0; i < tuff_vulkan_requirements_extension_count(requirements_); ++i) {
    char name[VK_MAX_EXTENSION_NAME_SIZE];
    REQUIRE(tuff_vulkan_requirements_extension(requirements_, i, name, sizeof name, nullptr, nullptr) == TUFF_OK);
    extensions_.emplace_back(name);
  }
  for (const std::string& name : extensions_) extension_names_.push_back(name.c_str());
  // A feature of the host's own, before Tuff's.
  timeline_ =
      structure<VkPhysicalDeviceTimelineSemaphoreFeatures>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES);
  auto offered = structure<VkPhysicalDeviceFeatures2>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2);
  offered.pNext = &timeline_;
  instance_call<PFN_vkGetPhysicalDeviceFeatures2>("vkGetPhysicalDeviceFeatures2")(physical_, &offered);
  has_timelines_ = timeline_.timelineSemaphore;
  timeline_.pNext = const_cast<void*>(tuff_vulkan_requirements_features(requirements_));
  const float priority = 1;
  auto queue = structure<VkDeviceQueueCreateInfo>(VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO);
  queue.queueFamilyIndex = family_;
  queue.queueCount = 1;
  queue.pQueuePriorities = &priority;
  auto device = structure<VkDeviceCreateInfo>(VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO);
  device.pNext = &timeline_;
  device.queueCreateInfoCount = 1;
  device.pQueueCreateInfos = &queue;
  device.enabledExtensionCount = static_cast<uint32_t>(extension_names_.size());
  device.ppEnabledExtensionNames = extension_names_.data();
  REQUIRE(instance_call<PFN_vkCreateDevice>("vkCreateDevice")(physical_, &device, nullptr, &device_) == VK_SUCCESS);
  call<PFN_vkGetDeviceQueue>("vkGetDeviceQueue")(device_, family_, 0, &queue_);

  auto pool = structure<VkCommandPoolCreateInfo>(VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO);
  pool.queueFamilyIndex = family_;
  pool.flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT;
  REQUIRE(call<PFN_vkCreateCommandPool>("vkCreateCommandPool")(device_, &pool, nullptr, &pool_) == VK_SUCCESS);
  auto commands = structure<VkCommandBufferAllocateInfo>(VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO);
  commands.commandPool = pool_;
  commands.commandBufferCount = 1;
  REQUIRE(call<PFN_vkAllocateCommandBuffers>("vkAllocateCommandBuffers")(device_, &commands, &commands_) == VK_SUCCESS);
}

VulkanHost::~VulkanHost() {
  stop_failing();
  for (VkBuffer buffer : buffers_) call<PFN_vkDestroyBuffer>("vkDestroyBuffer")(device_, buffer, nullptr);
  for (VkDeviceMemory memory : memory_) call<PFN_vkFreeMemory>("vkFreeMemory")(device_, memory, nullptr);
  for (VkSemaphore semaphore : semaphores_) call<PFN_vkDestroySemaphore>("vkDestroySemaphore")(device_, semaphore, nullptr);
  call<PFN_vkDestroyCommandPool>("vkDestroyCommandPool")(device_, pool_, nullptr);
  call<PFN_vkDestroyDevice>("vkDestroyDevice")(device_, nullptr);
  if (messenger_)
    instance_call<PFN_vkDestroyDebugUtilsMessengerEXT>("vkDestroyDebugUtilsMessengerEXT")(instance_, messenger_, nullptr);
  instance_call<PFN_vkDestroyInstance>("vkDestroyInstance")(instance_, nullptr);
  tuff_vulkan_requirements_release(requirements_);
  for (const std::string& message : messages) FAIL_CHECK(message);
}

tuff_vulkan_device_desc_t VulkanHost::desc() const {
  tuff_vulkan_device_desc_t desc = TUFF_VULKAN_DEVICE_DESC_INIT;
  desc.api_version = VK_API_VERSION_1_2;
  desc.queue_family = family_;
  desc.get_instance_proc_addr = reinterpret_cast<tuff_vulkan_function_t>(get_instance);
  desc.instance = instance_;
  desc.physical_device = physical_;
  desc.device = device_;
  desc.queue = queue_;
  desc.extension_count = static_cast<uint32_t>(extension_names_.size());
  desc.extensions = extension_names_.data();
  desc.features = &timeline_;
  return desc;
}

tuff_device_t* VulkanHost::lend() const {
  const tuff_vulkan_device_desc_t d = desc();
  tuff_device_t* device = nullptr;
  REQUIRE(tuff_device_from_vulkan(&d, &device, nullptr) == TUFF_OK);
  return device;
}

VulkanCounts VulkanHost::counts() const {
  return {layer.allocations, layer.allocated_bytes, layer.descriptor_writes, layer.recordings, layer.submits, layer.creations};
}

void VulkanHost::fail(const std::string& call_name, uint32_t n, VkResult result, bool lasting) {
  std::lock_guard lock(layer.mutex);
  layer.failures[call_name] = {n, result, lasting};
}
void VulkanHost::stop_failing() {
  std::lock_guard lock(layer.mutex);
  layer.failures.clear();
}

VkBuffer VulkanHost::make_buffer(uint64_t size_bytes, uint32_t usage) {
  auto info = structure<VkBufferCreateInfo>(VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO);
  info.size = size_bytes;
  info.usage = usage | VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT;
  VkBuffer buffer;
  REQUIRE(call<PFN_vkCreateBuffer>("vkCreateBuffer")(device_, &info, nullptr, &buffer) == VK_SUCCESS);
  buffers_.push_back(buffer);
  VkMemoryRequirements needs;
  call<PFN_vkGetBufferMemoryRequirements>("vkGetBufferMemoryRequirements")(device_, buffer, &needs);
  auto allocation = structure<VkMemoryAllocateInfo>(VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO);
  allocation.allocationSize = needs.size;
  while (!(needs.memoryTypeBits & (1u << allocation.memoryTypeIndex))) ++allocation.memoryTypeIndex;
  VkDeviceMemory memory;
  REQUIRE(call<PFN_vkAllocateMemory>("vkAllocateMemory")(device_, &allocation, nullptr, &memory) == VK_SUCCESS);
  memory_.push_back(memory);
  REQUIRE(call<PFN_vkBindBufferMemory>("vkBindBufferMemory")(device_, buffer, memory, 0) == VK_SUCCESS);
  return buffer;
}

VkCommandBuffer VulkanHost::begin_commands() {
  auto begin = structure<VkCommandBufferBeginInfo>(VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO);
  REQUIRE(call<PFN_vkBeginCommandBuffer>("vkBeginCommandBuffer")(commands_, &begin) == VK_SUCCESS);
  return commands_;
}

void VulkanHost::run_commands() {
  REQUIRE(call<PFN_vkEndCommandBuffer>("vkEndCommandBuffer")(commands_) == VK_SUCCESS);
  auto submit = structure<VkSubmitInfo>(VK_STRUCTURE_TYPE_SUBMIT_INFO);
  submit.commandBufferCount = 1;
  submit.pCommandBuffers = &commands_;
  REQUIRE(call<PFN_vkQueueSubmit>("vkQueueSubmit")(queue_, 1, &submit, VK_NULL_HANDLE) == VK_SUCCESS);
  REQUIRE(call<PFN_vkQueueWaitIdle>("vkQueueWaitIdle")(queue_) == VK_SUCCESS);
}

VkSemaphore VulkanHost::make_timeline() {
  auto type = structure<VkSemaphoreTypeCreateInfo>(VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO);
  type.semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE;
  auto info = structure<VkSemaphoreCreateInfo>(VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO);
  info.pNext = &type;
  VkSemaphore semaphore;
  REQUIRE(call<PFN_vkCreateSemaphore>("vkCreateSemaphore")(device_, &info, nullptr, &semaphore) == VK_SUCCESS);
  semaphores_.push_back(semaphore);
  return semaphore;
}

uint64_t VulkanHost::timeline_value(VkSemaphore semaphore) {
  uint64_t value = 0;
  call<PFN_vkGetSemaphoreCounterValue>("vkGetSemaphoreCounterValue")(device_, semaphore, &value);
  return value;
}

bool VulkanHost::reaches(VkSemaphore semaphore, uint64_t value) {
  constexpr uint64_t kLongNs = 10'000'000'000;
  auto info = structure<VkSemaphoreWaitInfo>(VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO);
  info.semaphoreCount = 1;
  info.pSemaphores = &semaphore;
  info.pValues = &value;
  return call<PFN_vkWaitSemaphores>("vkWaitSemaphores")(device_, &info, kLongNs) == VK_SUCCESS;
}

void VulkanHost::signal(VkSemaphore semaphore, uint64_t value) {
  auto info = structure<VkSemaphoreSignalInfo>(VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO);
  info.semaphore = semaphore;
  info.value = value;
  REQUIRE(call<PFN_vkSignalSemaphore>("vkSignalSemaphore")(device_, &info) == VK_SUCCESS);
}
