// evaluate(): the nodes in order, each value freed after its last use.
#include <algorithm>
#include <memory>

#include "base/checked.h"
#include "graph/builder.h"
#include "reference/ops.h"

namespace tuff {
namespace {

class Evaluation {
 public:
  Evaluation(const Graph& graph, const std::map<std::string, int64_t>& symbols, const EvaluateOptions& options)
      : graph_(graph),
        symbols_(symbols),
        options_(options),
        memory_(options.memory_limit_bytes),
        context_{options.precision, memory_, options.thread_count, [this](const IntExpr& e) { return value_of(e); }},
        arrays_(graph.values.size()),
        uses_(graph.values.size(), 0) {}

  Result<std::vector<Tensor>> run(const std::vector<Tensor>& inputs) {
    TUFF_TRY(check_symbols());
    TUFF_TRY(bind_inputs(inputs));
    std::vector<ValueId> wanted = graph_.outputs;
    wanted.insert(wanted.end(), options_.extra_values.begin(), options_.extra_values.end());
    std::vector<bool> needed = count_uses(wanted);
    for (size_t n = 0; n < graph_.nodes.size(); ++n) {
      const Node& node = graph_.nodes[n];
      // A constant is read when its first user wants it, so that all weights are never held at once.
      if (!needed[n] || std::holds_alternative<ConstantAttrs>(node.attrs)) continue;
      Status done = evaluate_node(node);
      if (!done.ok())
        return done.with_context(node.origins.empty() ? std::string(attrs_name(node.attrs)) : node.origins.front());
    }
    std::vector<Tensor> results;
    for (ValueId id : wanted) {
      TUFF_ASSIGN(Array array, take(id));
      results.push_back(tensor_from_array(array, graph_.value(id).dtype, options_.precision));
    }
    return results;
  }

 private:
  Result<int64_t> value_of(const IntExpr& e) const {
    auto v = e.evaluate([&](std::string_view name) -> std::optional<int64_t> {
      auto it = symbols_.find(std::string(name));
      return it == symbols_.end() ? std::nullopt : std::optional(it->second);
    });
    if (!v) return invalid_argument("The expression " + e.text() + " has no value under the given symbols.");
    return *v;
  }

  // A shape whose byte count in the widest type fits 63 bits.
  Result<Sizes> sizes_of(const Dims& dims) const {
    Sizes sizes;
    int64_t bytes = 16;
    for (const IntExpr& d : dims) {
      TUFF_ASSIGN(int64_t size, value_of(d));
      if (size < 0) return invalid_argument("The size " + d.text() + " is " + std::to_string(size) + ".");
      sizes.push_back(size);
      auto product = checked_multiply(bytes, std::max<int64_t>(size, 1));
      if (!product) return limit_exceeded("A value of shape " + dims_text(dims) + " has more elements than 63 bits count.");
      bytes = *product;
    }
    return sizes;
  }

  Status check_symbols() const {
    for (const Symbol& s : graph_.symbols) {
      auto it = symbols_.find(s.name);
      if (it == symbols_.end()) return invalid_argument("The symbol '" + s.name + "' has no value.");
      if (it->second < s.min || it->second > s.max || it->second % std::max<int64_t>(s.divisor, 1) != 0)
        return invalid_argument("The symbol '" + s.name + "' cannot be " + std::to_string(it->second) +
                                ": it is a multiple of " + std::to_string(s.divisor) + " from " + std::to_string(s.min) +
                                " to " + std::to_string(s.max) + ".");
    }
    return ok_status();
  }

  Status bind_inputs(const std::vector<Tensor>& inputs) {
    if (inputs.size() != graph_.inputs.size())
      return invalid_argument("The graph takes " + std::to_string(graph_.inputs.size()) + " inputs, got " +
                              std::to_string(inputs.size()) + ".");
    for (size_t i = 0; i < inputs.size(); ++i) {
      const Value& value = graph_.value(graph_.inputs[i]);
      TUFF_ASSIGN(Sizes shape, sizes_of(value.shape));
      bool wider = options_.precision == Precision::kTruth && is_float(value.dtype) && inputs[i].dtype == Dtype::kF64;
      if (inputs[i].shape != shape || (inputs[i].dtype != value.dtype && !wider) ||
          static_cast<int64_t>(inputs[i].bytes.size()) != element_count(shape) * dtype_size_bytes(inputs[i].dtype))
        return invalid_argument("Input '" + value.name + "' is not " + std::string(dtype_name(value.dtype)) +
                                dims_text(value.shape) + ".");
      TUFF_ASSIGN(Array array, array_from_elements(inputs[i].dtype, shape, inputs[i].bytes, options_.precision, memory_));
      arrays_[graph_.inputs[i].value] = std::move(array);
    }
    return ok_status();
  }

  // The nodes that the wanted values depend on; counts the reads of each value.
  std::vector<bool> count_uses(const std::vector<ValueId>& wanted) {
    std::vector<bool> needed(graph_.nodes.size(), false);
    for (ValueId id : wanted) ++uses_[id.value];
    for (size_t n = graph_.nodes.size(); n-- > 0;) {
      const Node& node = graph_.nodes[n];
      if (uses_[node.output.value] == 0) continue;
      needed[n] = true;
      for (ValueId in : node.inputs) ++uses_[in.value];
    }
    return needed;
  }

