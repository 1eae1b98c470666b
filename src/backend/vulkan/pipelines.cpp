#include "backend/vulkan/pipelines.h"

#include <algorithm>

#include "backend/vulkan/kernel_usage.h"
#include "backend/vulkan/pipeline_cache.h"

namespace tuff::vulkan {
namespace {

// The driver's cache while the pipelines of one program are made. It only ever saves time: no failure here is an error.
class DriverCache {
 public:
  DriverCache(VulkanDevice& device, const PipelineOptions& options) : device_(device), options_(options) {
    std::vector<std::byte> file;
    if (options.load) file = options.load();
    const auto payload = unwrap_pipeline_cache(file, device.info(), device.parts().physical.driver_version);
    if (payload)
      loaded_ = hash_bytes(payload->data(), payload->size());
    else if (!file.empty())
      device.log(2, "The pipeline cache is damaged or another driver's; kernels are compiled anew.");
    if (!create(payload.value_or(std::span<const std::byte>())) && payload) create({});
  }
  ~DriverCache() {
    if (device_.may_destroy()) device_.functions().vkDestroyPipelineCache(device_.handle(), handle_, device_.allocator());
  }
  DriverCache(const DriverCache&) = delete;
  DriverCache& operator=(const DriverCache&) = delete;

  VkPipelineCache handle() const { return handle_; }

  void store() const {
    if (!options_.store || handle_ == VK_NULL_HANDLE) return;
    const auto get = device_.functions().vkGetPipelineCacheData;
    size_t size_bytes = 0;
    // VK_INCOMPLETE, a positive code, would be a part of a blob: it is not stored either.
    VkResult result = get(device_.handle(), handle_, &size_bytes, nullptr);
    if (!device_.check(result, "vkGetPipelineCacheData").ok() || size_bytes == 0) return;
    std::vector<std::byte> payload(size_bytes);
    result = get(device_.handle(), handle_, &size_bytes, payload.data());
    if (!device_.check(result, "vkGetPipelineCacheData").ok() || result != VK_SUCCESS) return;
    payload.resize(size_bytes);
    if (hash_bytes(payload.data(), payload.size()) == loaded_) return;  // nothing new
    options_.store(wrap_pipeline_cache(payload, device_.info(), device_.parts().physical.driver_version));
  }

 private:
  bool create(std::span<const std::byte> payload) {
    auto info = structure<VkPipelineCacheCreateInfo>(VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO);
    info.initialDataSize = payload.size();
    info.pInitialData = payload.empty() ? nullptr : payload.data();
    const VkResult result = device_.functions().vkCreatePipelineCache(device_.handle(), &info, device_.allocator(), &handle_);
    if (device_.check(result, "vkCreatePipelineCache").ok()) return true;
    handle_ = VK_NULL_HANDLE;
    return false;
  }

