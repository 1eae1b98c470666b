// Groups to kernels. In: one fusion group. Out: one or more guarded kernels, the last of which always applies.
//
// One file an anchor (map.cpp, row_reduce.cpp, contract.cpp, window.cpp, attend.cpp): each chooses a schedule from DeviceInfo,
// the shapes and what was observed, fills the slots of its skeleton and states grid, bytes and arithmetic.
#pragma once

#include <vector>

#include "device/device_info.h"
#include "device/observations.h"
#include "fusion/fusion.h"
#include "kernel/emit.h"
#include "kernel/kernel.h"

namespace tuff {

struct GuardedKernel {
  Guard guard;
  Kernel kernel;
};

struct KernelRequest {
  const Graph& graph;
  const Layouts& layouts;
  const Fusion& fusion;
  const Group& group;
  const DeviceInfo& device;
  bool exact = false;
  const Observations* observations = nullptr;  // null: nothing was observed
};

Result<std::vector<GuardedKernel>> make_kernels(const KernelRequest& request);

// For each kernel that sums products of i32, whether it multiplies bytes four at a time or why not, a line each under a title;
// empty where there is no such kernel.
Result<std::string> explain_integer_products(const Graph& graph, const Layouts& layouts, const Fusion& fusion,
                                             const DeviceInfo& device);

// For each product with fewer tiles of results than keep the device busy, whether workgroups share its sums, or why not, in the
// same form; as is predicted, whatever was observed.
Result<std::string> explain_shared_sums(const Graph& graph, const Layouts& layouts, const Fusion& fusion,
                                        const DeviceInfo& device, bool exact);
// For each convolution of few channels, whether its tiles are rows of an image or why not, likewise.
Result<std::string> explain_first_layers(const Graph& graph, const Layouts& layouts, const Fusion& fusion,
                                         const DeviceInfo& device, bool exact);

}  // namespace tuff
