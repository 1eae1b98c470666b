// VulkanDevice: an open VkDevice behind the Device interface.
//
// It stands on DeviceParts, which open_physical_device() makes; a device that a host already has needs only another maker
// of DeviceParts (owned = false: nothing of the host's is destroyed). Once a call reports VK_ERROR_DEVICE_LOST every later
// one answers DEVICE_LOST without reaching the driver; in a forked child no call reaches it at all.
#pragma once

#include <atomic>
#include <mutex>

#include "backend/backend.h"
#include "backend/vulkan/physical_device.h"

namespace tuff::vulkan {

struct DeviceParts {
  std::shared_ptr<const Instance> instance;  // null: the host's
  PhysicalDevice physical;                   // features: those that are enabled
  VkDevice device = VK_NULL_HANDLE;
  VkQueue queue = VK_NULL_HANDLE;
  DeviceFunctions functions;
  bool owned = true;
  bool statistics = false;                           // pipeline executable properties are enabled
  const VkAllocationCallbacks* allocator = nullptr;  // a host's, for what is created of its device
  Log log;
  // The host's lock around its queue; null: the device's own.
  std::function<void()> lock_queue, unlock_queue;
};

Result<DeviceParts> open_physical_device(std::shared_ptr<const Instance> instance, const PhysicalDevice& physical,
                                         const OpenOptions& options);

class VulkanDevice final : public Device, public std::enable_shared_from_this<VulkanDevice> {
 public:
  // What holds the device is there before the device is: nothing is left behind where the host's memory runs out.
  static Result<std::shared_ptr<VulkanDevice>> open(std::shared_ptr<const Instance> instance, const PhysicalDevice& physical,
                                                    const OpenOptions& options);
  explicit VulkanDevice(DeviceParts parts);
  ~VulkanDevice() override;

  const DeviceInfo& info() const override { return parts_.physical.info; }
  Result<std::shared_ptr<Buffer>> allocate(MemoryUse use, uint64_t size_bytes) override;
  Result<std::shared_ptr<Buffer>> borrow_buffer(uint64_t handle, uint64_t size_bytes) override;
  Status upload(Buffer& dst, uint64_t offset, std::span<const std::byte> data) override;
  Status download(Buffer& src, uint64_t offset, std::span<std::byte> data) override;
  Result<std::shared_ptr<Pipelines>> create_pipelines(const CompiledKernels& kernels, const PipelineOptions& options) override;
  Result<std::shared_ptr<Recording>> record(const RecordDesc& desc) override;
  DeviceCounters counters() const override;
  std::vector<PipelineStatistics> statistics(Pipelines& pipelines) override;

  // For the objects that this device makes.
  const DeviceParts& parts() const { return parts_; }
  const DeviceFunctions& functions() const { return parts_.functions; }
  VkDevice handle() const { return parts_.device; }
  const VkAllocationCallbacks* allocator() const { return parts_.allocator; }

  // OK while calls may reach the driver.
  Status usable() const;
  // status_from, and remembers a lost device.
  Status check(VkResult result, std::string_view call);
  // False: objects are left to the process's end, because the driver must not or cannot free them.
  bool may_destroy() const;
  // After work that never ends: nothing is freed under it, and nothing more is submitted.
  void abandon() { abandoned_ = true; }
  void log(int severity, std::string_view message) const override;
  void name_object(VkObjectType type, uint64_t handle, const std::string& name) const;

  // A submit each, in order and without another's between them. `in_flight`: the fence will be signalled; of a failure, because
  // some had been submitted.
  Status submit(std::span<const VkCommandBuffer> commands, VkFence fence, const SubmitDesc& desc, bool& in_flight);

  struct Counters {
    std::atomic<uint64_t> submits{0}, recordings{0}, allocations{0}, descriptor_writes{0}, pipelines{0};
  };
  Counters& count() { return counters_; }

 private:
  DeviceParts parts_;
  int64_t process_id_;
  std::atomic<bool> lost_{false}, abandoned_{false};
  std::mutex queue_mutex_;
  Counters counters_;
};

}  // namespace tuff::vulkan