  VulkanDevice& device_;
  const PipelineOptions& options_;
  VkPipelineCache handle_ = VK_NULL_HANDLE;
  Hash loaded_;
};

Status check_limits(const CompiledKernel& kernel, const DeviceInfo& info) {
  const int64_t storage_buffers = std::count(kernel.texel_words.begin(), kernel.texel_words.end(), 0),
                texel_buffers = static_cast<int64_t>(kernel.texel_words.size()) - storage_buffers;
  if (storage_buffers > info.max_storage_buffers || texel_buffers > usable_texel_buffers(info))
    return limit_exceeded("The kernel '" + kernel.name + "' binds " + std::to_string(storage_buffers) + " storage and " +
                          std::to_string(texel_buffers) + " texel buffers; '" + info.name + "' allows " +
                          std::to_string(info.max_storage_buffers) + " and " + std::to_string(usable_texel_buffers(info)) +
                          ".");
  uint64_t invocations = 1;
  for (int axis = 0; axis < 3; ++axis) {
    invocations *= kernel.workgroup[axis];
    if (kernel.workgroup[axis] > info.max_workgroup_size[axis])
      return limit_exceeded("The kernel '" + kernel.name + "' has a workgroup of " + std::to_string(kernel.workgroup[axis]) +
                            " along axis " + std::to_string(axis) + "; '" + info.name + "' allows " +
                            std::to_string(info.max_workgroup_size[axis]) + ".");
  }
  if (invocations > static_cast<uint64_t>(info.max_workgroup_invocations))
    return limit_exceeded("The kernel '" + kernel.name + "' has " + std::to_string(invocations) +
                          " invocations a workgroup; '" + info.name + "' allows " +
                          std::to_string(info.max_workgroup_invocations) + ".");
  return ok_status();
}

}  // namespace

Result<std::shared_ptr<VulkanPipelines>> VulkanPipelines::create(std::shared_ptr<VulkanDevice> device,
                                                                 const CompiledKernels& kernels,
                                                                 const PipelineOptions& options) {
  TUFF_TRY(device->usable());
  std::shared_ptr<VulkanPipelines> pipelines(new VulkanPipelines(device));
  DriverCache cache(*device, options);
  TUFF_TRY(device->usable());
  TUFF_TRY(pipelines->create_all(kernels, cache.handle(), options));
  cache.store();
  TUFF_TRY(device->usable());
  return pipelines;
}

VulkanPipelines::~VulkanPipelines() {
  if (!device_->may_destroy()) return;
  const DeviceFunctions& calls = device_->functions();
  for (const auto& [key, pipeline] : pipelines_) calls.vkDestroyPipeline(device_->handle(), pipeline, device_->allocator());
  for (const auto& [key, layout] : layouts_) {
    calls.vkDestroyPipelineLayout(device_->handle(), layout.pipeline, device_->allocator());
    calls.vkDestroyDescriptorSetLayout(device_->handle(), layout.set, device_->allocator());
  }
}

Status VulkanPipelines::create_all(const CompiledKernels& kernels, VkPipelineCache cache, const PipelineOptions& options) {
  struct Wanted {
    const CompiledKernel* kernel;
    VkPipelineLayout layout;
    VkPipeline* pipeline;
  };
  std::vector<Wanted> wanted;
  auto key_of = [](const CompiledKernel& kernel) {
    return std::pair(kernel.hash, LayoutKey(kernel.texel_words, kernel.has_parameters));
  };
  for (const CompiledKernel& kernel : kernels.kernels) {
    TUFF_TRY(check_limits(kernel, device_->info()));
    TUFF_ASSIGN(const Layout layout, layout_for(kernel));
    const auto [place, is_new] = pipelines_.try_emplace(key_of(kernel), VkPipeline(VK_NULL_HANDLE));
    if (is_new) wanted.push_back({&kernel, layout.pipeline, &place->second});
  }
  std::vector<Status> refused(wanted.size());
  TUFF_TRY(for_each(static_cast<uint32_t>(wanted.size()), options.workers, [&](uint32_t i) -> Status {
    Result<VkPipeline> made = create_pipeline(*wanted[i].kernel, wanted[i].layout, cache);
    if (made.ok())
      *wanted[i].pipeline = *made;
    else if (options.refused && made.status().code() == Code::kInternal)
      refused[i] = made.status();
    else
      return made.status();
    return ok_status();
  }));
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (refused[i].ok()) continue;
    device_->log(1, refused[i].message() + " Its work is done by other kernels, if they can.");
    for (size_t k = 0; k < kernels.kernels.size(); ++k)
      if (key_of(kernels.kernels[k]) == key_of(*wanted[i].kernel)) (*options.refused)[k] = refused[i];
  }
  entries_.reserve(kernels.kernels.size());
  for (const CompiledKernel& kernel : kernels.kernels) {
    TUFF_ASSIGN(const Layout layout, layout_for(kernel));  // it is there
    entries_.push_back(
        {kernel.name, pipelines_.at(key_of(kernel)), layout.pipeline, layout.set, kernel.texel_words, kernel.has_parameters});
  }
  return ok_status();
}

// Binding 0 is the parameter block, bindings 1 and up are the buffers (kernel/kernel.h).
Result<VulkanPipelines::Layout> VulkanPipelines::layout_for(const CompiledKernel& kernel) {
  const LayoutKey key(kernel.texel_words, kernel.has_parameters);
  auto found = layouts_.find(key);
  if (found != layouts_.end()) return found->second;

  const DeviceFunctions& calls = device_->functions();
  std::vector<VkDescriptorSetLayoutBinding> bindings;
  auto bind = [&](uint32_t binding, VkDescriptorType type) {
    VkDescriptorSetLayoutBinding b{};
    b.binding = binding;
    b.descriptorType = type;
    b.descriptorCount = 1;
    b.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT;
    bindings.push_back(b);
  };
  if (kernel.has_parameters) bind(0, VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER);
  for (uint32_t i = 0; i < kernel.texel_words.size(); ++i)
    bind(1 + i, kernel.texel_words[i] ? VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER : VK_DESCRIPTOR_TYPE_STORAGE_BUFFER);

  Layout& layout = layouts_[key];  // kept even half made: the destructor frees what is there
  auto set = structure<VkDescriptorSetLayoutCreateInfo>(VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO);
  set.bindingCount = static_cast<uint32_t>(bindings.size());
  set.pBindings = bindings.data();
  TUFF_TRY(device_->check(calls.vkCreateDescriptorSetLayout(device_->handle(), &set, device_->allocator(), &layout.set),
                          "vkCreateDescriptorSetLayout"));
  auto pipeline = structure<VkPipelineLayoutCreateInfo>(VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO);
  pipeline.setLayoutCount = 1;
  pipeline.pSetLayouts = &layout.set;
  TUFF_TRY(device_->check(calls.vkCreatePipelineLayout(device_->handle(), &pipeline, device_->allocator(), &layout.pipeline),
                          "vkCreatePipelineLayout"));
  return layout;
}

