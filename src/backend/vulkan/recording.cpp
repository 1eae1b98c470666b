#include "backend/vulkan/recording.h"

namespace tuff::vulkan {
namespace {

constexpr VkPipelineStageFlagBits kCompute = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT;
constexpr VkPipelineStageFlags kTransfer = VK_PIPELINE_STAGE_TRANSFER_BIT;
constexpr VkPipelineStageFlags kHost = VK_PIPELINE_STAGE_HOST_BIT;
constexpr VkAccessFlags kShaderAccess = VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_UNIFORM_READ_BIT;
constexpr VkAccessFlags kTransferAccess = VK_ACCESS_TRANSFER_READ_BIT | VK_ACCESS_TRANSFER_WRITE_BIT;
constexpr VkAccessFlags kWrites = VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT;

// Where a range's buffer begins, and that buffer; null if it was not given.
struct Place {
  VulkanBuffer* buffer = nullptr;
  uint64_t offset = 0;
};

Place place_of(const RecordDesc& desc, const BoundRange& range) {
  auto slice = [&](const std::vector<BufferSlice>& list) {
    return range.index < list.size() ? list[range.index] : BufferSlice();
  };
  BufferSlice found;
  switch (range.buffer) {
    case BufferKind::kInput: found = slice(desc.inputs); break;
    case BufferKind::kOutput: found = slice(desc.outputs); break;
    case BufferKind::kWeights: found = desc.weights; break;
    case BufferKind::kArena: found = desc.arena; break;
    case BufferKind::kCounters: found = desc.counters; break;
  }
  return {static_cast<VulkanBuffer*>(found.buffer.get()), found.offset_bytes + range.offset};
}

bool fits(uint64_t offset, uint64_t size_bytes, const Buffer& buffer) {
  return offset <= buffer.size_bytes() && size_bytes <= buffer.size_bytes() - offset;
}

bool is_of(const Buffer* buffer, const VulkanDevice* device) {
  return static_cast<const VulkanBuffer*>(buffer)->device() == device;
}

Status check_copy(const BufferCopy& copy, const VulkanDevice* device) {
  if (copy.src == nullptr || copy.dst == nullptr) return invalid_argument("A copy of a recording names no buffer.");
  if (!is_of(copy.src, device) || !is_of(copy.dst, device))
    return invalid_argument("A copy of a recording names a buffer of another device.");
  if (copy.size_bytes == 0 || copy.size_bytes > copy.src->size_bytes() || copy.size_bytes > copy.dst->size_bytes())
    return invalid_argument("A copy of " + std::to_string(copy.size_bytes) + " bytes does not fit its buffers of " +
                            std::to_string(copy.src->size_bytes()) + " and " + std::to_string(copy.dst->size_bytes()) + ".");
  return ok_status();
}

Status check_range(const RecordDesc& desc, const BoundRange& range, const DeviceInfo& info, const VulkanDevice* device) {
  const auto [buffer, offset] = place_of(desc, range);
  if (buffer == nullptr) return invalid_argument("it uses a buffer that was not given.");
  if (!is_of(buffer, device)) return invalid_argument("it uses a buffer of another device.");
  if (range.size_bytes == 0 || !fits(offset, range.size_bytes, *buffer))
    return invalid_argument("it uses " + std::to_string(range.size_bytes) + " bytes at " + std::to_string(offset) +
                            " of a buffer of " + std::to_string(buffer->size_bytes()) + ".");
  if (offset % static_cast<uint64_t>(buffer_offset_alignment(info)) != 0)
    return internal_error("its offset " + std::to_string(offset) + " is not a multiple of " +
                          std::to_string(buffer_offset_alignment(info)) + ".");
  if (range.size_bytes > static_cast<uint64_t>(info.max_storage_buffer_bytes))
    return limit_exceeded("it uses " + std::to_string(range.size_bytes) + " bytes of one buffer; '" + info.name + "' allows " +
                          std::to_string(info.max_storage_buffer_bytes) + ".");
  return ok_status();
}

Status check_dispatch(const RecordDesc& desc, const BoundDispatch& dispatch, const VulkanPipelines::Entry& kernel,
                      const DeviceInfo& info, const VulkanDevice* device) {
  if (kernel.pipeline == VK_NULL_HANDLE) return internal_error("the driver made no pipeline of it.");
  for (int axis = 0; axis < 3; ++axis)
    if (dispatch.grid[axis] == 0 || dispatch.grid[axis] > info.max_workgroup_count[axis])
      return limit_exceeded("its " + std::to_string(dispatch.grid[axis]) + " workgroups along axis " + std::to_string(axis) +
                            " are outside 1 to " + std::to_string(info.max_workgroup_count[axis]) + ".");
  if (dispatch.ranges.size() != kernel.texel_words.size())
    return internal_error("it has " + std::to_string(dispatch.ranges.size()) + " ranges for " +
                          std::to_string(kernel.texel_words.size()) + " buffers.");
  for (size_t b = 0; b < dispatch.ranges.size(); ++b) {
    const BoundRange& range = dispatch.ranges[b];
    TUFF_TRY(check_range(desc, range, info, device));
    if (kernel.texel_words[b] != 0 && (range.access != Access::kRead || range.size_bytes < 4u * kernel.texel_words[b]))
      return internal_error("its range " + std::to_string(b) + " cannot be a texel buffer.");
  }
  if (!kernel.has_parameters) return ok_status();
  if (desc.parameters == nullptr) return invalid_argument("it has parameters and no parameter buffer was given.");
  if (!is_of(desc.parameters.get(), device)) return invalid_argument("its parameter buffer is another device's.");
  if (dispatch.parameter_bytes == 0 || !fits(dispatch.parameter_offset, dispatch.parameter_bytes, *desc.parameters) ||
      dispatch.parameter_offset % info.uniform_offset_alignment != 0 ||
      dispatch.parameter_bytes > static_cast<uint64_t>(info.max_uniform_buffer_bytes))
    return internal_error("its " + std::to_string(dispatch.parameter_bytes) + " bytes of parameters at " +
                          std::to_string(dispatch.parameter_offset) + " do not fit a buffer of " +
                          std::to_string(desc.parameters->size_bytes()) + ", or are not aligned.");
  return ok_status();
}

}  // namespace

Result<std::shared_ptr<VulkanRecording>> VulkanRecording::create(std::shared_ptr<VulkanDevice> device, const RecordDesc& desc) {
  TUFF_TRY(device->usable());
  if (desc.plan == nullptr || desc.pipelines == nullptr) return invalid_argument("A recording needs a plan and its pipelines.");
  std::shared_ptr<VulkanRecording> recording(new VulkanRecording(device));
  recording->pipelines_ = std::static_pointer_cast<VulkanPipelines>(desc.pipelines);
  TUFF_TRY(recording->check(desc));
  for (const auto* list : {&desc.inputs, &desc.outputs})
    for (const BufferSlice& slice : *list) recording->buffers_.push_back(slice.buffer);
  recording->buffers_.insert(recording->buffers_.end(), desc.keep_alive.begin(), desc.keep_alive.end());
  for (const auto& buffer : {desc.weights, desc.arena, desc.counters, desc.parameters, desc.grids})
    recording->buffers_.push_back(buffer);

  TUFF_ASSIGN(recording->commands_, Commands::create(device, desc.splits.size() + 1));
  TUFF_TRY(recording->create_descriptor_sets(desc));
  recording->keep_commands(desc);
  if (desc.timestamps && device->info().timestamp_period_ns > 0) TUFF_TRY(recording->create_timestamps());
  for (size_t s = 0; s < recording->segments_.size(); ++s) {
    TUFF_TRY(recording->commands_->begin(s));
    recording->write(recording->commands_->handle(s), recording->segments_[s], true);
    TUFF_TRY(recording->commands_->end(s));
  }
  ++device->count().recordings;
  return recording;
}

VulkanRecording::~VulkanRecording() {
  commands_.reset();  // waits for what is in flight
  if (!device_->may_destroy()) return;
  const DeviceFunctions& calls = device_->functions();
  calls.vkDestroyQueryPool(device_->handle(), query_pool_, device_->allocator());
  calls.vkDestroyDescriptorPool(device_->handle(), descriptor_pool_, device_->allocator());
  for (const VkBufferView view : views_) calls.vkDestroyBufferView(device_->handle(), view, device_->allocator());
}

Status VulkanRecording::check(const RecordDesc& desc) const {
  if (pipelines_->device() != device_.get()) return invalid_argument("The pipelines of a recording are another device's.");
  for (const BufferCopy& copy : desc.copies_before) TUFF_TRY(check_copy(copy, device_.get()));
  for (const BufferCopy& copy : desc.copies_after) TUFF_TRY(check_copy(copy, device_.get()));
  const uint64_t counter_bytes = desc.plan->counter_bytes;
  if (counter_bytes > 0 && (desc.counters == nullptr || !is_of(desc.counters.get(), device_.get()) ||
                            counter_bytes > desc.counters->size_bytes() || counter_bytes % 4 != 0))
    return invalid_argument("The buffer of a recording's " + std::to_string(counter_bytes) +
                            " bytes of counters is too small, or another device's.");
  if (desc.grids != nullptr &&
      (!is_of(desc.grids.get(), device_.get()) || desc.grids->size_bytes() < desc.plan->dispatches.size() * kGridBytes))
    return invalid_argument("The buffer of a recording's grids is too small, or another device's.");
  for (size_t s = 0; s < desc.splits.size(); ++s)
    if (desc.splits[s] >= desc.plan->dispatches.size() || desc.splits[s] <= (s == 0 ? 0 : desc.splits[s - 1]))
      return invalid_argument("A recording of " + std::to_string(desc.plan->dispatches.size()) +
                              " dispatches is split before dispatch " + std::to_string(desc.splits[s]) + ", out of order.");
  const auto& kernels = pipelines_->entries();
  for (size_t i = 0; i < desc.plan->dispatches.size(); ++i) {
    const BoundDispatch& dispatch = desc.plan->dispatches[i];
    if (dispatch.kernel.value >= kernels.size())
      return internal_error("Dispatch " + std::to_string(i) + " names kernel " + std::to_string(dispatch.kernel.value) +
                            " of " + std::to_string(kernels.size()) + ".");
    const VulkanPipelines::Entry& kernel = kernels[dispatch.kernel.value];
    const Status status = check_dispatch(desc, dispatch, kernel, device_->info(), device_.get());
    if (!status.ok()) return status.with_context("Dispatch " + std::to_string(i) + " of the kernel '" + kernel.kernel + "'");
  }
  return ok_status();
}

Status VulkanRecording::create_descriptor_sets(const RecordDesc& desc) {
  const std::vector<BoundDispatch>& dispatches = desc.plan->dispatches;
  if (dispatches.empty()) return ok_status();
  const auto& kernels = pipelines_->entries();
  const DeviceFunctions& calls = device_->functions();

  uint32_t storage_count = 0, texel_count = 0, uniform_count = 0;
  std::vector<VkDescriptorSetLayout> layouts;
  for (const BoundDispatch& dispatch : dispatches) {
    const auto& kernel = kernels[dispatch.kernel.value];
    for (const int words : kernel.texel_words) ++(words ? texel_count : storage_count);
    uniform_count += kernel.has_parameters ? 1 : 0;
    layouts.push_back(kernel.set_layout);
  }
  std::vector<VkDescriptorPoolSize> sizes;
  if (storage_count > 0) sizes.push_back({VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, storage_count});
  if (texel_count > 0) sizes.push_back({VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER, texel_count});
  if (uniform_count > 0) sizes.push_back({VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER, uniform_count});
  auto pool = structure<VkDescriptorPoolCreateInfo>(VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO);
  pool.maxSets = static_cast<uint32_t>(dispatches.size());
  pool.poolSizeCount = static_cast<uint32_t>(sizes.size());
  pool.pPoolSizes = sizes.data();
  TUFF_TRY(device_->check(calls.vkCreateDescriptorPool(device_->handle(), &pool, device_->allocator(), &descriptor_pool_),
                          "vkCreateDescriptorPool"));
  auto allocation = structure<VkDescriptorSetAllocateInfo>(VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO);
  allocation.descriptorPool = descriptor_pool_;
  allocation.descriptorSetCount = pool.maxSets;
  allocation.pSetLayouts = layouts.data();
  sets_.resize(dispatches.size());
  TUFF_TRY(
      device_->check(calls.vkAllocateDescriptorSets(device_->handle(), &allocation, sets_.data()), "vkAllocateDescriptorSets"));

  // The writes point into these two.
  std::vector<VkDescriptorBufferInfo> infos;
  infos.reserve(storage_count + uniform_count);
  views_.reserve(texel_count);
  std::vector<VkWriteDescriptorSet> writes;
  auto write = [&](VkDescriptorSet set, uint32_t binding, VkDescriptorType type) -> VkWriteDescriptorSet& {
    auto w = structure<VkWriteDescriptorSet>(VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET);
    w.dstSet = set;
    w.dstBinding = binding;
    w.descriptorCount = 1;
    w.descriptorType = type;
    return writes.emplace_back(w);
  };
  auto write_buffer = [&](VkDescriptorSet set, uint32_t binding, VkDescriptorType type, const Buffer* buffer, uint64_t offset,
                          uint64_t size_bytes) {
    infos.push_back({static_cast<const VulkanBuffer*>(buffer)->handle(), offset, size_bytes});
    write(set, binding, type).pBufferInfo = &infos.back();
  };
  for (size_t i = 0; i < dispatches.size(); ++i) {
    const BoundDispatch& dispatch = dispatches[i];
    if (kernels[dispatch.kernel.value].has_parameters)
      write_buffer(sets_[i], 0, VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER, desc.parameters.get(), dispatch.parameter_offset,
                   dispatch.parameter_bytes);
    for (uint32_t b = 0; b < dispatch.ranges.size(); ++b) {
      const BoundRange& range = dispatch.ranges[b];
      const auto [buffer, offset] = place_of(desc, range);
      if (const int words = kernels[dispatch.kernel.value].texel_words[b]) {
        TUFF_TRY(create_view(*buffer, offset, range.size_bytes, words));
        write(sets_[i], 1 + b, VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER).pTexelBufferView = &views_.back();
      } else {
        write_buffer(sets_[i], 1 + b, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, buffer, offset, range.size_bytes);
      }
    }
  }
  calls.vkUpdateDescriptorSets(device_->handle(), static_cast<uint32_t>(writes.size()), writes.data(), 0, nullptr);
  device_->count().descriptor_writes += writes.size();
  return ok_status();
}

// The whole texels of a range, by bits: no format conversion.
Status VulkanRecording::create_view(const VulkanBuffer& buffer, uint64_t offset, uint64_t size_bytes, int words) {
  auto info = structure<VkBufferViewCreateInfo>(VK_STRUCTURE_TYPE_BUFFER_VIEW_CREATE_INFO);
  info.buffer = buffer.handle();
  info.format = words == 1 ? VK_FORMAT_R32_UINT : words == 2 ? VK_FORMAT_R32G32_UINT : VK_FORMAT_R32G32B32A32_UINT;
  info.offset = offset;
  info.range = size_bytes / (4 * static_cast<uint64_t>(words)) * (4 * static_cast<uint64_t>(words));
  VkBufferView view = VK_NULL_HANDLE;
  TUFF_TRY(device_->check(device_->functions().vkCreateBufferView(device_->handle(), &info, device_->allocator(), &view),
                          "vkCreateBufferView"));
  views_.push_back(view);
  return ok_status();
}

Status VulkanRecording::create_timestamps() {
  auto info = structure<VkQueryPoolCreateInfo>(VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO);
  info.queryType = VK_QUERY_TYPE_TIMESTAMP;
  info.queryCount = static_cast<uint32_t>(dispatches_.size() + segments_.size());
  TUFF_TRY(device_->check(device_->functions().vkCreateQueryPool(device_->handle(), &info, device_->allocator(), &query_pool_),
                          "vkCreateQueryPool"));
  query_count_ = info.queryCount;
  return ok_status();
}

void VulkanRecording::keep_commands(const RecordDesc& desc) {
  const auto& kernels = pipelines_->entries();
  for (size_t i = 0; i < desc.plan->dispatches.size(); ++i) {
    const BoundDispatch& dispatch = desc.plan->dispatches[i];
    const VulkanPipelines::Entry& kernel = kernels[dispatch.kernel.value];
    dispatches_.push_back({kernel.pipeline, kernel.layout, sets_[i], dispatch.grid, dispatch.barrier_before});
  }
  for (size_t s = 0; s <= desc.splits.size(); ++s) {
    const size_t first = s == 0 ? 0 : desc.splits[s - 1];
    segments_.push_back(
        {first, s < desc.splits.size() ? desc.splits[s] : dispatches_.size(), static_cast<uint32_t>(first + s)});
  }
  if (desc.plan->counter_bytes > 0) counters_ = {static_cast<VulkanBuffer&>(*desc.counters).handle(), desc.plan->counter_bytes};
  if (desc.grids) grids_ = static_cast<VulkanBuffer&>(*desc.grids).handle();
  auto keep = [](const std::vector<BufferCopy>& src, std::vector<Copy>& dst) {
    for (const BufferCopy& copy : src)
      dst.push_back(
          {static_cast<VulkanBuffer*>(copy.src)->handle(), static_cast<VulkanBuffer*>(copy.dst)->handle(), copy.size_bytes});
  };
  keep(desc.copies_before, copies_before_);
  keep(desc.copies_after, copies_after_);
}

void VulkanRecording::write(VkCommandBuffer commands, const Segment& segment, bool is_ours) const {
  const VkQueryPool timestamps = is_ours ? query_pool_ : VK_NULL_HANDLE;
  const VkBuffer grids = is_ours ? grids_ : VK_NULL_HANDLE;
  const DeviceFunctions& calls = device_->functions();
  auto barrier = [&](VkPipelineStageFlags src_stages, VkAccessFlags src_access, VkPipelineStageFlags dst_stages,
                     VkAccessFlags dst_access) {
    write_barrier(calls, commands, src_stages, src_access, dst_stages, dst_access);
  };
  auto copy_all = [&](const std::vector<Copy>& copies) {
    for (const Copy& copy : copies) write_copy(calls, commands, copy.src, copy.dst, 0, copy.size_bytes);
  };
  uint32_t query = segment.first_query;
  auto timestamp = [&] {
    if (timestamps != VK_NULL_HANDLE) calls.vkCmdWriteTimestamp(commands, kCompute, timestamps, query++);
  };

  if (segment.first == 0) {
    // A fence makes an earlier submit's writes available, not visible: state and uploads come from such submits. Runs in
    // flight at the same time share the arena, which this barrier orders, too.
    barrier(kCompute | kTransfer, kWrites, kCompute | kTransfer, kShaderAccess | kTransferAccess);
    // Here and not after a run: whatever became of the run before.
    if (counters_.size_bytes > 0) calls.vkCmdFillBuffer(commands, counters_.buffer, 0, counters_.size_bytes, 0);
    if (!copies_before_.empty() || counters_.size_bytes > 0) {
      copy_all(copies_before_);
      barrier(kTransfer, VK_ACCESS_TRANSFER_WRITE_BIT, kCompute | kTransfer, kShaderAccess | kTransferAccess);
    }
  }
  if (timestamps != VK_NULL_HANDLE)
    calls.vkCmdResetQueryPool(commands, timestamps, query, static_cast<uint32_t>(segment.end - segment.first) + 1);
  timestamp();

  // A barrier's first scope is all that was submitted before, so that those of the plan hold across segments as well.
  VkPipeline bound = VK_NULL_HANDLE;
  for (size_t i = segment.first; i < segment.end; ++i) {
    const Dispatch& dispatch = dispatches_[i];
    if (dispatch.barrier_before) barrier(kCompute, VK_ACCESS_SHADER_WRITE_BIT, kCompute, kShaderAccess);
    if (dispatch.pipeline != bound) calls.vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, dispatch.pipeline);
    bound = dispatch.pipeline;
    calls.vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, dispatch.layout, 0, 1, &dispatch.set, 0, nullptr);
    if (grids != VK_NULL_HANDLE)
      calls.vkCmdDispatchIndirect(commands, grids, i * kGridBytes);
    else
      calls.vkCmdDispatch(commands, dispatch.grid[0], dispatch.grid[1], dispatch.grid[2]);
    timestamp();
  }

  if (segment.end < dispatches_.size()) return;
  if (!copies_after_.empty()) {
    barrier(kCompute | kTransfer, kWrites, kTransfer, kTransferAccess);
    copy_all(copies_after_);
  }
  barrier(kCompute | kTransfer, kWrites, kHost, VK_ACCESS_HOST_READ_BIT);
}

