// The fields of DeviceInfo and DeviceRates by name, in the order of their text. Printing, parsing and hashing visit this
// one list, so that a field added to it is in all three.
#pragma once

#include <limits>

#include "device/device_info.h"

namespace tuff {

inline constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

// visit.integer(name, field, least, most)  visit.boolean(name, field)
template <class Rates, class Visitor>
void visit_rates(Rates& rates, Visitor& visit) {
  constexpr int64_t kLargest = int64_t{1} << 40;  // sums and products of rates stay inside 64 bits
  visit.integer("compute_units", rates.compute_units, 1, kLargest);
  visit.integer("dram_bytes_per_us", rates.dram_bytes_per_us, 1, kLargest);
  visit.integer("cache_bytes_per_us", rates.cache_bytes_per_us, 1, kLargest);
  visit.integer("cache_bytes", rates.cache_bytes, 0, kLargest);
  visit.integer("fma_per_us", rates.fma_per_us, 1, kLargest);
  visit.integer("matrix_fma_per_us", rates.matrix_fma_per_us, 0, kLargest);
  visit.integer("launch_ns", rates.launch_ns, 0, kLargest);
  visit.integer("registers_per_lane", rates.registers_per_lane, 1, kLargest);
  visit.boolean("loads_cost_lanes", rates.loads_cost_lanes);
  visit.boolean("texel_loads", rates.texel_loads);
  visit.boolean("shared_memory_on_chip", rates.shared_memory_on_chip);
}

// visit also has text(name, field), kind(name, field), real(name, field, least),
// triple(name, field, least), alignment(name, field), matrices(name, field); rates are not among these fields.
template <class Info, class Visitor>
void visit_fields(Info& info, Visitor& visit) {
  visit.text("name", info.name);
  visit.kind("kind", info.kind);
  visit.integer("vendor_id", info.vendor_id, 0, UINT32_MAX);
  visit.integer("device_id", info.device_id, 0, UINT32_MAX);
  visit.text("driver_name", info.driver_name);
  visit.text("driver_version", info.driver_version);
  visit.text("uuid", info.uuid);
  visit.text("device_uuid", info.device_uuid);
  visit.integer("api_version_major", info.api_version_major, 1, 1000);
  visit.integer("api_version_minor", info.api_version_minor, 0, 1000);

  visit.integer("max_storage_buffer_bytes", info.max_storage_buffer_bytes, 1, kMost);
  visit.integer("max_uniform_buffer_bytes", info.max_uniform_buffer_bytes, 1, kMost);
  visit.integer("max_push_constant_bytes", info.max_push_constant_bytes, 0, kMost);
  visit.integer("max_buffer_bytes", info.max_buffer_bytes, 1, kMost);
  visit.integer("max_allocation_bytes", info.max_allocation_bytes, 1, kMost);
  visit.integer("max_storage_buffers", info.max_storage_buffers, 1, kMost);
  visit.integer("max_texel_buffers", info.max_texel_buffers, 0, kMost);
  visit.integer("max_texel_buffer_elements", info.max_texel_buffer_elements, 0, kMost);
  visit.integer("max_shared_bytes", info.max_shared_bytes, 0, kMost);
  visit.integer("max_workgroup_invocations", info.max_workgroup_invocations, 1, kMost);
  visit.triple("max_workgroup_size", info.max_workgroup_size, 1);
  visit.triple("max_workgroup_count", info.max_workgroup_count, 1);
  visit.alignment("storage_offset_alignment", info.storage_offset_alignment);
  visit.alignment("uniform_offset_alignment", info.uniform_offset_alignment);
  visit.alignment("texel_offset_alignment", info.texel_offset_alignment);
  visit.alignment("non_coherent_atom_bytes", info.non_coherent_atom_bytes);
  visit.integer("device_memory_bytes", info.device_memory_bytes, 0, kMost);
  visit.real("timestamp_period_ns", info.timestamp_period_ns, 0);
  visit.integer("compute_units", info.compute_units, 0, int64_t{1} << 20);

  visit.alignment("subgroup_size", info.subgroup_size);
  visit.alignment("min_subgroup_size", info.min_subgroup_size);
  visit.alignment("max_subgroup_size", info.max_subgroup_size);
  visit.boolean("subgroup_size_control", info.subgroup_size_control);
  visit.boolean("subgroup_arithmetic", info.subgroup_arithmetic);
  visit.boolean("subgroup_ballot", info.subgroup_ballot);
  visit.boolean("subgroup_shuffle", info.subgroup_shuffle);

  visit.integer("max_loop_rounds", info.max_loop_rounds, 0, kMost);

  visit.boolean("unified_memory", info.unified_memory);
  visit.boolean("float16", info.float16);
  visit.boolean("float64", info.float64);
  visit.boolean("int8", info.int8);
  visit.boolean("int16", info.int16);
  visit.boolean("int64", info.int64);
  visit.boolean("storage8", info.storage8);
  visit.boolean("storage16", info.storage16);
  visit.boolean("integer_dot_product", info.integer_dot_product);
  visit.boolean("integer_dot_product_mixed", info.integer_dot_product_mixed);
  visit.boolean("denorm_flush_f32", info.denorm_flush_f32);
  visit.boolean("denorm_preserve_f32", info.denorm_preserve_f32);
  visit.boolean("rounding_rte_f32", info.rounding_rte_f32);
  visit.boolean("signed_zero_inf_nan_f32", info.signed_zero_inf_nan_f32);
  visit.boolean("denorm_preserve_f16", info.denorm_preserve_f16);
  visit.boolean("denorm_preserve_f64", info.denorm_preserve_f64);
  visit.boolean("pipeline_executable_properties", info.pipeline_executable_properties);
  visit.matrices("matrix", info.matrix_shapes);
}

}  // namespace tuff
