// A graph on the device against the reference. In: a case and the modes to run it in. Out: agreement, or the first mode
// and element that differ.
//
// Exact mode and integers must have the reference's bits; fast mode's floats lie within error_bound.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kernels/random_graph.h"
#include "kernels/run_graph.h"

namespace tuff {

struct Verdict {
  enum class Kind { kAgrees, kRefused, kDiffers } kind = Kind::kAgrees;
  RunMode mode;
  std::string what;            // kRefused: the device cannot (UNSUPPORTED) or the case is none; kDiffers: where and by how much
  std::string sources;         // kDiffers: the kernels
  size_t in_place_count = 0;   // RunResult's, of all modes
  uint64_t counter_bytes = 0;  // the same
  size_t refused_count = 0;    // the same
};

inline const std::vector<RunMode> kAllModes = {{false, true}, {true, true}, {false, false}, {true, false}};

Verdict check_graph(const GraphCase& c, const std::shared_ptr<Device>& device, const std::vector<RunMode>& modes = kAllModes);
Verdict check_graph(const GraphCase& c, const std::vector<Tensor>& inputs, const std::shared_ptr<Device>& device,
                    const std::vector<RunMode>& modes = kAllModes);
std::string mode_text(const RunMode& mode);  // "exact fused"

// A case as a text that a golden keeps: a line of sizes and seeds, then the graph.
std::string print(const GraphCase& c, const std::string& why);
Result<GraphCase> parse_case(const std::string& text, const std::string& source_name);

}  // namespace tuff
