#include "reference/error_bound.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "reference/map_error.h"
#include "reference/reference.h"
#include "reference/winograd_error.h"

namespace tuff {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kMinNormal = 0x1p-126;

Tensor doubles(const std::vector<int64_t>& shape, const std::vector<double>& elements) {
  return make_tensor<double>(Dtype::kF64, shape, elements);
}

struct BoundEvaluator {
  const Graph& graph;
  const std::map<std::string, int64_t>& symbols;
  const std::vector<ValueId>& winograd;
  std::vector<Tensor> truth;               // by ValueId
  std::vector<std::vector<double>> error;  // by ValueId

  // The node over other inputs of the same shapes, all in doubles (a gather's indices stay what they are).
  Result<std::vector<double>> over(const Node& node, std::vector<Tensor> inputs) const {
    Graph one;
    one.symbols = graph.symbols;
    Node copy = node;
    if (auto* pad = std::get_if<PadAttrs>(&copy.attrs)) pad->fill_bits = 0;
    for (size_t i = 0; i < inputs.size(); ++i) {
      one.values.push_back({"", inputs[i].dtype, graph.value(node.inputs[i]).shape, {}});
      one.inputs.push_back(ValueId(i));
      copy.inputs[i] = ValueId(i);
    }
    copy.output = ValueId(one.values.size());
    one.values.push_back({"", Dtype::kF64, graph.value(node.output).shape, NodeId(0)});
    one.nodes = {copy};
    one.outputs = {copy.output};
    one.output_names = {""};
    EvaluateOptions options;
    options.precision = Precision::kTruth;
    TUFF_ASSIGN(auto results, evaluate(one, inputs, symbols, options));
    std::vector<double> out;
    for (int64_t i = 0; i < results[0].element_count(); ++i) {
      double v = results[0].at(i);
      out.push_back(std::isnan(v) ? kInfinity : v);
    }
    return out;
  }

  Tensor errors_of(ValueId v) const { return doubles(truth[v.value].shape, error[v.value]); }
  // |x|, or |x| + its error.
  Tensor magnitudes(ValueId v, bool with_error) const {
    const Tensor& t = truth[v.value];
    std::vector<double> out;
    for (int64_t i = 0; i < t.element_count(); ++i)
      out.push_back(std::fabs(t.at(i)) + (with_error ? error[v.value][static_cast<size_t>(i)] : 0));
    return doubles(t.shape, out);
  }

  // |x| + its error as a factor: a device may take a denormal for zero, which the other factor makes greater.
  Tensor factors(ValueId v) const {
    Tensor out = magnitudes(v, true);
    auto* elements = reinterpret_cast<double*>(out.bytes.data());
    for (int64_t i = 0; i < out.element_count(); ++i)
      if (const double magnitude = std::fabs(truth[v.value].at(i)); magnitude < kMinNormal) elements[i] += magnitude;
    return out;
  }

  // Rounding to the dtype, and what does not fit it.
  void finish(const Node& node) {
    const Dtype dtype = graph.value(node.output).dtype;
    const Tensor& y = truth[node.output.value];
    std::vector<double>& e = error[node.output.value];
    for (int64_t i = 0; i < y.element_count(); ++i)
      e[static_cast<size_t>(i)] = rounded_error(dtype, y.at(i), e[static_cast<size_t>(i)]);
  }

  // Sums of `count` terms whose magnitudes add up to `base`, and with their errors to `total`.
  std::vector<double> sum_error(const Node& node, const std::vector<double>& base, const std::vector<double>& total,
                                int64_t count) const {
    const bool real = is_float(graph.value(node.output).dtype);
    const double u = 0x1p-24, gamma = static_cast<double>(count) * u / (1 - static_cast<double>(count) * u);
    std::vector<double> out;
    for (size_t i = 0; i < base.size(); ++i) {
      double carried = total[i] - base[i];
      if (!real)
        out.push_back(carried == 0 ? 0 : kInfinity);
      else
        out.push_back(std::isfinite(total[i])
                          ? carried + 1e-14 * total[i] + (gamma + u) * total[i] + static_cast<double>(count + 1) * kMinNormal
                          : kInfinity);
    }
    return out;
  }

