#include "backend/vulkan/features.h"

namespace tuff::vulkan {
namespace {

constexpr uint32_t kNever = UINT32_MAX;  // not in any core version

// Extensions that bring features, properties or SPIR-V that Tuff uses, and the version that made them core.
struct Extension {
  const char* name;
  uint32_t core_version;
  bool is_required = false;
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
    {"VK_KHR_portability_subset", kNever, true},  // must be enabled wherever it is listed
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

// Every feature that Tuff may use, with the structure that it is in.
template <class Self, class Visit>
void Features::for_each(Self& self, Visit visit) {
  constexpr const char* kCore = "VkPhysicalDeviceFeatures";
  visit(kCore, "shaderInt64", self.core.shaderInt64);
  visit(kCore, "shaderInt16", self.core.shaderInt16);
  visit(kCore, "shaderFloat64", self.core.shaderFloat64);
  visit("VkPhysicalDevice16BitStorageFeatures", "storageBuffer16BitAccess", self.storage16.storageBuffer16BitAccess);
  visit("VkPhysicalDevice8BitStorageFeatures", "storageBuffer8BitAccess", self.storage8.storageBuffer8BitAccess);
  visit("VkPhysicalDeviceShaderFloat16Int8Features", "shaderFloat16", self.float16_int8.shaderFloat16);
  visit("VkPhysicalDeviceShaderFloat16Int8Features", "shaderInt8", self.float16_int8.shaderInt8);
  constexpr const char* kMemoryModel = "VkPhysicalDeviceVulkanMemoryModelFeatures";
  visit(kMemoryModel, "vulkanMemoryModel", self.memory_model.vulkanMemoryModel);
  visit(kMemoryModel, "vulkanMemoryModelDeviceScope", self.memory_model.vulkanMemoryModelDeviceScope);
  constexpr const char* kSubgroupSize = "VkPhysicalDeviceSubgroupSizeControlFeatures";
  visit(kSubgroupSize, "subgroupSizeControl", self.subgroup_size.subgroupSizeControl);
  visit(kSubgroupSize, "computeFullSubgroups", self.subgroup_size.computeFullSubgroups);
  visit("VkPhysicalDeviceShaderIntegerDotProductFeatures", "shaderIntegerDotProduct", self.integer_dot.shaderIntegerDotProduct);
  visit("VkPhysicalDeviceCooperativeMatrixFeaturesKHR", "cooperativeMatrix", self.matrix.cooperativeMatrix);
}

void Features::clear() {
  required_only_ = true;
  for_each(*this, [](const char*, const char*, VkBool32& on) { on = VK_FALSE; });
}

std::vector<std::string> Features::names() const {
  std::vector<std::string> names;
  for_each(*this, [&](const char* structure, const char* member, VkBool32 on) {
    if (on) names.push_back(std::string(structure) + "::" + member);
  });
  return names;
}

void Features::enable_only(const void* chain) {
  for_each(*this, [](const char*, const char*, VkBool32& on) { on = VK_FALSE; });
  for (auto* next = static_cast<const VkBaseInStructure*>(chain); next != nullptr; next = next->pNext) {
    auto as = [&]<class T>(T& own) {
      own = *reinterpret_cast<const T*>(next);
      own.pNext = nullptr;
    };
    switch (static_cast<int>(next->sType)) {  // some values are newer than the oldest headers
      case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2:
        core = reinterpret_cast<const VkPhysicalDeviceFeatures2*>(next)->features;
        break;
      case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES: as(storage16); break;
      case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_8BIT_STORAGE_FEATURES: as(storage8); break;
      case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES: as(float16_int8); break;
      case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_MEMORY_MODEL_FEATURES: as(memory_model); break;
      case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES: as(subgroup_size); break;
      case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_FEATURES: as(integer_dot); break;
      case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR: as(matrix); break;
      case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES:
        storage16.storageBuffer16BitAccess =
            reinterpret_cast<const VkPhysicalDeviceVulkan11Features*>(next)->storageBuffer16BitAccess;
        break;
      case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES: {
        const auto& f = *reinterpret_cast<const VkPhysicalDeviceVulkan12Features*>(next);
        storage8.storageBuffer8BitAccess = f.storageBuffer8BitAccess;
        float16_int8.shaderFloat16 = f.shaderFloat16;
        float16_int8.shaderInt8 = f.shaderInt8;
        memory_model.vulkanMemoryModel = f.vulkanMemoryModel;
        memory_model.vulkanMemoryModelDeviceScope = f.vulkanMemoryModelDeviceScope;
        break;
      }
      case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES: {
        const auto& f = *reinterpret_cast<const VkPhysicalDeviceVulkan13Features*>(next);
        subgroup_size.subgroupSizeControl = f.subgroupSizeControl;
        subgroup_size.computeFullSubgroups = f.computeFullSubgroups;
        integer_dot.shaderIntegerDotProduct = f.shaderIntegerDotProduct;
        break;
      }
      default: break;
    }
  }
  keep_used(false);
}

std::vector<const char*> Features::enabled_extensions() const {
  std::vector<const char*> names;
  for (const Extension& extension : kExtensions)
    if (version < extension.core_version && has_extension(extension.name) && (!required_only_ || extension.is_required))
      names.push_back(extension.name);
  if (executable.pipelineExecutableInfo) names.push_back(VK_KHR_PIPELINE_EXECUTABLE_PROPERTIES_EXTENSION_NAME);
  return names;
}

}  // namespace tuff::vulkan
