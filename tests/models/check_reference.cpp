// Imports each operator model, runs the reference on its inputs, as imported and simplified, and compares with what
// onnxruntime computed. This holds the importer's decompositions, simplify and the reference against a third party.
//
// check_reference FOLDER [NAME...]: FOLDER as make_operator_models.py writes it. Exit status 1 if a case fails; a case that
// the importer refuses must be in kRefused, with the reason that it gives.
#include <cmath>
#include <cstdio>
#include <fstream>
#include <optional>
#include <sstream>

#include "model/model.h"
#include "npz.h"
#include "reference/reference.h"
#include "simplify/simplify.h"

namespace tuff::test {
namespace {

struct Case {
  std::string name;
  bool exact = false;
  int input_sets = 1;
};

// What Tuff does not import, and a part of the reason.
struct Refused {
  std::string_view name, reason;
};
constexpr Refused kRefused[] = {
    {"maxpool_indices", "its output 'v0_1' is not supported"},
    {"constantofshape_float32", "its shape ('shape') is computed from data"},
    {"constantofshape_int64", "its shape ('shape') is computed from data"},
    {"constantofshape_bool", "its shape ('shape') is computed from data"},
    {"range_int64", "its start ('x') is computed from data"},
    {"range_down", "its start ('x') is computed from data"},
    {"range_float", "its start ('x') must be a constant"},
    {"range_none", "its start ('x') is computed from data"},
};

Result<std::vector<Case>> read_index(const std::string& folder) {
  std::ifstream file(folder + "/index.tsv");
  if (!file) return io_error("There is no index.tsv in '" + folder + "'.");
  std::vector<Case> cases;
  for (std::string line; std::getline(file, line);) {
    std::istringstream fields(line);
    Case c;
    std::string opset, exactness;
    if (fields >> c.name >> opset >> exactness >> c.input_sets) {
      c.exact = exactness == "exact";
      cases.push_back(c);
    }
  }
  return cases;
}

// Sizes of the symbols, from the inputs that show them.
std::map<std::string, int64_t> symbols_of(const Graph& graph, const std::vector<Tensor>& inputs) {
  std::map<std::string, int64_t> sizes;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Dims& dims = graph.value(graph.inputs[i]).shape;
    for (size_t axis = 0; axis < dims.size() && axis < inputs[i].shape.size(); ++axis)
      if (!dims[axis].is_constant()) sizes.emplace(dims[axis].text(), inputs[i].shape[axis]);
  }
  return sizes;
}

// Rounding in sums and functions, relative to the largest expected magnitude. f16 rounds each value to 2^-11.
double tolerance(Dtype dtype, double largest) {
  switch (dtype) {
    case Dtype::kF16: return 0x1p-9 * largest;
    case Dtype::kBf16: return 0x1p-6 * largest;
    case Dtype::kF64:
    case Dtype::kF32: return 0x1p-17 * largest;
    default: return 0;
  }
}

// nullopt where they agree.
std::optional<std::string> difference(const Tensor& expected, const Tensor& actual, bool exact) {
  if (expected.dtype != actual.dtype)
    return "is " + std::string(dtype_name(actual.dtype)) + ", not " + std::string(dtype_name(expected.dtype));
  if (expected.shape != actual.shape) return "has another shape";
  double largest = 0;
  for (int64_t i = 0; i < expected.element_count(); ++i)
    if (std::isfinite(expected.at(i))) largest = std::max(largest, std::fabs(expected.at(i)));
  double allowed = exact ? 0 : tolerance(expected.dtype, largest);
  for (int64_t i = 0; i < expected.element_count(); ++i) {
    double e = expected.at(i), a = actual.at(i);
    bool same = std::isnan(e) ? std::isnan(a) : e == a || std::fabs(e - a) <= allowed;
    if (same) continue;
    char text[160];
    std::snprintf(text, sizeof text, "element %lld is %.9g, not %.9g (allowed %.3g)", static_cast<long long>(i), a, e, allowed);
    return text;
  }
  return std::nullopt;
}

Result<std::string> compare_run(const Graph& graph, const std::map<std::string, Tensor>& arrays, bool exact) {
  std::vector<Tensor> inputs;
  for (ValueId id : graph.inputs) {
    auto found = arrays.find("in:" + graph.value(id).name);
    if (found == arrays.end()) return invalid_argument("There is no input '" + graph.value(id).name + "'.");
    inputs.push_back(found->second);
  }
  TUFF_ASSIGN(std::vector<Tensor> outputs, evaluate(graph, inputs, symbols_of(graph, inputs)));
  for (size_t i = 0; i < outputs.size(); ++i) {
    auto found = arrays.find("out:" + graph.output_names[i]);
    if (found == arrays.end()) return invalid_argument("There is no output '" + graph.output_names[i] + "'.");
    if (auto wrong = difference(found->second, outputs[i], exact)) return graph.output_names[i] + " " + *wrong;
  }
  return std::string();
}

// "" where all is well.
Result<std::string> check(const std::string& folder, const Case& c) {
  TUFF_ASSIGN(Graph graph, load_model_file(folder + "/" + c.name + ".onnx"));
  TUFF_TRY(verify(graph));
  SimplifyOptions options;
  options.exact = true;
  options.evaluate_constants = evaluate_closed;
  TUFF_ASSIGN(Graph simplified, simplify(graph, options));
  for (int set = 0; set < c.input_sets; ++set) {
    TUFF_ASSIGN(auto arrays, read_npz(folder + "/" + c.name + (set ? "." + std::to_string(set) : "") + ".npz"));
    for (const Graph* g : {&graph, &simplified}) {
      TUFF_ASSIGN(std::string wrong, compare_run(*g, arrays, c.exact));
      if (!wrong.empty()) return (g == &graph ? "" : "simplified, ") + ("input set " + std::to_string(set) + ": " + wrong);
    }
  }
  return std::string();
}

int run(const std::string& folder, const std::vector<std::string>& only) {
  auto cases = read_index(folder);
  if (!cases.ok()) {
    std::fprintf(stderr, "%s\n", cases.status().message().c_str());
    return 2;
  }
  int passed = 0, refused = 0, failed = 0;
  for (const Case& c : *cases) {
    if (!only.empty() && std::find(only.begin(), only.end(), c.name) == only.end()) continue;
    auto wrong = check(folder, c);
    std::string message = wrong.ok() ? *wrong : std::string(code_name(wrong.status().code())) + ": " + wrong.status().message();
    const Refused* expected = nullptr;
    for (const Refused& r : kRefused)
      if (r.name == c.name) expected = &r;
    if (expected && wrong.status().code() == Code::kUnsupported && message.find(expected->reason) != std::string::npos) {
      ++refused;
    } else if (message.empty() && !expected) {
      ++passed;
    } else {
      ++failed;
      std::printf("%s: %s\n", c.name.c_str(), message.empty() ? "should have been refused" : message.c_str());
    }
  }
  std::printf("%d passed, %d refused as expected, %d failed\n", passed, refused, failed);
  return failed > 0 || passed == 0;
}

}  // namespace
}  // namespace tuff::test

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: check_reference FOLDER [NAME...]\n");
    return 2;
  }
  return tuff::test::run(argv[1], {argv + 2, argv + argc});
}
