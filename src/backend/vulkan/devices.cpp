#include "backend/vulkan/devices.h"

#include "backend/vulkan/device.h"

namespace tuff::vulkan {
namespace {

class VulkanDevices final : public DeviceSource {
 public:
  VulkanDevices(std::shared_ptr<const Instance> instance, std::vector<PhysicalDevice> devices)
      : instance_(std::move(instance)), devices_(std::move(devices)) {
    for (const PhysicalDevice& device : devices_) infos_.push_back(device.info);
  }
  const std::vector<DeviceInfo>& infos() const override { return infos_; }
  Result<std::shared_ptr<Device>> open(size_t index, const OpenOptions& options) override {
    TUFF_ASSIGN(std::shared_ptr<VulkanDevice> device, VulkanDevice::open(instance_, devices_[index], options));
    return std::shared_ptr<Device>(std::move(device));
  }

 private:
  std::shared_ptr<const Instance> instance_;
  std::vector<PhysicalDevice> devices_;
  std::vector<DeviceInfo> infos_;
};

}  // namespace

Result<std::unique_ptr<DeviceSource>> find_devices(const OpenOptions& options) {
  TUFF_ASSIGN(std::shared_ptr<const Instance> instance,
              Instance::create(options.log, static_cast<const VkAllocationCallbacks*>(options.vulkan_allocator)));
  TUFF_ASSIGN(const std::vector<VkPhysicalDevice> handles, instance->physical_devices());
  std::vector<PhysicalDevice> devices;
  for (VkPhysicalDevice handle : handles)
    if (std::optional<PhysicalDevice> device = read_physical_device(instance->functions(), handle))
      devices.push_back(std::move(*device));
  if (devices.empty())
    return unsupported(handles.empty() ? std::string("The installed Vulkan drivers find no device.")
                                       : "None of the " + std::to_string(handles.size()) +
                                             " Vulkan devices has Vulkan 1.1 and a compute queue.");
  return std::unique_ptr<DeviceSource>(std::make_unique<VulkanDevices>(std::move(instance), std::move(devices)));
}

}  // namespace tuff::vulkan
