#include "backend/vulkan/device.h"

#include <algorithm>
#include <new>

#include "backend/vulkan/buffer.h"
#include "backend/vulkan/pipelines.h"
#include "backend/vulkan/recording.h"
#include "backend/vulkan/result.h"
#include "backend/vulkan/upload.h"
#include "base/process.h"

namespace tuff::vulkan {

Result<DeviceParts> open_physical_device(std::shared_ptr<const Instance> instance, const PhysicalDevice& physical,
                                         const OpenOptions& options) {
  DeviceParts parts{.instance = std::move(instance),
                    .physical = physical,
                    .functions = {},
                    .allocator = nullptr,
                    .log = options.log,
                    .lock_queue = nullptr,
                    .unlock_queue = nullptr};
  parts.allocator = parts.instance->allocator();
  Features& features = parts.physical.features;
  features.keep_used(options.statistics);
  parts.statistics = features.executable.pipelineExecutableInfo;

  const float priority = 1;
  auto queue = structure<VkDeviceQueueCreateInfo>(VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO);
  queue.queueFamilyIndex = physical.queue_family;
  queue.queueCount = 1;
  queue.pQueuePriorities = &priority;
  const std::vector<const char*> extensions = features.enabled_extensions();
  auto info = structure<VkDeviceCreateInfo>(VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO);
  info.pNext = features.chain();
  info.queueCreateInfoCount = 1;
  info.pQueueCreateInfos = &queue;
  info.enabledExtensionCount = static_cast<uint32_t>(extensions.size());
  info.ppEnabledExtensionNames = extensions.data();
  const InstanceFunctions& calls = parts.instance->functions();
  Status created = status_from(calls.vkCreateDevice(physical.handle, &info, parts.allocator, &parts.device), "vkCreateDevice");
  if (!created.ok()) return created.with_context("Opening '" + physical.info.name + "'");

  Result<DeviceFunctions> functions = load_device_functions(calls, parts.device);
  if (!functions.ok()) {
    auto destroy = reinterpret_cast<PFN_vkDestroyDevice>(calls.vkGetDeviceProcAddr(parts.device, "vkDestroyDevice"));
    if (destroy != nullptr) destroy(parts.device, parts.allocator);
    return functions.status().with_context("Opening '" + physical.info.name + "'");
  }
  parts.functions = *functions;
  if (!parts.instance->debug_utils()) parts.functions.vkSetDebugUtilsObjectNameEXT = nullptr;
  parts.functions.vkGetDeviceQueue(parts.device, physical.queue_family, 0, &parts.queue);
  return parts;
}

namespace {

// A submit's semaphores in the form that Vulkan takes them, timeline values beside.
class Semaphores {
 public:
  explicit Semaphores(const SubmitDesc& desc) {
    for (const SemaphoreUse& use : desc.waits) {
      waits_.push_back(non_dispatchable<VkSemaphore>(use.handle));
      wait_values_.push_back(use.value);
    }
    for (const SemaphoreUse& use : desc.signals) {
      signals_.push_back(non_dispatchable<VkSemaphore>(use.handle));
      signal_values_.push_back(use.value);
    }
    // The first commands are barriers of these stages: nothing before them has to wait.
    stages_.assign(waits_.size(), VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT);
    timeline_ = structure<VkTimelineSemaphoreSubmitInfo>(VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO);
    timeline_.waitSemaphoreValueCount = static_cast<uint32_t>(wait_values_.size());
    timeline_.pWaitSemaphoreValues = wait_values_.data();
    timeline_.signalSemaphoreValueCount = static_cast<uint32_t>(signal_values_.size());
    timeline_.pSignalSemaphoreValues = signal_values_.data();
  }
  Semaphores(const Semaphores&) = delete;
  Semaphores& operator=(const Semaphores&) = delete;

  // Of the first submit of a run, which waits, and of the last, which signals.
  VkSubmitInfo info(bool is_first, bool is_last) const {
    auto info = structure<VkSubmitInfo>(VK_STRUCTURE_TYPE_SUBMIT_INFO);
    auto is_set = [](uint64_t value) { return value != 0; };
    // Binary semaphores have no value; without a timeline the structure is not allowed on devices that have none.
    if (std::any_of(wait_values_.begin(), wait_values_.end(), is_set) ||
        std::any_of(signal_values_.begin(), signal_values_.end(), is_set))
      info.pNext = &timeline_;
    info.waitSemaphoreCount = is_first ? static_cast<uint32_t>(waits_.size()) : 0;
    info.pWaitSemaphores = waits_.data();
    info.pWaitDstStageMask = stages_.data();
    info.signalSemaphoreCount = is_last ? static_cast<uint32_t>(signals_.size()) : 0;
    info.pSignalSemaphores = signals_.data();
    return info;
  }