  Result<std::vector<double>> reduce(const Node& node, const ReduceAttrs& attrs) const {
    const ValueId x = node.inputs[0];
    const Tensor& y = truth[node.output.value];
    const int64_t count = y.element_count() == 0 ? 0 : truth[x.value].element_count() / y.element_count();
    if (attrs.op == ReduceOp::kArgMax || attrs.op == ReduceOp::kArgMin) return arg_error(node, attrs);
    Node sum = node;
    std::get<ReduceAttrs>(sum.attrs).op = ReduceOp::kSum;
    if (attrs.op == ReduceOp::kSum) {
      TUFF_ASSIGN(auto base, over(node, {magnitudes(x, false)}));
      TUFF_ASSIGN(auto total, over(node, {magnitudes(x, true)}));
      return sum_error(node, base, total, count);
    }
    if (attrs.op == ReduceOp::kProduct) {
      TUFF_ASSIGN(auto base, over(node, {magnitudes(x, false)}));
      TUFF_ASSIGN(auto total, over(node, {magnitudes(x, true)}));
      // (1 + u)^n - 1 <= gamma_n, as for sums. A product so far that is denormal loses bits, or all of them, and the factors to
      // come make that greater.
      std::vector<double> bound = sum_error(node, base, total, count), above_one;
      if (!is_float(graph.value(node.output).dtype)) return bound;
      const Tensor& factors = truth[x.value];
      for (int64_t i = 0; i < factors.element_count(); ++i) above_one.push_back(std::max(std::fabs(factors.at(i)), 1.0));
      TUFF_ASSIGN(auto greater, over(node, {doubles(factors.shape, above_one)}));
      for (size_t i = 0; i < bound.size(); ++i) bound[i] += static_cast<double>(count) * kMinNormal * greater[i];
      return bound;
    }
    Node largest = node;
    std::get<ReduceAttrs>(largest.attrs).op = ReduceOp::kMax;
    TUFF_ASSIGN(auto out, over(largest, {errors_of(x)}));
    for (double& e : out) e = std::max(e, 0.0);  // of nothing the maximum is -inf
    return out;
  }

  // 0 where one index wins whatever rounding does.
  Result<std::vector<double>> arg_error(const Node& node, const ReduceAttrs& attrs) const {
    const Tensor& x = truth[node.inputs[0].value];
    const std::vector<double>& e = error[node.inputs[0].value];
    const size_t axis = static_cast<size_t>(attrs.axes[0]);
    int64_t outer = 1, inner = 1, length = x.shape[axis];
    for (size_t i = 0; i < axis; ++i) outer *= x.shape[i];
    for (size_t i = axis + 1; i < x.shape.size(); ++i) inner *= x.shape[i];
    const double sign = attrs.op == ReduceOp::kArgMax ? 1 : -1;
    std::vector<double> out;
    for (int64_t o = 0; o < outer; ++o) {
      for (int64_t n = 0; n < inner; ++n) {
        bool exact = true, odd = false;
        double sure = -kInfinity;
        auto index = [&](int64_t i) { return (o * length + i) * inner + n; };
        for (int64_t i = 0; i < length; ++i) {
          exact = exact && e[static_cast<size_t>(index(i))] == 0;
          odd = odd || !std::isfinite(x.at(index(i)));
          sure = std::max(sure, sign * x.at(index(i)) - e[static_cast<size_t>(index(i))]);
        }
        int candidates = 0;
        for (int64_t i = 0; i < length; ++i) candidates += sign * x.at(index(i)) + e[static_cast<size_t>(index(i))] >= sure;
        out.push_back(exact || (!odd && candidates == 1) ? 0 : kInfinity);
      }
    }
    return out;
  }

