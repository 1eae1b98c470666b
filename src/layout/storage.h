// Storage formats: where the elements of a value lie in its buffer. In: graph and device. Out: an axis order a value.
//
// Invariant: a format never changes what a value means, only addresses; kernels read any format through strides, so a
// poor choice costs time and never correctness. Elements have the size of their dtype in a host's memory, and several of them
// share a word below 32 bits. Graph inputs and outputs are row-major: hosts see those.
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

// Elements between neighbours along each logical axis, densely packed.
Dims storage_strides(const Dims& shape, const StorageFormat& format);
std::vector<int> row_major_order(size_t rank);

Layouts choose_layouts(const Graph& graph, const DeviceInfo& device);
std::string print(const Layouts& layouts, const Graph& graph);

}  // namespace tuff
