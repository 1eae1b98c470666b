// A graph on a device, for tests: every stage from layout on, one session, one run; and runs with state where it can have any
// in place.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "graph/graph.h"
#include "reference/tensor.h"

namespace tuff {

// Dot products of bytes as on which device: this one, one that has none, or that has them fast for operands of the same
// signedness, or of any. The drivers that tests run on have the instructions, and call none of them fast.
enum class ByteDots { kOfDevice, kNone, kSame, kMixed };

struct RunMode {
  bool exact = false;
  bool fuse = true;
  std::optional<DeviceRates> rates = {};  // instead of the device's own: schedules that are other devices'
  ByteDots byte_dots = ByteDots::kOfDevice;
  int64_t parts = 0;      // workgroups that share the sums of each product that has a schedule for it; 0: as is predicted
  bool winograd = false;  // convolutions are in that form, whether it pays or not: each may be, and the lanes exchange loads
};

struct RunResult {
  std::vector<Tensor> outputs;
  size_t dispatch_count = 0;
  std::vector<ValueId> winograd;  // results of convolutions in Winograd's form
  uint64_t counter_bytes = 0;     // of kernels whose workgroups share results; then runs have been repeated, too
  size_t in_place_count = 0;      // outputs that could be written over inputs; then state in place has been checked, too
  size_t refused_count = 0;       // schedules that RunMode::parts asks for and kernels do not have
  std::string sources;            // of all kernels, for a failing test's message
};

// The device that tests run on: the first one of the loader's list.
Result<std::shared_ptr<Device>> test_device();
// Of the kernels that would run, skeleton and schedule as texts.
Result<std::vector<std::string>> kernel_schedules(const Graph& graph, const std::shared_ptr<Device>& device,
                                                  const RunMode& mode);
Result<RunResult> run_graph(const Graph& graph, const std::shared_ptr<Device>& device, const RunMode& mode,
                            const std::vector<Tensor>& inputs, const std::map<std::string, int64_t>& symbols);

}  // namespace tuff
