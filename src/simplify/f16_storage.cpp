#include <algorithm>

#include "simplify/f16_constant.h"
#include "simplify/precision.h"
#include "simplify/rewrite.h"
#include "simplify/softmax_exponential.h"

namespace tuff {
namespace {

// Views that an element passes unchanged, each from one place: what follows them may as well come before.
bool moves_elements(const Attrs& attrs) {
  return std::holds_alternative<ReshapeAttrs>(attrs) || std::holds_alternative<TransposeAttrs>(attrs) ||
         std::holds_alternative<SliceAttrs>(attrs);
}

class Lowering {
 public:
  explicit Lowering(const Graph& src)
      : src_(src),
        is_lowerable_(src.values.size()),
        is_wanted_(src.values.size()),
        half_(src.values.size()),
        plain_(src.values.size()),
        read_(src.values.size()) {}

  Result<Lowered> run() {
    for (const Node& node : src_.nodes) is_lowerable_[node.output.value] = is_lowerable(node);
    for (const Node& node : src_.nodes) {
      const auto* product = std::get_if<ContractAttrs>(&node.attrs);
      if (!product && !std::holds_alternative<WindowAttrs>(node.attrs)) continue;
      for (ValueId operand : node.inputs)
        if (!product ||
            (!is_softmax_exponential(src_, operand) && !(operand == node.inputs[0] && is_normalised(*product, operand))))
          want(operand);
    }
    Graph start;
    start.name = src_.name;
    start.symbols = src_.symbols;
    start.data_sizes = src_.data_sizes;
    builder_ = GraphBuilder(std::move(start));
    for (ValueId v : src_.inputs)
      plain_[v.value] = read_[v.value] = builder_.input(value(v).name, value(v).dtype, value(v).shape);
    for (const Node& node : src_.nodes) TUFF_TRY(emit(node));
    for (size_t i = 0; i < src_.outputs.size(); ++i) builder_.output(plain_[src_.outputs[i].value], src_.output_names[i]);
    Lowered out;
    out.graph = prune_dead(std::move(builder_).finish());
    out.values = std::move(lowered_);
    return out;
  }

 private:
  const Value& value(ValueId v) const { return src_.value(v); }

  // Can what the node makes exist in f16 without another kernel? What is computed rounds at its end, a constant once and for
  // all. Asked in the order of the nodes.
  bool is_lowerable(const Node& node) const {
    if (value(node.output).dtype != Dtype::kF32) return false;
    if (moves_elements(node.attrs)) return is_lowerable_[node.inputs[0].value];
    if (std::holds_alternative<ConcatAttrs>(node.attrs))
      return std::all_of(node.inputs.begin(), node.inputs.end(), [&](ValueId piece) { return is_lowerable_[piece.value]; });
    if (const auto* constant = std::get_if<ConstantAttrs>(&node.attrs))
      return constant->data.kind != ConstantData::Kind::kSplat;
    return !is_view(node.attrs) && !std::holds_alternative<IotaAttrs>(node.attrs) &&
           !std::holds_alternative<DimensionAttrs>(node.attrs);
  }

  // Is the product's first operand made, by maps, from sums over the rows of what they are made from: rows that are normalised?
  // Its kernel computes them where it loads them, and to round each element there would cost more than to multiply it.
  bool is_normalised(const ContractAttrs& product, ValueId operand) const {
    constexpr int kMostMaps = 16;
    const Dims& shape = value(operand).shape;
    std::vector<ValueId> work = {operand};
    for (size_t i = 0; i < work.size() && i < kMostMaps; ++i) {
      const Node* maker = src_.producer(work[i]);
      while (maker && std::holds_alternative<BroadcastAttrs>(maker->attrs)) maker = src_.producer(maker->inputs[0]);
      if (!maker) continue;
      const auto* reduce = std::get_if<ReduceAttrs>(&maker->attrs);
      if (reduce && value(maker->inputs[0]).shape == shape &&
          std::all_of(reduce->axes.begin(), reduce->axes.end(),
                      [&](int axis) { return !has_label(product.out, product.a[static_cast<size_t>(axis)]); }))
        return true;
      if (std::holds_alternative<MapAttrs>(maker->attrs)) work.insert(work.end(), maker->inputs.begin(), maker->inputs.end());
    }
    return false;
  }

