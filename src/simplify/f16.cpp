#include <algorithm>

#include "simplify/f16_constant.h"
#include "simplify/precision.h"
#include "simplify/rewrite.h"
#include "simplify/softmax_exponential.h"

namespace tuff {
namespace {

template <class T>
bool is(const Node& node) {
  return std::holds_alternative<T>(node.attrs);
}

bool is_window(const Node& node, WindowOp op) {
  const auto* window = std::get_if<WindowAttrs>(&node.attrs);
  return window && window->op == op;
}

class F16 {
 public:
  explicit F16(const Graph& src)
      : src_(src),
        readers_(value_users(src)),
        is_output_(src.values.size()),
        is_constant_(src.values.size()),
        is_exponent_(src.values.size()),
        stays_(src.values.size()),
        full_(src.values.size()),
        half_(src.values.size()) {
    for (ValueId v : src.outputs) is_output_[v.value] = true;
  }

  Result<Lowered> run() {
    find_exponents();
    for (const Node& node : src_.nodes) decide(node);
    Graph start;
    start.name = src_.name;
    start.symbols = src_.symbols;
    start.data_sizes = src_.data_sizes;
    builder_ = GraphBuilder(std::move(start));
    for (ValueId v : src_.inputs) full_[v.value] = builder_.input(value(v).name, value(v).dtype, value(v).shape);
    for (const Node& node : src_.nodes) TUFF_TRY(emit(node));
    for (size_t i = 0; i < src_.outputs.size(); ++i) {
      TUFF_ASSIGN(ValueId out, full(src_.outputs[i]));
      builder_.output(out, src_.output_names[i]);
    }
    Lowered out;
    out.values = lowered_values();
    out.graph = prune_dead(std::move(builder_).finish());
    return out;
  }

 private:
  const Value& value(ValueId v) const { return src_.value(v); }
  bool is_f32(ValueId v) const { return value(v).dtype == Dtype::kF32; }

  // Do all operands in f32 stay so, and is there one beside constants?
  bool operands_stay(const Node& node) const {
    bool any = false;
    for (ValueId v : node.inputs) {
      if (!is_f32(v) || is_constant_[v.value]) continue;
      if (!stays_[v.value]) return false;
      any = true;
    }
    return any;
  }
  // Would a kernel that stores it store more than its operands, which are stored anyway?
  bool is_only_reduced(const Node& node) const {
    const std::vector<NodeId>& readers = readers_[node.output.value];
    auto has_another_reader = [&](ValueId v) { return !is_f32(v) || is_constant_[v.value] || readers_[v.value].size() > 1; };
    return !is_output_[node.output.value] && !readers.empty() &&
           std::all_of(readers.begin(), readers.end(), [&](NodeId reader) { return is<ReduceAttrs>(src_.node(reader)); }) &&
           std::all_of(node.inputs.begin(), node.inputs.end(), has_another_reader);
  }

  // Attention's sums before their division: of as many terms as there are keys, they may leave f16 where the quotient does not.
  bool sums_exponentials(const Node& node) const {
    const auto* map = is<ContractAttrs>(node) ? src_.producer_as<MapAttrs>(node.inputs[0]) : nullptr;
    return map && map->op == MapOp::exp;
  }

  // Says of a node's output whether it stays f32. Asked in the order of the nodes.
  void decide(const Node& node) {
    const uint32_t out = node.output.value;
    if (!is_f32(node.output)) return;
    if (is<ConstantAttrs>(node)) {
      is_constant_[out] = true;
    } else if (is_view(node.attrs)) {
      is_constant_[out] = is_constant_[node.inputs[0].value] && !is<ConcatAttrs>(node);
      stays_[out] = operands_stay(node);
    } else if (const auto* map = std::get_if<MapAttrs>(&node.attrs)) {
      const bool counts = map->op == MapOp::cast && !is_float(value(node.inputs[0]).dtype);
      stays_[out] = counts || operands_stay(node) || is_only_reduced(node) || is_exponent_[out];
    } else {
      stays_[out] = is<ReduceAttrs>(node) || is<IotaAttrs>(node) || is<DimensionAttrs>(node) ||
                    is_window(node, WindowOp::kSum) || sums_exponentials(node) || is_exponent_[out];
    }
  }

  // Marks exponentials that a product sums and what they alone are made of, back to the product of the scores: attention, which
  // weighs them by a maximum that it does not have yet, and cannot round what it does not store.
  void find_exponents() {
    for (size_t n = src_.nodes.size(); n-- > 0;) {
      const Node& node = src_.nodes[n];
      const uint32_t out = node.output.value;
      const std::vector<NodeId>& readers = readers_[out];
      if (!is_f32(node.output) || is_output_[out] || readers.empty() || is<ConstantAttrs>(node)) continue;
      auto is_marked = [&](NodeId reader) {
        const Node& by = src_.node(reader);
        return is_exponent_[by.output.value] && !is<ContractAttrs>(by);
      };
      auto is_product = [&](NodeId reader) { return is<ContractAttrs>(src_.node(reader)); };
      is_exponent_[out] =
          std::all_of(readers.begin(), readers.end(), is_marked) ||
          (is_softmax_exponential(src_, node.output) && std::any_of(readers.begin(), readers.end(), is_product));
    }
  }

