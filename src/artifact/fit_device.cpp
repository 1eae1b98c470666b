// Which devices a plan fits. In: the device that a plan was made for, and one that it should run on. Out: whether their
// facts are the same, or what the one lacks that the other has.
//
// Offsets and grids are bound for the device that runs; what a plan takes for granted are the limits and features below.
#include "artifact/artifact.h"

namespace tuff {

DeviceInfo fallback_device() {
  DeviceInfo info;  // its defaults are Vulkan's guarantees
  info.name = "any Vulkan 1.1 device";
  info.rates = default_rates(info);
  return info;
}

Hash facts_hash(const DeviceInfo& device) {
  DeviceInfo facts = device;
  const DeviceInfo unnamed;
  facts.name = facts.driver_name = facts.driver_version = facts.uuid = facts.device_uuid = "";
  facts.kind = unnamed.kind;  // rates hold what follows from it
  facts.vendor_id = facts.device_id = 0;
  facts.api_version_major = unnamed.api_version_major;
  facts.api_version_minor = unnamed.api_version_minor;
  facts.device_memory_bytes = 0;
  facts.timestamp_period_ns = 0;
  facts.compute_units = 0;  // in the rates, too
  facts.unified_memory = facts.pipeline_executable_properties = false;
  return hash(facts);
}

namespace {

struct Limit {
  const char* name;
  int64_t has, needs;
};
struct Feature {
  const char* name;
  bool has, needs;
};

}  // namespace

std::string missing_on(const DeviceInfo& device, const DeviceInfo& made_for) {
  const Limit limits[] = {
      {"max_storage_buffers", device.max_storage_buffers, made_for.max_storage_buffers},
      {"max_uniform_buffer_bytes", device.max_uniform_buffer_bytes, made_for.max_uniform_buffer_bytes},
      {"max_shared_bytes", device.max_shared_bytes, made_for.max_shared_bytes},
      {"max_workgroup_invocations", device.max_workgroup_invocations, made_for.max_workgroup_invocations},
      {"max_workgroup_size of axis 0", device.max_workgroup_size[0], made_for.max_workgroup_size[0]},
      {"max_workgroup_size of axis 1", device.max_workgroup_size[1], made_for.max_workgroup_size[1]},
      {"max_workgroup_size of axis 2", device.max_workgroup_size[2], made_for.max_workgroup_size[2]},
      {"max_workgroup_count of axis 0", device.max_workgroup_count[0], made_for.max_workgroup_count[0]},
      {"max_workgroup_count of axis 1", device.max_workgroup_count[1], made_for.max_workgroup_count[1]},
      {"max_workgroup_count of axis 2", device.max_workgroup_count[2], made_for.max_workgroup_count[2]},
      {"usable texel buffers", usable_texel_buffers(device), usable_texel_buffers(made_for)},
  };
  for (const Limit& limit : limits)
    if (limit.has < limit.needs)
      return "its " + std::string(limit.name) + " is " + std::to_string(limit.has) + ", the plan counts on " +
             std::to_string(limit.needs);
  const Feature features[] = {
      {"float16", device.float16, made_for.float16},
      {"float64", device.float64, made_for.float64},
      {"int8", device.int8, made_for.int8},
      {"int16", device.int16, made_for.int16},
      {"int64", device.int64, made_for.int64},
      {"storage8", device.storage8, made_for.storage8},
      {"storage16", device.storage16, made_for.storage16},
      {"integer_dot_product", device.integer_dot_product, made_for.integer_dot_product},
      {"integer_dot_product_mixed", device.integer_dot_product_mixed, made_for.integer_dot_product_mixed},
      {"subgroup_arithmetic", device.subgroup_arithmetic, made_for.subgroup_arithmetic},
      {"subgroup_ballot", device.subgroup_ballot, made_for.subgroup_ballot},
      {"subgroup_shuffle", device.subgroup_shuffle, made_for.subgroup_shuffle},
      {"denorm_flush_f32", device.denorm_flush_f32, made_for.denorm_flush_f32},
      {"denorm_preserve_f32", device.denorm_preserve_f32, made_for.denorm_preserve_f32},
      {"rounding_rte_f32", device.rounding_rte_f32, made_for.rounding_rte_f32},
      {"signed_zero_inf_nan_f32", device.signed_zero_inf_nan_f32, made_for.signed_zero_inf_nan_f32},
      {"denorm_preserve_f16", device.denorm_preserve_f16, made_for.denorm_preserve_f16},
      {"denorm_preserve_f64", device.denorm_preserve_f64, made_for.denorm_preserve_f64},
      {"denormal halves", keeps_denormal_halves(device), keeps_denormal_halves(made_for)},
  };
  for (const Feature& feature : features)
    if (feature.needs && !feature.has) return "it has no " + std::string(feature.name);
  // A kernel that moves values across lanes is made for one width.
  if (made_for.subgroup_ballot &&
      (device.subgroup_size != made_for.subgroup_size || device.min_subgroup_size != made_for.min_subgroup_size ||
       device.max_subgroup_size != made_for.max_subgroup_size))
    return "its subgroups have " + std::to_string(device.subgroup_size) + " lanes, the plan counts on " +
           std::to_string(made_for.subgroup_size);
  return {};
}

}  // namespace tuff