  // Marks what lies behind an operand.
  void want(ValueId v) {
    for (;;) {
      const Node* maker = src_.producer(v);
      if (!maker) return;
      const bool is_concat = std::holds_alternative<ConcatAttrs>(maker->attrs);
      if (is_concat || !is_view(maker->attrs)) {
        if (is_lowerable_[v.value]) want_in_f16(v);
        return;
      }
      v = maker->inputs[0];
    }
  }
  void want_in_f16(ValueId wanted) {
    for (std::vector<ValueId> work = {wanted}; !work.empty();) {
      const ValueId v = work.back();
      work.pop_back();
      if (is_wanted_[v.value]) continue;
      is_wanted_[v.value] = true;
      const Node& maker = *src_.producer(v);
      if (moves_elements(maker.attrs) || std::holds_alternative<ConcatAttrs>(maker.attrs))
        work.insert(work.end(), maker.inputs.begin(), maker.inputs.end());
    }
  }

  Status emit(const Node& node) {
    builder_.set_origins(node.origins);
    const uint32_t out = node.output.value;
    const auto* constant = std::get_if<ConstantAttrs>(&node.attrs);
    if (is_wanted_[out] && constant) {
      TUFF_ASSIGN(std::optional<ValueId> lowered, add_f16_constant(builder_, *constant));
      is_wanted_[out] = lowered.has_value();
      if (lowered) {
        half_[out] = *lowered;
      }
    }
    // A view of f16 values is one; what is rounded once is not rounded again.
    bool all_halves = is_wanted_[out] && is_view(node.attrs);
    std::vector<ValueId> halves, inputs, plain_inputs;
    for (ValueId v : node.inputs) {
      halves.push_back(half_[v.value]);
      inputs.push_back(read_[v.value]);
      plain_inputs.push_back(plain_[v.value]);
      all_halves = all_halves && half_[v.value].valid();
    }
    // As it is without rounding at its own end, for outputs; what none of them needs is dropped at the end. A view shows its
    // source as that is, an operator computes with what is rounded.
    TUFF_ASSIGN(plain_[out], builder_.add(node.attrs, is_view(node.attrs) && all_halves ? plain_inputs : inputs));
    builder_.name_value(plain_[out], value(node.output).name);
    if (all_halves) {
      TUFF_ASSIGN(half_[out], builder_.add(node.attrs, std::move(halves)));
    } else if (is_wanted_[out] && !half_[out].valid()) {
      TUFF_ASSIGN(half_[out], builder_.cast(plain_[out], Dtype::kF16));
    }
    read_[out] = plain_[out];
    if (!half_[out].valid()) return ok_status();
    TUFF_ASSIGN(read_[out], builder_.cast(half_[out], Dtype::kF32));
    if (!is_view(node.attrs)) {
      const std::string& name = value(node.output).name;
      lowered_.push_back((name.empty() ? node.origins.front() : name) + " f32" + dims_text(value(node.output).shape) +
                         " to f16");
    }
    return ok_status();
  }

  const Graph& src_;
  std::vector<bool> is_lowerable_, is_wanted_;  // by src value
  GraphBuilder builder_;
  std::vector<ValueId> half_;   // by src value: its f16 form; invalid: none
  std::vector<ValueId> plain_;  // as computed, for outputs
  std::vector<ValueId> read_;   // what nodes read
  std::vector<std::string> lowered_;
};

}  // namespace

Result<Lowered> store_in_f16(const Graph& src) { return Lowering(src).run(); }

}  // namespace tuff