 private:
  std::vector<VkSemaphore> waits_, signals_;
  std::vector<uint64_t> wait_values_, signal_values_;
  std::vector<VkPipelineStageFlags> stages_;
  VkTimelineSemaphoreSubmitInfo timeline_;
};

}  // namespace

Result<std::shared_ptr<VulkanDevice>> VulkanDevice::open(std::shared_ptr<const Instance> instance,
                                                         const PhysicalDevice& physical, const OpenOptions& options) {
  DeviceParts none{.instance = nullptr,
                   .physical = physical,
                   .functions = {},
                   .log = nullptr,
                   .lock_queue = nullptr,
                   .unlock_queue = nullptr};
  auto device = std::make_shared<VulkanDevice>(std::move(none));
  TUFF_ASSIGN(device->parts_, open_physical_device(std::move(instance), physical, options));
  return device;
}

VulkanDevice::VulkanDevice(DeviceParts parts) : parts_(std::move(parts)), process_id_(process_id()) {}

VulkanDevice::~VulkanDevice() {
  if (parts_.device == VK_NULL_HANDLE) return;
  if (parts_.owned && may_destroy()) parts_.functions.vkDestroyDevice(parts_.device, parts_.allocator);
  // A VkInstance must outlive its devices: where the device is left, so is the instance.
  else if (parts_.owned && parts_.instance != nullptr)
    new (std::nothrow) std::shared_ptr<const Instance>(parts_.instance);
}

Status VulkanDevice::usable() const {
  if (process_id() != process_id_)
    return unsupported("The device '" + info().name +
                       "' was opened before this process was forked; open it anew in the child.");
  if (lost_) return {Code::kDeviceLost, "The device '" + info().name + "' was lost; it has to be opened anew."};
  if (abandoned_) return {Code::kDeviceLost, "The device '" + info().name + "' did not finish its work and was given up."};
  return ok_status();
}

Status VulkanDevice::check(VkResult result, std::string_view call) {
  if (result == VK_ERROR_DEVICE_LOST) lost_ = true;
  Status status = status_from(result, call);
  return status.ok() ? status : status.with_context(info().name);
}

bool VulkanDevice::may_destroy() const { return !abandoned_ && process_id() == process_id_; }

void VulkanDevice::log(int severity, std::string_view message) const {
  if (parts_.log) parts_.log(severity, message);
}

void VulkanDevice::name_object(VkObjectType type, uint64_t handle, const std::string& name) const {
  if (functions().vkSetDebugUtilsObjectNameEXT == nullptr) return;
  auto info = structure<VkDebugUtilsObjectNameInfoEXT>(VK_STRUCTURE_TYPE_DEBUG_UTILS_OBJECT_NAME_INFO_EXT);
  info.objectType = type;
  info.objectHandle = handle;
  info.pObjectName = name.c_str();
  functions().vkSetDebugUtilsObjectNameEXT(parts_.device, &info);  // a name is a service: failure changes nothing
}

// A call a submit: drivers may join what one call brings (Mesa's vk_queue_submits_merge does), and the kernel then counts it
// as one job.
Status VulkanDevice::submit(std::span<const VkCommandBuffer> commands, VkFence fence, const SubmitDesc& desc, bool& in_flight) {
  const Semaphores semaphores(desc);
  VkResult result = VK_SUCCESS;
  auto submit_all = [&] {
    size_t count = 0;
    while (count < commands.size() && result == VK_SUCCESS) {
      const bool is_last = count + 1 == commands.size();
      VkSubmitInfo info = semaphores.info(count == 0, is_last);
      info.commandBufferCount = 1;
      info.pCommandBuffers = &commands[count];
      result = functions().vkQueueSubmit(parts_.queue, 1, &info, is_last ? fence : VK_NULL_HANDLE);
      ++counters_.submits;
      if (result == VK_SUCCESS) ++count;
    }
    in_flight = count == commands.size();
    if (in_flight || count == 0 || result == VK_ERROR_DEVICE_LOST) return;  // a lost device has nothing in flight
    in_flight = functions().vkQueueSubmit(parts_.queue, 0, nullptr, fence) == VK_SUCCESS;
    if (!in_flight) abandon();
  };
  if (parts_.lock_queue) {
    parts_.lock_queue();
    submit_all();
    parts_.unlock_queue();
  } else {
    std::lock_guard lock(queue_mutex_);
    submit_all();
  }
  return check(result, "vkQueueSubmit");
}

Result<std::shared_ptr<Buffer>> VulkanDevice::allocate(MemoryUse use, uint64_t size_bytes) {
  TUFF_ASSIGN(std::shared_ptr<VulkanBuffer> buffer, VulkanBuffer::create(shared_from_this(), use, size_bytes));
  return std::shared_ptr<Buffer>(std::move(buffer));
}

Result<std::shared_ptr<Buffer>> VulkanDevice::borrow_buffer(uint64_t handle, uint64_t size_bytes) {
  TUFF_TRY(usable());
  return std::shared_ptr<Buffer>(VulkanBuffer::borrow(shared_from_this(), non_dispatchable<VkBuffer>(handle), size_bytes));
}

Status VulkanDevice::upload(Buffer& dst, uint64_t offset, std::span<const std::byte> data) {
  return upload_bytes(shared_from_this(), static_cast<VulkanBuffer&>(dst), offset, data);
}

Status VulkanDevice::download(Buffer& src, uint64_t offset, std::span<std::byte> data) {
  return download_bytes(shared_from_this(), static_cast<VulkanBuffer&>(src), offset, data);
}

Result<std::shared_ptr<Pipelines>> VulkanDevice::create_pipelines(const CompiledKernels& kernels,
                                                                  const PipelineOptions& options) {
  TUFF_ASSIGN(std::shared_ptr<VulkanPipelines> pipelines, VulkanPipelines::create(shared_from_this(), kernels, options));
  return std::shared_ptr<Pipelines>(std::move(pipelines));
}

Result<std::shared_ptr<Recording>> VulkanDevice::record(const RecordDesc& desc) {
  TUFF_ASSIGN(std::shared_ptr<VulkanRecording> recording, VulkanRecording::create(shared_from_this(), desc));
  return std::shared_ptr<Recording>(std::move(recording));
}

DeviceCounters VulkanDevice::counters() const {
  return {counters_.submits, counters_.recordings, counters_.allocations, counters_.descriptor_writes, counters_.pipelines};
}

std::vector<PipelineStatistics> VulkanDevice::statistics(Pipelines& pipelines) {
  return static_cast<VulkanPipelines&>(pipelines).statistics();
}

}  // namespace tuff::vulkan