  void set_origins_of(ValueId v) {
    if (const Node* maker = src_.producer(v)) builder_.set_origins(maker->origins);
  }
  // A f32 value as f32 (rounded, unless it stays), any other as it is.
  Result<ValueId> full(ValueId v) {
    if (!full_[v.value].valid()) {
      set_origins_of(v);
      TUFF_ASSIGN(full_[v.value], builder_.cast(half_[v.value], Dtype::kF32));
    }
    return full_[v.value];
  }
  // A f32 value as f16, any other as it is; invalid: a constant that is beyond f16.
  Result<ValueId> half(ValueId v) {
    if (!is_f32(v)) return full(v);
    if (!half_[v.value].valid() && !is_constant_[v.value]) {
      set_origins_of(v);
      TUFF_ASSIGN(half_[v.value], builder_.cast(full_[v.value], Dtype::kF16));
    }
    return half_[v.value];
  }

  // The node on operands of one precision; invalid where one in f16 is not to be had.
  Result<ValueId> add(const Node& node, bool in_f32) {
    std::vector<ValueId> inputs;
    for (ValueId v : node.inputs) {
      TUFF_ASSIGN(ValueId input, in_f32 ? full(v) : half(v));
      if (!input.valid()) return ValueId();
      inputs.push_back(input);
    }
    builder_.set_origins(node.origins);
    Attrs attrs = node.attrs;
    if (auto* pad = std::get_if<PadAttrs>(&attrs); pad && is_f32(node.output) && !in_f32)
      pad->fill_bits = scalar_bits(Dtype::kF16, scalar_from_bits(Dtype::kF32, pad->fill_bits));
    return builder_.add(std::move(attrs), std::move(inputs));
  }

  Status emit(const Node& node) {
    const uint32_t out = node.output.value;
    if (const auto* constant = std::get_if<ConstantAttrs>(&node.attrs)) {
      builder_.set_origins(node.origins);
      TUFF_ASSIGN(full_[out], builder_.add(node.attrs, {}));
      if (is_f32(node.output)) {
        TUFF_ASSIGN(std::optional<ValueId> lowered, add_f16_constant(builder_, *constant));
        half_[out] = lowered.value_or(ValueId());
      }
    } else if (is_constant_[out]) {  // a view of one
      TUFF_ASSIGN(full_[out], add(node, true));
      TUFF_ASSIGN(half_[out], add(node, false));
    } else if (!is_f32(node.output) || stays_[out]) {
      // What is no float is made of operands as they came, if nothing has rounded them.
      auto is_unrounded = [&](ValueId v) { return !is_f32(v) || full_[v.value].valid(); };
      const bool in_f32 = stays_[out] || std::all_of(node.inputs.begin(), node.inputs.end(), is_unrounded);
      TUFF_ASSIGN(full_[out], add(node, in_f32));
      if (!full_[out].valid()) {
        TUFF_ASSIGN(full_[out], add(node, true));
      }
    } else {
      TUFF_TRY(emit_rounded(node));
    }
    for (ValueId v : {full_[out], half_[out]})
      if (v.valid()) builder_.name_value(v, value(node.output).name);
    return ok_status();
  }

  // A f32 result to be rounded to f16: of operands in f16, or once at its end where one of them is f32.
  Status emit_rounded(const Node& node) {
    const uint32_t out = node.output.value;
    const auto* map = std::get_if<MapAttrs>(&node.attrs);
    if (map && map->op == MapOp::cast) {
      TUFF_ASSIGN(ValueId from, half(node.inputs[0]));
      builder_.set_origins(node.origins);
      half_[out] = from;
      if (builder_.dtype(from) != Dtype::kF16) {
        TUFF_ASSIGN(half_[out], builder_.cast(from, Dtype::kF16));
      }
      return ok_status();
    }
    const bool mixed =
        map && std::any_of(node.inputs.begin(), node.inputs.end(), [&](ValueId v) { return is_f32(v) && stays_[v.value]; });
    if (!mixed) {
      TUFF_ASSIGN(half_[out], add(node, false));
    }
    if (half_[out].valid()) return ok_status();
    TUFF_ASSIGN(ValueId made, add(node, true));
    builder_.set_origins(node.origins);
    TUFF_ASSIGN(half_[out], builder_.cast(made, Dtype::kF16));
    return ok_status();
  }

  // A line for each value whose f16 form an output needs.
  std::vector<std::string> lowered_values() const {
    const Graph& dst = builder_.graph();
    std::vector<bool> needed(dst.values.size());
    for (ValueId v : dst.outputs) needed[v.value] = true;
    for (size_t n = dst.nodes.size(); n-- > 0;)
      if (needed[dst.nodes[n].output.value])
        for (ValueId v : dst.nodes[n].inputs) needed[v.value] = true;
    std::vector<std::string> lines;
    for (size_t v = 0; v < src_.values.size(); ++v) {
      const Node* maker = src_.producer(ValueId(v));
      if (!half_[v].valid() || !needed[half_[v].value] || (maker && is_view(maker->attrs))) continue;
      const std::string& name = src_.values[v].name;
      lines.push_back((name.empty() && maker ? maker->origins.front() : name) + " f32" + dims_text(src_.values[v].shape) +
                      " to f16");
    }
    return lines;
  }

  const Graph& src_;
  std::vector<std::vector<NodeId>> readers_;  // by src value
  // By src value. is_constant_: a f32 constant or a view of one.
  std::vector<bool> is_output_, is_constant_, is_exponent_, stays_;
  GraphBuilder builder_;
  std::vector<ValueId> full_, half_;  // by src value; what is not f32 is in full_
};

}  // namespace

Result<Lowered> compute_in_f16(const Graph& src) { return F16(src).run(); }

}  // namespace tuff
