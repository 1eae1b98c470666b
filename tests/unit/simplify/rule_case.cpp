#include "rule_case.h"

#include <cctype>
#include <cstring>
#include <random>

#include "graph/builder.h"

namespace tuff {

std::string renumbered(const std::string& text) {
  std::map<std::string, std::string> numbers;
  std::string out;
  for (size_t i = 0; i < text.size();) {
    size_t end = i + 1;
    if (text[i] == '%')
      while (end < text.size() && std::isdigit(static_cast<unsigned char>(text[end]))) ++end;
    std::string piece = text.substr(i, end - i);
    out += text[i] == '%' ? numbers.try_emplace(piece, "%" + std::to_string(numbers.size())).first->second : piece;
    i = end;
  }
  return out;
}

std::vector<Tensor> random_inputs(const Graph& graph, const std::map<std::string, int64_t>& symbols, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<Tensor> inputs;
  for (ValueId in : graph.inputs) {
    const Value& value = graph.value(in);
    Tensor tensor;
    tensor.dtype = value.dtype;
    for (const IntExpr& d : value.shape) {
      auto size = d.evaluate([&](std::string_view name) { return std::optional(symbols.at(std::string(name))); });
      REQUIRE(size);
      tensor.shape.push_back(*size);
    }
    size_t width = static_cast<size_t>(dtype_size_bytes(value.dtype));
    tensor.bytes.resize(static_cast<size_t>(tensor.element_count()) * width);
    for (size_t at = 0; at < tensor.bytes.size(); at += width) {
      double unit = static_cast<double>(random() >> 11) * 0x1p-53;
      double number = is_float(value.dtype)         ? 2 * unit - 1
                      : value.dtype == Dtype::kBool ? std::floor(2 * unit)
                                                    : std::floor(9 * unit) - (is_signed_integer(value.dtype) ? 4 : 0);
      uint64_t bits = scalar_bits(value.dtype, number);
      std::memcpy(tensor.bytes.data() + at, &bits, width);
    }
    inputs.push_back(std::move(tensor));
  }
  return inputs;
}

namespace {

std::vector<Tensor> truth_of(const Graph& graph, const std::vector<Tensor>& inputs,
                             const std::map<std::string, int64_t>& symbols) {
  EvaluateOptions options;
  options.precision = Precision::kTruth;
  auto outputs = evaluate(graph, inputs, symbols, options);
  REQUIRE_MESSAGE(outputs.ok(), outputs.status().message() << "\n" << print(graph));
  return std::move(*outputs);
}

}  // namespace

void check_same_truth(const Graph& before, const Graph& after, const std::map<std::string, int64_t>& symbols, uint64_t seed,
                      double tolerance) {
  std::vector<Tensor> inputs = random_inputs(before, symbols, seed);
  std::vector<Tensor> expected = truth_of(before, inputs, symbols), found = truth_of(after, inputs, symbols);
  REQUIRE(expected.size() == found.size());
  for (size_t o = 0; o < expected.size(); ++o) {
    REQUIRE(expected[o].shape == found[o].shape);
    REQUIRE(expected[o].dtype == found[o].dtype);
    double largest = 0, worst = 0;
    bool special = true;
    for (int64_t i = 0; i < expected[o].element_count(); ++i) {
      double x = expected[o].at(i), y = found[o].at(i);
      if (!std::isfinite(x) || !std::isfinite(y)) {
        special = special && (x == y || (std::isnan(x) && std::isnan(y)));
        continue;
      }
      largest = std::max(largest, std::fabs(x));
      worst = std::max(worst, std::fabs(x - y));
    }
    bool same = is_float(expected[o].dtype) ? worst <= tolerance * std::max(largest, 1e-30) : worst == 0;
    CHECK_MESSAGE((same && special), "output " << o << " differs by " << worst << " of " << largest << "\nbefore "
                                               << print(before) << "after " << print(after));
  }
}

}  // namespace tuff
