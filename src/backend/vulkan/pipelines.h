// VulkanPipelines: the kernels of one program as compute pipelines. Kernels with the same SPIR-V share one.
#pragma once

#include <map>

#include "backend/vulkan/device.h"

namespace tuff::vulkan {

class VulkanPipelines final : public Pipelines {
 public:
  static Result<std::shared_ptr<VulkanPipelines>> create(std::shared_ptr<VulkanDevice> device, const CompiledKernels& kernels,
                                                         const PipelineOptions& options);
  ~VulkanPipelines() override;

  struct Entry {  // one a kernel
    std::string kernel;
    VkPipeline pipeline = VK_NULL_HANDLE;
    VkPipelineLayout layout = VK_NULL_HANDLE;
    VkDescriptorSetLayout set_layout = VK_NULL_HANDLE;
    std::vector<int> texel_words;  // by binding
    bool has_parameters = false;
  };
  const std::vector<Entry>& entries() const { return entries_; }
  const VulkanDevice* device() const { return device_.get(); }
  std::vector<PipelineStatistics> statistics() const;

 private:
  struct Layout {
    VkDescriptorSetLayout set = VK_NULL_HANDLE;
    VkPipelineLayout pipeline = VK_NULL_HANDLE;
  };
  using LayoutKey = std::pair<std::vector<int>, bool>;  // texel words by binding, parameters

  explicit VulkanPipelines(std::shared_ptr<VulkanDevice> device) : device_(std::move(device)) {}
  Status create_all(const CompiledKernels& kernels, VkPipelineCache cache, const PipelineOptions& options);
  Result<Layout> layout_for(const CompiledKernel& kernel);
  Result<VkPipeline> create_pipeline(const CompiledKernel& kernel, VkPipelineLayout layout, VkPipelineCache cache);

  std::shared_ptr<VulkanDevice> device_;
  std::map<LayoutKey, Layout> layouts_;
  std::map<std::pair<Hash, LayoutKey>, VkPipeline> pipelines_;
  std::vector<Entry> entries_;  // by KernelId
};

}  // namespace tuff::vulkan
