// Storage formats: where the elements of a value lie in its buffer. In: graph and device. Out: an axis order a value.
//
// Invariant: a format never changes what a value means, only addresses; kernels read any format through strides, so a
// poor choice costs time and never correctness. Graph inputs and outputs are row-major: hosts see those.
#pragma once

#include <vector>

#include "device/device_info.h"
#include "graph/graph.h"

namespace tuff {

struct StorageFormat {
  std::vector<int> order;  // logical axes, outermost first
};

struct Layouts {
  std::vector<StorageFormat> formats;  // by ValueId
  const StorageFormat& of(ValueId value) const { return formats[value.value]; }
};

// Device bytes of one element: dtypes below 32 bits are widened to a word (bool and small integers to i32 or u32, f16
// and bf16 to f32 values that are rounded to them), so that every device can store them.
int64_t storage_element_bytes(Dtype dtype);

// Elements between neighbours along each logical axis, densely packed.
Dims storage_strides(const Dims& shape, const StorageFormat& format);
std::vector<int> row_major_order(size_t rank);

Layouts choose_layouts(const Graph& graph, const DeviceInfo& device);
std::string print(const Layouts& layouts, const Graph& graph);

}  // namespace tuff