Result<VkPipeline> VulkanPipelines::create_pipeline(const CompiledKernel& kernel, VkPipelineLayout layout,
                                                    VkPipelineCache cache) {
  const DeviceFunctions& calls = device_->functions();
  const std::string where = "The kernel '" + kernel.name + "'";
  auto module_info = structure<VkShaderModuleCreateInfo>(VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO);
  module_info.codeSize = kernel.spirv.size() * sizeof(uint32_t);
  module_info.pCode = kernel.spirv.data();
  VkShaderModule module = VK_NULL_HANDLE;
  Status made = device_->check(calls.vkCreateShaderModule(device_->handle(), &module_info, device_->allocator(), &module),
                               "vkCreateShaderModule");
  if (!made.ok()) return made.with_context(where);

  auto info = structure<VkComputePipelineCreateInfo>(VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO);
  if (device_->parts().statistics) info.flags |= VK_PIPELINE_CREATE_CAPTURE_STATISTICS_BIT_KHR;
  info.stage.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO;
  info.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT;
  info.stage.module = module;
  info.stage.pName = "main";
  info.layout = layout;
  VkPipeline pipeline = VK_NULL_HANDLE;
  made = device_->check(calls.vkCreateComputePipelines(device_->handle(), cache, 1, &info, device_->allocator(), &pipeline),
                        "vkCreateComputePipelines");
  calls.vkDestroyShaderModule(device_->handle(), module, device_->allocator());
  if (!made.ok()) return made.with_context(where);
  if (pipeline == VK_NULL_HANDLE)
    return internal_error(where + ": vkCreateComputePipelines of '" + device_->info().name + "' made no pipeline.");
  ++device_->count().pipelines;
  device_->name_object(VK_OBJECT_TYPE_PIPELINE, (uint64_t)pipeline, kernel.name);
  return pipeline;
}

namespace {

std::string statistic_text(const VkPipelineExecutableStatisticKHR& s) {
  switch (s.format) {
    case VK_PIPELINE_EXECUTABLE_STATISTIC_FORMAT_BOOL32_KHR: return s.value.b32 ? "true" : "false";
    case VK_PIPELINE_EXECUTABLE_STATISTIC_FORMAT_INT64_KHR: return std::to_string(s.value.i64);
    case VK_PIPELINE_EXECUTABLE_STATISTIC_FORMAT_UINT64_KHR: return std::to_string(s.value.u64);
    case VK_PIPELINE_EXECUTABLE_STATISTIC_FORMAT_FLOAT64_KHR: return std::to_string(s.value.f64);
    default: return "";
  }
}

}  // namespace

std::vector<PipelineStatistics> VulkanPipelines::statistics() const {
  std::vector<PipelineStatistics> all;
  const DeviceFunctions& calls = device_->functions();
  if (!device_->parts().statistics || !device_->usable().ok() || !calls.vkGetPipelineExecutablePropertiesKHR ||
      !calls.vkGetPipelineExecutableStatisticsKHR)
    return all;
  for (const Entry& entry : entries_) {
    PipelineStatistics& out = all.emplace_back(PipelineStatistics{entry.kernel, {}, {}});
    if (entry.pipeline == VK_NULL_HANDLE) continue;
    auto pipeline = structure<VkPipelineInfoKHR>(VK_STRUCTURE_TYPE_PIPELINE_INFO_KHR);
    pipeline.pipeline = entry.pipeline;
    uint32_t count = 0;
    calls.vkGetPipelineExecutablePropertiesKHR(device_->handle(), &pipeline, &count, nullptr);
    std::vector<VkPipelineExecutablePropertiesKHR> executables(
        count, structure<VkPipelineExecutablePropertiesKHR>(VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_PROPERTIES_KHR));
    if (calls.vkGetPipelineExecutablePropertiesKHR(device_->handle(), &pipeline, &count, executables.data()) < 0) continue;
    std::vector<KernelUsage> usages;
    for (uint32_t i = 0; i < count && i < executables.size(); ++i) {
      // Intel compiles one shader at several widths; the names tell them apart.
      const std::string prefix = count > 1 ? std::string(executables[i].name) + ": " : "";
      out.values.emplace_back(prefix + "Subgroup size", std::to_string(executables[i].subgroupSize));
      auto executable = structure<VkPipelineExecutableInfoKHR>(VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_INFO_KHR);
      executable.pipeline = entry.pipeline;
      executable.executableIndex = i;
      uint32_t value_count = 0;
      calls.vkGetPipelineExecutableStatisticsKHR(device_->handle(), &executable, &value_count, nullptr);
      std::vector<VkPipelineExecutableStatisticKHR> values(
          value_count, structure<VkPipelineExecutableStatisticKHR>(VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_STATISTIC_KHR));
      if (calls.vkGetPipelineExecutableStatisticsKHR(device_->handle(), &executable, &value_count, values.data()) < 0) continue;
      std::vector<std::pair<std::string, std::string>> told;
      for (uint32_t v = 0; v < value_count && v < values.size(); ++v)
        told.emplace_back(values[v].name, statistic_text(values[v]));
      usages.push_back(usage_of(told));
      for (auto& [name, value] : told) out.values.emplace_back(prefix + name, std::move(value));
    }
    out.usage = usage_of_best(usages);
  }
  return all;
}

}  // namespace tuff::vulkan
