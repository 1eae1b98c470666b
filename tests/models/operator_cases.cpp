#include "operator_cases.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>

#include "npz.h"

namespace tuff::test {
namespace {

// What Tuff does not import, and a part of the reason.
struct Refused {
  std::string_view name;
  const char* reason;
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

// What ".size" says, where onnxruntime has a shape.
Tensor size_tensor(int64_t size) {
  const auto count = static_cast<int32_t>(size);
  Tensor t{Dtype::kI32, {}, std::vector<std::byte>(sizeof count)};
  std::memcpy(t.bytes.data(), &count, sizeof count);
  return t;
}

}  // namespace

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

std::string model_path(const std::string& folder, const Case& c) { return folder + "/" + c.name + ".onnx"; }

Result<InputSet> read_input_set(const std::string& folder, const Case& c, int set, const Graph& graph) {
  TUFF_ASSIGN(auto arrays, read_npz(folder + "/" + c.name + (set ? "." + std::to_string(set) : "") + ".npz"));
  InputSet out;
  for (ValueId id : graph.inputs) {
    auto found = arrays.find("in:" + graph.value(id).name);
    if (found == arrays.end()) return invalid_argument("There is no input '" + graph.value(id).name + "'.");
    out.inputs.push_back(found->second);
  }
  for (size_t i = 0; i < graph.outputs.size(); ++i) {
    const std::string& name = graph.output_names[i];
    auto says = std::find_if(graph.data_sizes.begin(), graph.data_sizes.end(), [&](const DataSize& s) { return s.count == i; });
    if (says != graph.data_sizes.end()) {
      out.expected.push_back(size_tensor(out.expected[says->output].shape[static_cast<size_t>(says->axis)]));
      continue;
    }
    auto found = arrays.find("out:" + name);
    if (found == arrays.end()) return invalid_argument("There is no output '" + name + "'.");
    out.expected.push_back(found->second);
  }
  out.symbols = symbols_of(graph, out.inputs);
  return out;
}

std::vector<Tensor> cut_to_size(const Graph& graph, std::vector<Tensor> outputs) {
  for (const DataSize& size : graph.data_sizes) {
    Tensor& all = outputs[size.output];
    const auto axis = static_cast<size_t>(size.axis);
    const size_t element = static_cast<size_t>(dtype_size_bytes(all.dtype));
    size_t inner = element, outer = 1;
    for (size_t i = 0; i < all.shape.size(); ++i)
      (i < axis ? outer : inner) *= i == axis ? 1 : static_cast<size_t>(all.shape[i]);
    const size_t had = static_cast<size_t>(all.shape[axis]), has = static_cast<size_t>(outputs[size.count].at(0));
    Tensor cut{all.dtype, all.shape, {}};
    cut.shape[axis] = static_cast<int64_t>(has);
    for (size_t row = 0; row < outer; ++row) {
      const auto first = all.bytes.begin() + static_cast<ptrdiff_t>(row * had * inner);
      cut.bytes.insert(cut.bytes.end(), first, first + static_cast<ptrdiff_t>(has * inner));
    }
    all = std::move(cut);
  }
  return outputs;
}

const char* import_refusal(std::string_view name) {
  for (const Refused& r : kRefused)
    if (r.name == name) return r.reason;
  return nullptr;
}

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

}  // namespace tuff::test
