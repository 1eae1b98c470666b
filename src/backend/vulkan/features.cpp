#include "backend/vulkan/features.h"

namespace tuff::vulkan {
namespace {

constexpr uint32_t kNever = UINT32_MAX;  // not in any core version

// Extensions that bring features, properties or SPIR-V that Tuff uses, and the version that made them core.
struct Extension {
  const char* name;
  uint32_t core_version;
};
constexpr Extension kExtensions[] = {
    {VK_KHR_SHADER_FLOAT16_INT8_EXTENSION_NAME, VK_API_VERSION_1_2},
    {VK_KHR_8BIT_STORAGE_EXTENSION_NAME, VK_API_VERSION_1_2},
    {VK_KHR_SHADER_FLOAT_CONTROLS_EXTENSION_NAME, VK_API_VERSION_1_2},
    {VK_KHR_VULKAN_MEMORY_MODEL_EXTENSION_NAME, VK_API_VERSION_1_2},
    {VK_KHR_DRIVER_PROPERTIES_EXTENSION_NAME, VK_API_VERSION_1_2},
    {VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME, VK_API_VERSION_1_3},
    {VK_KHR_SHADER_INTEGER_DOT_PRODUCT_EXTENSION_NAME, VK_API_VERSION_1_3},
    {VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME, kNever},
    {"VK_KHR_portability_subset", kNever},  // must be enabled wherever it is listed
};

}  // namespace

Features::Features(uint32_t usable_version, std::set<std::string> device_extensions)
    : version(usable_version), extensions_(std::move(device_extensions)) {
  storage16 = structure<decltype(storage16)>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES);
  storage8 = structure<decltype(storage8)>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_8BIT_STORAGE_FEATURES);
  float16_int8 = structure<decltype(float16_int8)>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES);
  memory_model = structure<decltype(memory_model)>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_MEMORY_MODEL_FEATURES);
  subgroup_size = structure<decltype(subgroup_size)>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES);
  integer_dot = structure<decltype(integer_dot)>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_FEATURES);
  matrix = structure<decltype(matrix)>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR);
  executable = structure<decltype(executable)>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PIPELINE_EXECUTABLE_PROPERTIES_FEATURES_KHR);
  head_ = structure<decltype(head_)>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2);
}

bool Features::available(const char* extension, uint32_t core_version) const {
  return version >= core_version || has_extension(extension);
}

VkPhysicalDeviceFeatures2* Features::chain() {
  void* next = nullptr;
  auto link = [&](auto& feature) {
    feature.pNext = next;
    next = &feature;
  };
  link(storage16);
  if (available(VK_KHR_8BIT_STORAGE_EXTENSION_NAME, VK_API_VERSION_1_2)) link(storage8);
  if (available(VK_KHR_SHADER_FLOAT16_INT8_EXTENSION_NAME, VK_API_VERSION_1_2)) link(float16_int8);
  if (available(VK_KHR_VULKAN_MEMORY_MODEL_EXTENSION_NAME, VK_API_VERSION_1_2)) link(memory_model);
  if (available(VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME, VK_API_VERSION_1_3)) link(subgroup_size);
  if (available(VK_KHR_SHADER_INTEGER_DOT_PRODUCT_EXTENSION_NAME, VK_API_VERSION_1_3)) link(integer_dot);
  if (has_extension(VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME)) link(matrix);
  if (link_executable_ && has_extension(VK_KHR_PIPELINE_EXECUTABLE_PROPERTIES_EXTENSION_NAME)) link(executable);
  head_.pNext = next;
  head_.features = core;
  return &head_;
}

void Features::keep_used(bool statistics) {
  // Robust buffer access stays off: kernels check their own bounds, and the driver's checks cost a tenth of the speed.
  const VkPhysicalDeviceFeatures offered = core;
  core = {};
  core.shaderInt64 = offered.shaderInt64;
  core.shaderInt16 = offered.shaderInt16;
  core.shaderFloat64 = offered.shaderFloat64;
  storage16.uniformAndStorageBuffer16BitAccess = VK_FALSE;
  storage16.storagePushConstant16 = VK_FALSE;
  storage16.storageInputOutput16 = VK_FALSE;
  storage8.uniformAndStorageBuffer8BitAccess = VK_FALSE;
  storage8.storagePushConstant8 = VK_FALSE;
  memory_model.vulkanMemoryModelAvailabilityVisibilityChains = VK_FALSE;
  matrix.cooperativeMatrixRobustBufferAccess = VK_FALSE;
  if (!memory_model.vulkanMemoryModel) matrix.cooperativeMatrix = VK_FALSE;  // its SPIR-V needs the memory model
  if (!executable.pipelineExecutableInfo) statistics = false;
  link_executable_ = statistics;
  if (!statistics) executable.pipelineExecutableInfo = VK_FALSE;
}

std::vector<const char*> Features::enabled_extensions() const {
  std::vector<const char*> names;
  for (const Extension& extension : kExtensions)
    if (version < extension.core_version && has_extension(extension.name)) names.push_back(extension.name);
  if (executable.pipelineExecutableInfo) names.push_back(VK_KHR_PIPELINE_EXECUTABLE_PROPERTIES_EXTENSION_NAME);
  return names;
}

}  // namespace tuff::vulkan
