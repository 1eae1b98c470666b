// The operator models with their inputs and what onnxruntime computed from them, as make_operator_models.py writes them.
// check_reference runs them on the reference, check_devices on a device.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"
#include "reference/tensor.h"

namespace tuff::test {

struct Case {
  std::string name;
  bool exact = false;
  int input_sets = 1;
};

Result<std::vector<Case>> read_index(const std::string& folder);
std::string model_path(const std::string& folder, const Case& c);

// Inputs and expected outputs of one input set, in the graph's order.
struct InputSet {
  std::vector<Tensor> inputs, expected;
  std::map<std::string, int64_t> symbols;
};
Result<InputSet> read_input_set(const std::string& folder, const Case& c, int set, const Graph& graph);

// Outputs as evaluate() gives them, without what lies beyond the sizes that the data decide.
std::vector<Tensor> cut_to_size(const Graph& graph, std::vector<Tensor> outputs);

// A part of the reason for which the importer refuses the case; null where it does not.
const char* import_refusal(std::string_view name);

// nullopt where they agree: by case.exact to the bit, else to what rounding does in sums and functions.
std::optional<std::string> difference(const Tensor& expected, const Tensor& actual, bool exact);

}  // namespace tuff::test
