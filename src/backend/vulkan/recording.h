// VulkanRecording: a BoundPlan as command buffers, recorded once; a run is one submit of each, mostly of one.
#pragma once

#include "backend/vulkan/buffer.h"
#include "backend/vulkan/commands.h"
#include "backend/vulkan/pipelines.h"

namespace tuff::vulkan {

class VulkanRecording final : public Recording {
 public:
  // INVALID_ARGUMENT or INTERNAL if the plan reaches outside a buffer or a limit: the driver is never asked to check.
  static Result<std::shared_ptr<VulkanRecording>> create(std::shared_ptr<VulkanDevice> device, const RecordDesc& desc);
  ~VulkanRecording() override;

  Status submit(const SubmitDesc& desc) override { return commands_->submit(desc); }
  Status write_into(uint64_t command_buffer) override;
  Result<bool> wait(uint64_t timeout_ns) override { return commands_->wait(timeout_ns); }
  Result<std::vector<uint64_t>> dispatch_times_ns() override;

 private:
  explicit VulkanRecording(std::shared_ptr<VulkanDevice> device) : device_(std::move(device)) {}
  Status check(const RecordDesc& desc) const;
  Status create_descriptor_sets(const RecordDesc& desc);
  Status create_view(const VulkanBuffer& buffer, uint64_t offset, uint64_t size_bytes, int words);
  Status create_timestamps();
  void keep_commands(const RecordDesc& desc);

  struct Dispatch {
    VkPipeline pipeline;
    VkPipelineLayout layout;
    VkDescriptorSet set;
    std::array<uint32_t, 3> grid;
    bool barrier_before;
  };
  struct Copy {
    VkBuffer src, dst;
    uint64_t size_bytes;
  };
  // Dispatches of one submit, with a timestamp before them and one after each, from first_query on.
  struct Segment {
    size_t first, end;
    uint32_t first_query;
  };
  // For a submit of ours: with timestamps, and grids that a cancel can clear, where there are such.
  void write(VkCommandBuffer commands, const Segment& segment, bool is_ours) const;

  std::shared_ptr<VulkanDevice> device_;
  std::shared_ptr<VulkanPipelines> pipelines_;
  std::vector<std::shared_ptr<Buffer>> buffers_;  // kept alive
  std::vector<VkBufferView> views_;
  VkDescriptorPool descriptor_pool_ = VK_NULL_HANDLE;
  std::vector<VkDescriptorSet> sets_;  // by dispatch
  std::vector<Dispatch> dispatches_;
  std::vector<Segment> segments_;
  std::vector<Copy> copies_before_, copies_after_;
  struct Counters {
    VkBuffer buffer = VK_NULL_HANDLE;
    uint64_t size_bytes = 0;
  } counters_;
  VkBuffer grids_ = VK_NULL_HANDLE;  // of kGridBytes a dispatch; none: as recorded
  VkQueryPool query_pool_ = VK_NULL_HANDLE;
  uint32_t query_count_ = 0;
  std::unique_ptr<Commands> commands_;  // last: destroyed first, when nothing is in flight any more
};

}  // namespace tuff::vulkan