  // One read of a value; the last one gives its memory up.
  Result<Array> take(ValueId id) {
    std::optional<Array>& slot = arrays_[id.value];
    if (!slot) {
      const auto* constant = graph_.producer_as<ConstantAttrs>(id);
      if (!constant) return internal_error("A value is read that no node before made: the graph is not in order.");
      TUFF_ASSIGN(slot, constant_array(*constant));
    }
    if (--uses_[id.value] > 0) return *slot;
    Array array = std::move(*slot);
    slot.reset();
    return array;
  }

  Result<Array> constant_array(const ConstantAttrs& attrs) {
    TUFF_ASSIGN(Sizes shape, sizes_of(attrs.shape));
    if (attrs.data.kind == ConstantData::Kind::kSplat)
      return array_of_splat(attrs.dtype, shape, attrs.data.bits, options_.precision);
    TUFF_ASSIGN(Bytes bytes, constant_bytes(attrs));
    return array_from_elements(attrs.dtype, shape, bytes.data, options_.precision, memory_);
  }

  Status evaluate_node(const Node& node) {
    Arrays in;
    for (ValueId id : node.inputs) {
      TUFF_ASSIGN(Array array, take(id));
      in.push_back(std::move(array));
    }
    const Value& output = graph_.value(node.output);
    TUFF_ASSIGN(Sizes shape, sizes_of(output.shape));
    Dtype from = node.inputs.empty() ? output.dtype : graph_.value(node.inputs[0]).dtype;
    auto result = std::visit(NodeEvaluator{in, from, output.dtype, shape, *this}, node.attrs);
    if (!result.ok()) return result.status();
    // Sums of f16 and bf16 are made in f32 and rounded once; views change nothing.
    bool sums = std::holds_alternative<ReduceAttrs>(node.attrs) || std::holds_alternative<ContractAttrs>(node.attrs) ||
                std::holds_alternative<WindowAttrs>(node.attrs);
    if (sums) round_to_dtype(*result, output.dtype);
    arrays_[node.output.value] = std::move(*result);
    return ok_status();
  }

  struct NodeEvaluator {
    const Arrays& in;
    Dtype from, to;
    const Sizes& shape;
    Evaluation& self;

    Result<Array> operator()(const MapAttrs& a) const { return evaluate_map(a, in, from, to, self.context_); }
    Result<Array> operator()(const ReduceAttrs& a) const { return evaluate_reduce(a, in[0], shape, self.context_); }
    Result<Array> operator()(const ContractAttrs& a) const { return evaluate_contract(a, in, shape, self.context_); }
    Result<Array> operator()(const WindowAttrs& a) const { return evaluate_window(a, in, shape, self.context_); }
    Result<Array> operator()(const ReshapeAttrs&) const { return evaluate_reshape(in[0], shape, self.context_); }
    Result<Array> operator()(const TransposeAttrs& a) const { return evaluate_transpose(a, in[0]); }
    Result<Array> operator()(const SliceAttrs& a) const { return evaluate_slice(a, in[0], shape, self.context_); }
    Result<Array> operator()(const PadAttrs& a) const { return evaluate_pad(a, in[0], to, shape, self.context_); }
    Result<Array> operator()(const BroadcastAttrs&) const { return evaluate_broadcast(in[0], shape); }
    Result<Array> operator()(const ConcatAttrs& a) const { return evaluate_concat(a, in, shape, self.context_); }
    Result<Array> operator()(const GatherAttrs& a) const { return evaluate_gather(a, in, shape, self.context_); }
    Result<Array> operator()(const IotaAttrs& a) const { return evaluate_iota(a, shape, self.context_); }
    Result<Array> operator()(const DimensionAttrs& a) const {
      TUFF_ASSIGN(int64_t size, self.value_of(a.value));
      Array scalar = array_of_splat(Dtype::kI64, {}, static_cast<uint64_t>(size), Precision::kFloat);
      return evaluate_cast(scalar, Dtype::kI64, a.dtype, self.context_);
    }
    Result<Array> operator()(const ConstantAttrs& a) const { return self.constant_array(a); }
  };

  const Graph& graph_;
  const std::map<std::string, int64_t>& symbols_;
  const EvaluateOptions& options_;
  Memory memory_;
  OpContext context_;
  std::vector<std::optional<Array>> arrays_;
  std::vector<int64_t> uses_;
};

}  // namespace

Result<std::vector<Tensor>> evaluate(const Graph& graph, const std::vector<Tensor>& inputs,
                                     const std::map<std::string, int64_t>& symbols, const EvaluateOptions& options) {
  return Evaluation(graph, symbols, options).run(inputs);
}

Result<std::vector<Bytes>> evaluate_closed(const Graph& graph) {
  TUFF_ASSIGN(std::vector<Tensor> tensors, evaluate(graph, {}, {}, {}));
  std::vector<Bytes> elements;
  for (Tensor& tensor : tensors) {
    auto held = std::make_shared<Tensor>(std::move(tensor));
    elements.push_back({held->bytes, held});
  }
  return elements;
}

}  // namespace tuff
