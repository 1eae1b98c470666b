#include "backend/vulkan/instance.h"

#include <set>
#include <string>

#include "backend/vulkan/loader.h"
#include "backend/vulkan/result.h"

namespace tuff::vulkan {
namespace {

VKAPI_ATTR VkBool32 VKAPI_CALL forward_message(VkDebugUtilsMessageSeverityFlagBitsEXT severity,
                                               VkDebugUtilsMessageTypeFlagsEXT types,
                                               const VkDebugUtilsMessengerCallbackDataEXT* data, void* user_data) {
  const Log& log = *static_cast<const Log*>(user_data);
  if (data == nullptr || data->pMessage == nullptr) return VK_FALSE;
  const bool validation = (types & VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT) != 0;
  log(severity >= VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT ? 0 : 1,
      (validation ? "Vulkan validation: " : "Vulkan: ") + std::string(data->pMessage));
  return VK_FALSE;
}

VkDebugUtilsMessengerCreateInfoEXT messenger_info(const Log& log) {
  auto info = structure<VkDebugUtilsMessengerCreateInfoEXT>(VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT);
  info.messageSeverity = VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT | VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT;
  info.messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_GENERAL_BIT_EXT | VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT;
  info.pfnUserCallback = forward_message;
  info.pUserData = const_cast<Log*>(&log);
  return info;
}

std::set<std::string> instance_extensions(PFN_vkGetInstanceProcAddr get) {
  std::set<std::string> names;
  auto enumerate = reinterpret_cast<PFN_vkEnumerateInstanceExtensionProperties>(
      get(VK_NULL_HANDLE, "vkEnumerateInstanceExtensionProperties"));
  uint32_t count = 0;
  if (enumerate == nullptr || enumerate(nullptr, &count, nullptr) < 0) return names;
  std::vector<VkExtensionProperties> properties(count);
  if (enumerate(nullptr, &count, properties.data()) < 0) return names;
  for (uint32_t i = 0; i < count && i < properties.size(); ++i) names.insert(properties[i].extensionName);
  return names;
}

}  // namespace

Result<std::shared_ptr<const Instance>> Instance::create(Log log, const VkAllocationCallbacks* allocator) {
  TUFF_ASSIGN(const PFN_vkGetInstanceProcAddr get, open_loader());
  auto create_instance = reinterpret_cast<PFN_vkCreateInstance>(get(VK_NULL_HANDLE, "vkCreateInstance"));
  auto enumerate_version = reinterpret_cast<PFN_vkEnumerateInstanceVersion>(get(VK_NULL_HANDLE, "vkEnumerateInstanceVersion"));
  if (create_instance == nullptr || enumerate_version == nullptr)
    return unsupported("The Vulkan loader of this machine speaks Vulkan 1.0 only; Tuff needs 1.1.");

  // The log must not move once the messenger points to it.
  std::shared_ptr<Instance> instance(new Instance(std::move(log), allocator));
  const std::set<std::string> offered = instance_extensions(get);
  std::vector<const char*> enabled;
  VkInstanceCreateFlags flags = 0;
  if (offered.count(VK_EXT_DEBUG_UTILS_EXTENSION_NAME)) {
    instance->debug_utils_ = true;
    enabled.push_back(VK_EXT_DEBUG_UTILS_EXTENSION_NAME);
  }
  if (offered.count(VK_KHR_PORTABILITY_ENUMERATION_EXTENSION_NAME)) {  // MoltenVK is listed only to those who ask
    flags |= VK_INSTANCE_CREATE_ENUMERATE_PORTABILITY_BIT_KHR;
    enabled.push_back(VK_KHR_PORTABILITY_ENUMERATION_EXTENSION_NAME);
  }

  auto application = structure<VkApplicationInfo>(VK_STRUCTURE_TYPE_APPLICATION_INFO);
  application.pEngineName = "Tuff";
  application.apiVersion = kNewestVersion;
  auto info = structure<VkInstanceCreateInfo>(VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO);
  info.flags = flags;
  info.pApplicationInfo = &application;
  info.enabledExtensionCount = static_cast<uint32_t>(enabled.size());
  info.ppEnabledExtensionNames = enabled.data();
  const bool listens = instance->debug_utils_ && instance->log_;
  VkDebugUtilsMessengerCreateInfoEXT messenger = messenger_info(instance->log_);
  if (listens) info.pNext = &messenger;  // also hears vkCreateInstance and vkDestroyInstance themselves

  TUFF_TRY(status_from(create_instance(&info, allocator, &instance->handle_), "vkCreateInstance"));
  Result<InstanceFunctions> functions = load_instance_functions(get, instance->handle_);
  if (!functions.ok()) {
    instance->handle_ = VK_NULL_HANDLE;  // without vkDestroyInstance's address it can only be left
    return functions.status();
  }
  instance->functions_ = *functions;
  if (listens && instance->functions_.vkCreateDebugUtilsMessengerEXT != nullptr) {
    // Messages are a service: a failure here is no reason to have no device.
    if (instance->functions_.vkCreateDebugUtilsMessengerEXT(instance->handle_, &messenger, allocator, &instance->messenger_) !=
        VK_SUCCESS)
      instance->messenger_ = VK_NULL_HANDLE;
  }
  return std::shared_ptr<const Instance>(std::move(instance));
}

Instance::~Instance() {
  if (handle_ == VK_NULL_HANDLE) return;
  if (messenger_ != VK_NULL_HANDLE && functions_.vkDestroyDebugUtilsMessengerEXT != nullptr)
    functions_.vkDestroyDebugUtilsMessengerEXT(handle_, messenger_, allocator_);
  functions_.vkDestroyInstance(handle_, allocator_);
}

Result<std::vector<VkPhysicalDevice>> Instance::physical_devices() const {
  std::vector<VkPhysicalDevice> devices;
  VkResult result = VK_INCOMPLETE;
  while (result == VK_INCOMPLETE) {  // a device may appear between the two calls
    uint32_t count = 0;
    TUFF_TRY(status_from(functions_.vkEnumeratePhysicalDevices(handle_, &count, nullptr), "vkEnumeratePhysicalDevices"));
    devices.resize(count);
    if (count == 0) return devices;
    result = functions_.vkEnumeratePhysicalDevices(handle_, &count, devices.data());
    TUFF_TRY(status_from(result, "vkEnumeratePhysicalDevices"));
    devices.resize(count);
  }
  return devices;
}

}  // namespace tuff::vulkan