  Result<std::vector<double>> node_error(const Node& node) const {
    const Tensor& y = truth[node.output.value];
    if (const auto* map = std::get_if<MapAttrs>(&node.attrs)) {
      std::vector<double> out;
      const Dtype from = graph.value(node.inputs[0]).dtype, to = graph.value(node.output).dtype;
      for (int64_t i = 0; i < y.element_count(); ++i) {
        MapOperand operands[3];
        for (size_t k = 0; k < node.inputs.size(); ++k)
          operands[k] = {truth[node.inputs[k].value].at(i), error[node.inputs[k].value][static_cast<size_t>(i)]};
        out.push_back(map_error(map->op, from, to, operands, y.at(i)));
      }
      return out;
    }
    if (const auto* reduction = std::get_if<ReduceAttrs>(&node.attrs)) return reduce(node, *reduction);
    const auto* window = std::get_if<WindowAttrs>(&node.attrs);
    if (std::find(winograd.begin(), winograd.end(), node.output) != winograd.end()) {
      std::vector<Tensor> with_error = {factors(node.inputs[0]), factors(node.inputs[1])};
      auto element = [&](size_t side) {
        return [&, side](int64_t i) {
          const double magnitude = std::fabs(truth[node.inputs[side].value].at(i));
          return ErrorOperand{magnitude, with_error[side].at(i) - magnitude};
        };
      };
      return winograd_error(truth[node.inputs[0].value].shape, y.shape, element(0), element(1));
    }
    if (std::holds_alternative<ContractAttrs>(node.attrs) || (window && window->op == WindowOp::kConv)) {
      TUFF_ASSIGN(auto base, over(node, {magnitudes(node.inputs[0], false), magnitudes(node.inputs[1], false)}));
      TUFF_ASSIGN(auto total, over(node, {factors(node.inputs[0]), factors(node.inputs[1])}));
      return sum_error(node, base, total, terms_of(node));
    }
    if (window && window->op == WindowOp::kSum) {
      TUFF_ASSIGN(auto base, over(node, {magnitudes(node.inputs[0], false)}));
      TUFF_ASSIGN(auto total, over(node, {magnitudes(node.inputs[0], true)}));
      return sum_error(node, base, total, window->tap_count());
    }
    if (node.inputs.empty()) return std::vector<double>(static_cast<size_t>(y.element_count()), 0.0);
    if (std::holds_alternative<GatherAttrs>(node.attrs)) {
      for (double e : error[node.inputs[1].value])
        if (e != 0) return std::vector<double>(static_cast<size_t>(y.element_count()), kInfinity);
      return over(node, {errors_of(node.inputs[0]), truth[node.inputs[1].value]});
    }
    std::vector<Tensor> errors;
    for (ValueId in : node.inputs) errors.push_back(errors_of(in));
    return over(node, std::move(errors));
  }

  // How many products one element sums: all multiply-adds over all elements.
  int64_t terms_of(const Node& node) const {
    if (const auto* window = std::get_if<WindowAttrs>(&node.attrs)) {
      int64_t terms = truth[node.inputs[1].value].shape[1];
      for (int64_t k : window->kernel) terms *= k;
      return terms;
    }
    const auto& contract = std::get<ContractAttrs>(node.attrs);
    int64_t terms = 1;
    std::vector<int> seen = contract.out;
    for (size_t side = 0; side < 2; ++side) {
      const auto& labels = side ? contract.b : contract.a;
      for (size_t i = 0; i < labels.size(); ++i) {
        if (std::find(seen.begin(), seen.end(), labels[i]) != seen.end()) continue;
        seen.push_back(labels[i]);
        terms *= truth[node.inputs[side].value].shape[i];
      }
    }
    return terms;
  }
};

}  // namespace

Result<std::vector<Bounded>> evaluate_with_bounds(const Graph& graph, const std::vector<Tensor>& inputs,
                                                  const std::map<std::string, int64_t>& symbols,
                                                  const std::vector<ValueId>& winograd) {
  EvaluateOptions options;
  options.precision = Precision::kTruth;
  for (size_t v = 0; v < graph.values.size(); ++v) options.extra_values.push_back(ValueId(v));
  TUFF_ASSIGN(auto results, evaluate(graph, inputs, symbols, options));
  BoundEvaluator bounds{graph, symbols, winograd, {}, std::vector<std::vector<double>>(graph.values.size())};
  bounds.truth.assign(results.begin() + static_cast<std::ptrdiff_t>(graph.outputs.size()), results.end());
  for (ValueId v : graph.inputs) bounds.error[v.value].assign(static_cast<size_t>(bounds.truth[v.value].element_count()), 0.0);
  for (const Node& node : graph.nodes) {
    TUFF_ASSIGN(bounds.error[node.output.value], bounds.node_error(node));
    if (!is_view(node.attrs)) bounds.finish(node);
  }
  std::vector<Bounded> out;
  for (ValueId v : graph.outputs) out.push_back({bounds.truth[v.value], bounds.error[v.value]});
  return out;
}

}  // namespace tuff