Status VulkanRecording::write_into(uint64_t command_buffer) {
  TUFF_TRY(device_->usable());
  write(dispatchable<VkCommandBuffer>(command_buffer), {0, dispatches_.size(), 0}, false);
  return ok_status();
}

Result<std::vector<uint64_t>> VulkanRecording::dispatch_times_ns() {
  std::vector<uint64_t> times;
  if (query_pool_ == VK_NULL_HANDLE) return times;
  TUFF_TRY(device_->usable());
  if (!commands_->finished_once()) return invalid_argument("Times were asked for before a run had been waited for.");
  std::vector<uint64_t> ticks(query_count_);
  const VkResult result = device_->functions().vkGetQueryPoolResults(device_->handle(), query_pool_, 0, query_count_,
                                                                     ticks.size() * sizeof(uint64_t), ticks.data(),
                                                                     sizeof(uint64_t), VK_QUERY_RESULT_64_BIT);
  TUFF_TRY(device_->check(result, "vkGetQueryPoolResults"));
  if (result == VK_NOT_READY) return internal_error("The driver has no timestamps of a run that has finished.");
  // Counters narrower than 64 bits wrap; the difference modulo their width is right either way.
  const uint32_t bits = device_->parts().physical.timestamp_valid_bits;
  const uint64_t mask = bits >= 64 ? UINT64_MAX : (uint64_t{1} << bits) - 1;
  for (const Segment& segment : segments_) {
    for (size_t i = 0; i < segment.end - segment.first; ++i) {
      const size_t before = segment.first_query + i;
      const auto ticks_spent = static_cast<double>((ticks[before + 1] - ticks[before]) & mask);
      times.push_back(static_cast<uint64_t>(ticks_spent * device_->info().timestamp_period_ns));
    }
  }
  return times;
}

}  // namespace tuff::vulkan
