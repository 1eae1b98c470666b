// What backend/borrowed_device.h declares: a device that a host opened, behind the Device interface.
#include "backend/borrowed_device.h"

#include "backend/vulkan/buffer.h"
#include "backend/vulkan/device.h"

namespace tuff {
namespace {

using namespace vulkan;

uint32_t usable_version(uint32_t of_instance) {
  return std::min(of_instance == 0 ? VK_API_VERSION_1_1 : of_instance, kNewestVersion | VK_API_VERSION_PATCH(UINT32_MAX));
}

Result<InstanceFunctions> functions_of(void (*get)(), void* instance) {
  return load_instance_functions(reinterpret_cast<PFN_vkGetInstanceProcAddr>(get), static_cast<VkInstance>(instance));
}

Status too_old() {
  return unsupported("Tuff needs a Vulkan 1.1 instance and device with a queue of compute; this device has not both.");
}

}  // namespace

Result<std::shared_ptr<Device>> borrow_vulkan_device(const BorrowedVulkanDevice& host) {
  TUFF_ASSIGN(const InstanceFunctions instance, functions_of(host.get_instance_proc_addr, host.instance));
  const EnabledFeatures enabled{{host.extensions.begin(), host.extensions.end()}, host.features};
  std::optional<PhysicalDevice> physical = read_physical_device(instance, static_cast<VkPhysicalDevice>(host.physical_device),
                                                                usable_version(host.api_version), &enabled);
  if (!physical) return too_old();
  TUFF_TRY(use_queue_family(instance, host.queue_family, *physical));
  DeviceParts parts{.instance = nullptr,
                    .physical = std::move(*physical),
                    .device = static_cast<VkDevice>(host.device),
                    .queue = static_cast<VkQueue>(host.queue),
                    .functions = {},
                    .owned = false,
                    .allocator = static_cast<const VkAllocationCallbacks*>(host.allocator),
                    .log = host.log,
                    .lock_queue = host.lock_queue,
                    .unlock_queue = host.unlock_queue};
  TUFF_ASSIGN(parts.functions, load_device_functions(instance, parts.device));
  parts.functions.vkSetDebugUtilsObjectNameEXT = nullptr;  // the host's instance may not have it enabled
  return std::shared_ptr<Device>(std::make_shared<VulkanDevice>(std::move(parts)));
}

Result<VulkanRequirements> vulkan_requirements(void (*get_instance_proc_addr)(), void* instance, void* physical_device,
                                               uint32_t api_version, bool recommended) {
  TUFF_ASSIGN(const InstanceFunctions functions, functions_of(get_instance_proc_addr, instance));
  std::optional<PhysicalDevice> physical =
      read_physical_device(functions, static_cast<VkPhysicalDevice>(physical_device), usable_version(api_version));
  if (!physical) return too_old();
  auto features = std::make_shared<Features>(physical->features);
  features->keep_used(false);
  if (!recommended) features->clear();
  VulkanRequirements out;
  out.queue_family = physical->queue_family;
  for (const char* name : features->enabled_extensions()) out.extensions.emplace_back(name);
  out.features = features->names();
  // Shares ownership with the object that the chain's links are in.
  out.chain = std::shared_ptr<const void>(features, features->chain());
  return out;
}

uint32_t vulkan_buffer_usage(const DeviceInfo& device) { return tensor_usage(device); }

VulkanDependency vulkan_input_dependency() { return {VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_ACCESS_SHADER_READ_BIT}; }
VulkanDependency vulkan_output_dependency() { return {VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_ACCESS_SHADER_WRITE_BIT}; }

}  // namespace tuff
