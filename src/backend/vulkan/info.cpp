#include "backend/vulkan/info.h"

#include <algorithm>
#include <limits>

#include "backend/vulkan/memory.h"
#include "device/quirks.h"

namespace tuff::vulkan {
namespace {

int64_t clamped(uint64_t v) { return static_cast<int64_t>(std::min<uint64_t>(v, std::numeric_limits<int64_t>::max())); }

std::string hex(const uint8_t (&bytes)[VK_UUID_SIZE]) {
  static const char kDigits[] = "0123456789abcdef";
  std::string out;
  for (uint8_t b : bytes) {
    out += kDigits[b >> 4];
    out += kDigits[b & 15];
  }
  return out;
}

DeviceKind kind_of(VkPhysicalDeviceType type) {
  switch (type) {
    case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU: return DeviceKind::kIntegrated;
    case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU: return DeviceKind::kDiscrete;
    case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU: return DeviceKind::kVirtual;
    case VK_PHYSICAL_DEVICE_TYPE_CPU: return DeviceKind::kSoftware;
    default: return DeviceKind::kOther;
  }
}

// The properties of extensions, each chained only where it exists.
struct Properties {
  VkPhysicalDeviceProperties2 head;
  VkPhysicalDeviceIDProperties id;
  VkPhysicalDeviceSubgroupProperties subgroup;
  VkPhysicalDeviceMaintenance3Properties maintenance3;
  VkPhysicalDeviceMaintenance4Properties maintenance4;
  VkPhysicalDeviceDriverProperties driver;
  VkPhysicalDeviceFloatControlsProperties float_controls;
  VkPhysicalDeviceSubgroupSizeControlProperties subgroup_size;
  VkPhysicalDeviceShaderIntegerDotProductProperties integer_dot;
  VkPhysicalDeviceShaderSMBuiltinsPropertiesNV nvidia_cores;
  VkPhysicalDeviceShaderCorePropertiesAMD amd_cores;
  VkPhysicalDeviceShaderCoreBuiltinsPropertiesARM arm_cores;
};

Properties read_properties(const InstanceFunctions& functions, VkPhysicalDevice device, const Features& features) {
  Properties p{};
  void* next = nullptr;
  auto link = [&](auto& properties, VkStructureType type) {
    properties.sType = type;
    properties.pNext = next;
    next = &properties;
  };
  link(p.id, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES);
  link(p.subgroup, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES);
  link(p.maintenance3, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES);
  if (features.available(VK_KHR_MAINTENANCE_4_EXTENSION_NAME, VK_API_VERSION_1_3))
    link(p.maintenance4, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_4_PROPERTIES);
  if (features.available(VK_KHR_DRIVER_PROPERTIES_EXTENSION_NAME, VK_API_VERSION_1_2))
    link(p.driver, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES);
  if (features.available(VK_KHR_SHADER_FLOAT_CONTROLS_EXTENSION_NAME, VK_API_VERSION_1_2))
    link(p.float_controls, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FLOAT_CONTROLS_PROPERTIES);
  if (features.available(VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME, VK_API_VERSION_1_3))
    link(p.subgroup_size, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_PROPERTIES);
  if (features.available(VK_KHR_SHADER_INTEGER_DOT_PRODUCT_EXTENSION_NAME, VK_API_VERSION_1_3))
    link(p.integer_dot, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_PROPERTIES);
  if (features.has_extension(VK_NV_SHADER_SM_BUILTINS_EXTENSION_NAME))
    link(p.nvidia_cores, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_SM_BUILTINS_PROPERTIES_NV);
  if (features.has_extension(VK_AMD_SHADER_CORE_PROPERTIES_EXTENSION_NAME))
    link(p.amd_cores, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_CORE_PROPERTIES_AMD);
  if (features.has_extension(VK_ARM_SHADER_CORE_BUILTINS_EXTENSION_NAME))
    link(p.arm_cores, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_CORE_BUILTINS_PROPERTIES_ARM);
  p.head.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2;
  p.head.pNext = next;
  functions.vkGetPhysicalDeviceProperties2(device, &p.head);
  return p;
}

// Only where the driver does not print its version itself.
std::string version_text(uint32_t vendor_id, uint32_t v) {
  constexpr uint32_t kNvidia = 0x10de;  // packs 10.8.8.6 bits
  if (vendor_id == kNvidia)
    return std::to_string(v >> 22) + "." + std::to_string((v >> 14) & 255) + "." + std::to_string((v >> 6) & 255);
  return std::to_string(VK_API_VERSION_MAJOR(v)) + "." + std::to_string(VK_API_VERSION_MINOR(v)) + "." +
         std::to_string(VK_API_VERSION_PATCH(v));
}

// Dtype names as graph/dtype.h has them; null for types that Tuff has no dtype for.
const char* component_name(VkComponentTypeKHR type) {
  switch (static_cast<int>(type)) {
    case VK_COMPONENT_TYPE_FLOAT16_KHR: return "f16";
    case VK_COMPONENT_TYPE_FLOAT32_KHR: return "f32";
    case VK_COMPONENT_TYPE_FLOAT64_KHR: return "f64";
    case VK_COMPONENT_TYPE_SINT8_KHR: return "i8";
    case VK_COMPONENT_TYPE_SINT16_KHR: return "i16";
    case VK_COMPONENT_TYPE_SINT32_KHR: return "i32";
    case VK_COMPONENT_TYPE_SINT64_KHR: return "i64";
    case VK_COMPONENT_TYPE_UINT8_KHR: return "u8";
    case VK_COMPONENT_TYPE_UINT16_KHR: return "u16";
    case VK_COMPONENT_TYPE_UINT32_KHR: return "u32";
    case VK_COMPONENT_TYPE_UINT64_KHR: return "u64";
    case 1000141000: return "bf16";  // VK_COMPONENT_TYPE_BFLOAT16_KHR, of headers after 1.4.309
    default: return nullptr;
  }
}

std::vector<MatrixShape> read_matrix_shapes(const InstanceFunctions& functions, VkPhysicalDevice device) {
  std::vector<MatrixShape> shapes;
  const auto get = functions.vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR;
  uint32_t count = 0;
  if (get == nullptr || get(device, &count, nullptr) != VK_SUCCESS) return shapes;
  std::vector<VkCooperativeMatrixPropertiesKHR> properties(
      count, structure<VkCooperativeMatrixPropertiesKHR>(VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_PROPERTIES_KHR));
  if (get(device, &count, properties.data()) < 0) return shapes;
  properties.resize(std::min<size_t>(count, properties.size()));
  for (const auto& p : properties) {
    const char *a = component_name(p.AType), *b = component_name(p.BType), *c = component_name(p.CType),
               *result = component_name(p.ResultType);
    if (p.scope != VK_SCOPE_SUBGROUP_KHR || p.saturatingAccumulation || !a || !b || !c || !result) continue;
    shapes.push_back({p.MSize, p.NSize, p.KSize, a, b, c, result});
  }
  return shapes;
}

int64_t reported_compute_units(const Properties& p) {
  if (p.nvidia_cores.shaderSMCount != 0) return p.nvidia_cores.shaderSMCount;
  if (p.arm_cores.shaderCoreCount != 0) return p.arm_cores.shaderCoreCount;
  return int64_t{p.amd_cores.shaderEngineCount} * p.amd_cores.shaderArraysPerEngineCount *
         p.amd_cores.computeUnitsPerShaderArray;
}

}  // namespace

DeviceInfo read_device_info(const InstanceFunctions& functions, VkPhysicalDevice device, const Features& features,
                            const VkPhysicalDeviceMemoryProperties& memory, uint32_t timestamp_valid_bits) {
  const Properties p = read_properties(functions, device, features);
  const VkPhysicalDeviceProperties& base = p.head.properties;
  const VkPhysicalDeviceLimits& limits = base.limits;
  DeviceInfo info;

  info.name = base.deviceName;
  info.kind = kind_of(base.deviceType);
  info.vendor_id = base.vendorID;
  info.device_id = base.deviceID;
  info.driver_name = p.driver.driverName;
  info.driver_version = p.driver.driverInfo[0] != 0 ? p.driver.driverInfo : version_text(base.vendorID, base.driverVersion);
  info.uuid = hex(base.pipelineCacheUUID);
  info.device_uuid = hex(p.id.deviceUUID);
  info.api_version_major = VK_API_VERSION_MAJOR(base.apiVersion);
  info.api_version_minor = VK_API_VERSION_MINOR(base.apiVersion);
  info.compute_units = reported_compute_units(p);

  info.max_storage_buffer_bytes = limits.maxStorageBufferRange;
  info.max_uniform_buffer_bytes = limits.maxUniformBufferRange;
  info.max_push_constant_bytes = limits.maxPushConstantsSize;
  info.max_allocation_bytes = clamped(p.maintenance3.maxMemoryAllocationSize);
  // Before maintenance4 a buffer's size is bounded by nothing but its memory.
  info.max_buffer_bytes = p.maintenance4.maxBufferSize != 0 ? clamped(p.maintenance4.maxBufferSize) : info.max_allocation_bytes;
  info.max_storage_buffers = std::min(
      {limits.maxPerStageDescriptorStorageBuffers, limits.maxDescriptorSetStorageBuffers, limits.maxPerStageResources});
  // Texel buffers are counted as sampled images. They have what storage buffers leave of a stage's resources, or half of
  // them where a driver bounds only the sum; one more is the parameter block.
  const int64_t resources = limits.maxPerStageResources;
  info.max_texel_buffers =
      std::clamp<int64_t>(resources - 1 - std::min(info.max_storage_buffers, resources / 2), 0,
                          std::min(limits.maxPerStageDescriptorSampledImages, limits.maxDescriptorSetSampledImages));
  info.max_texel_buffer_elements = limits.maxTexelBufferElements;
  info.max_shared_bytes = limits.maxComputeSharedMemorySize;
  info.max_workgroup_invocations = limits.maxComputeWorkGroupInvocations;
  for (int axis = 0; axis < 3; ++axis) {
    info.max_workgroup_size[axis] = limits.maxComputeWorkGroupSize[axis];
    info.max_workgroup_count[axis] = limits.maxComputeWorkGroupCount[axis];
  }
  info.storage_offset_alignment = clamped(std::max<uint64_t>(limits.minStorageBufferOffsetAlignment, 4));
  info.uniform_offset_alignment = clamped(std::max<uint64_t>(limits.minUniformBufferOffsetAlignment, 4));
  info.texel_offset_alignment = clamped(std::max<uint64_t>(limits.minTexelBufferOffsetAlignment, 4));
  info.non_coherent_atom_bytes = clamped(std::max<uint64_t>(limits.nonCoherentAtomSize, 1));
  info.device_memory_bytes = clamped(largest_device_heap_bytes(memory));
  info.timestamp_period_ns = timestamp_valid_bits != 0 ? limits.timestampPeriod : 0;

  info.subgroup_size = std::max<uint32_t>(p.subgroup.subgroupSize, 1);
  info.min_subgroup_size = info.max_subgroup_size = info.subgroup_size;
  if (p.subgroup_size.minSubgroupSize != 0) {
    info.min_subgroup_size = p.subgroup_size.minSubgroupSize;
    info.max_subgroup_size = p.subgroup_size.maxSubgroupSize;
  }
  info.subgroup_size_control =
      features.subgroup_size.subgroupSizeControl && (p.subgroup_size.requiredSubgroupSizeStages & VK_SHADER_STAGE_COMPUTE_BIT);
  if (p.subgroup.supportedStages & VK_SHADER_STAGE_COMPUTE_BIT) {
    info.subgroup_arithmetic = p.subgroup.supportedOperations & VK_SUBGROUP_FEATURE_ARITHMETIC_BIT;
    info.subgroup_ballot = p.subgroup.supportedOperations & VK_SUBGROUP_FEATURE_BALLOT_BIT;
    info.subgroup_shuffle = p.subgroup.supportedOperations & VK_SUBGROUP_FEATURE_SHUFFLE_BIT;
  }

  info.unified_memory = has_unified_memory(memory, base.deviceType);
  info.float16 = features.float16_int8.shaderFloat16;
  info.float64 = features.core.shaderFloat64;
  info.int8 = features.float16_int8.shaderInt8;
  info.int16 = features.core.shaderInt16;
  info.int64 = features.core.shaderInt64;
  info.storage8 = features.storage8.storageBuffer8BitAccess;
  info.storage16 = features.storage16.storageBuffer16BitAccess;
  info.integer_dot_product = features.integer_dot.shaderIntegerDotProduct &&
                             p.integer_dot.integerDotProduct4x8BitPackedSignedAccelerated &&
                             p.integer_dot.integerDotProduct4x8BitPackedUnsignedAccelerated;
  info.integer_dot_product_mixed =
      info.integer_dot_product && p.integer_dot.integerDotProduct4x8BitPackedMixedSignednessAccelerated;
  info.denorm_flush_f32 = p.float_controls.shaderDenormFlushToZeroFloat32;
  info.denorm_preserve_f32 = p.float_controls.shaderDenormPreserveFloat32;
  info.rounding_rte_f32 = p.float_controls.shaderRoundingModeRTEFloat32;
  info.signed_zero_inf_nan_f32 = p.float_controls.shaderSignedZeroInfNanPreserveFloat32;
  // A mode of f16 may have to be that of f64, too, or of every width, which f32 is not to be tied to.
  const auto independence = p.float_controls.denormBehaviorIndependence;
  info.denorm_preserve_f64 = p.float_controls.shaderDenormPreserveFloat64;
  info.denorm_preserve_f16 = p.float_controls.shaderDenormPreserveFloat16 &&
                             (independence == VK_SHADER_FLOAT_CONTROLS_INDEPENDENCE_ALL ||
                              (independence == VK_SHADER_FLOAT_CONTROLS_INDEPENDENCE_32_BIT_ONLY && info.denorm_preserve_f64));
  info.pipeline_executable_properties = features.executable.pipelineExecutableInfo;
  if (features.matrix.cooperativeMatrix && features.memory_model.vulkanMemoryModel &&
      !has_quirk(info, Quirk::amd_matrix_query_crashes))
    info.matrix_shapes = read_matrix_shapes(functions, device);

  apply_quirks(info);
  info.rates = default_rates(info);
  return info;
}

}  // namespace tuff::vulkan
