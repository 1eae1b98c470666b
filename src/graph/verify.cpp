// In: any Graph. Out: OK if each invariant of graph.h holds, otherwise one sentence that names the node and the value.
//
// Nothing here recurses over the graph: a chain may be as long as memory allows.
#include <algorithm>
#include <cmath>
#include <set>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "base/lexer.h"
#include "graph/graph.h"

namespace tuff {
namespace {

constexpr int64_t kChunkUnit = 128;  // NUMERICS.md: a chunk is a multiple of it

std::string value_phrase(ValueId id) { return "value %" + std::to_string(id.value); }
std::string type_text(Dtype dtype, const Dims& shape) { return std::string(dtype_name(dtype)) + dims_text(shape); }

struct GraphVerifier {
  const Graph& graph;
  std::unordered_map<std::string_view, const Symbol*> declared = {};

  Status verify() {
    TUFF_TRY(check_symbols());
    TUFF_TRY(check_inputs());
    TUFF_TRY(check_values());
    for (size_t n = 0; n < graph.nodes.size(); ++n) {
      TUFF_TRY(check_wiring(n));
      TUFF_TRY(check_node(n));
    }
    return check_outputs();
  }

  bool exists(ValueId id) const { return id.value < graph.values.size(); }

  Status wrong(const std::string& sentence) const { return invalid_argument("graph " + quote(graph.name) + ": " + sentence); }

  // "node 3 (window.conv giving value %7, from "Conv_0")".
  std::string node_text(size_t n) const {
    const Node& node = graph.nodes[n];
    std::string out =
        "node " + std::to_string(n) + " (" + std::string(attrs_name(node.attrs)) + " giving " + value_phrase(node.output);
    if (!node.origins.empty()) out += ", from " + quote(node.origins.front());
    return out + ")";
  }

  Status check_symbols() {
    const std::string* previous = nullptr;
    for (const Symbol& s : graph.symbols) {
      Lexer name(s.name, "");
      bool plain = name.peek().kind == TokenKind::kName && name.peek().text == s.name;
      if (!plain) return wrong("the symbol " + quote(s.name) + " is not a name of letters, digits, '_' and '.'.");
      if (!declared.emplace(s.name, &s).second) return wrong("the symbol '" + s.name + "' is declared twice.");
      if (previous && s.name < *previous)
        return wrong("the symbol '" + s.name + "' stands after '" + *previous + "', out of alphabetical order.");
      previous = &s.name;
      if (s.extent) return wrong("the symbol '" + s.name + "' is a loop variable, which a graph has none of.");
      if (s.min < 0 || s.min > s.max || s.max > Symbol::kMax || s.divisor < 1 || s.divisor > Symbol::kMax)
        return wrong("the symbol '" + s.name + "' has the range " + std::to_string(s.min) + ".." + std::to_string(s.max) +
                     " in steps of " + std::to_string(s.divisor) + ", which is not inside 0.." + std::to_string(Symbol::kMax) +
                     ".");
      if (s.max / s.divisor * s.divisor < s.min)
        return wrong("the symbol '" + s.name + "' has no multiple of " + std::to_string(s.divisor) + " in its range " +
                     std::to_string(s.min) + ".." + std::to_string(s.max) + ".");
    }
    return ok_status();
  }

  Status check_expression(const IntExpr& e, const std::string& where) const {
    if (e.has_overflowed()) return wrong(where + " has a size or an attribute that 64 bits cannot hold.");
    std::string fault;
    e.visit_symbols([&](const Symbol& used) {
      if (!fault.empty()) return;
      auto it = declared.find(used.name);
      if (it == declared.end()) {
        fault = " uses the symbol '" + used.name + "', which is not declared.";
      } else if (used.extent || used.min != it->second->min || used.max != it->second->max ||
                 used.divisor != it->second->divisor) {
        fault = " uses the symbol '" + used.name + "' with another range than it is declared with.";
      }
    });
    return fault.empty() ? ok_status() : wrong(where + fault);
  }

  Status check_dims(const Dims& dims, const std::string& where) const {
    for (const IntExpr& e : dims)
      if (!e.is_constant()) TUFF_TRY(check_expression(e, where));
    return ok_status();
  }

  Status check_inputs() const {
    std::set<ValueId> seen;
    std::unordered_set<std::string_view> names;
    for (ValueId id : graph.inputs) {
      if (!exists(id)) return wrong("the input " + value_phrase(id) + " does not exist.");
      const Value& v = graph.value(id);
      if (v.producer.valid())
        return wrong("the input " + value_phrase(id) + " " + quote(v.name) + " has the producer node " +
                     std::to_string(v.producer.value) + ".");
      if (!seen.insert(id).second) return wrong("the input " + value_phrase(id) + " is listed twice.");
      if (v.name.empty()) return wrong("the input " + value_phrase(id) + " has no name.");
      if (!names.insert(v.name).second) return wrong("two inputs have the name " + quote(v.name) + ".");
    }
    return ok_status();
  }

  Status check_values() const {
    std::unordered_set<ValueId> inputs(graph.inputs.begin(), graph.inputs.end());
    for (size_t i = 0; i < graph.values.size(); ++i) {
      const Value& v = graph.values[i];
      TUFF_TRY(check_dims(v.shape, value_phrase(ValueId(i))));
      if (!v.producer.valid()) {
        if (!inputs.contains(ValueId(i))) return wrong(value_phrase(ValueId(i)) + " has no producer and is not an input.");
      } else if (v.producer.value >= graph.nodes.size()) {
        return wrong(value_phrase(ValueId(i)) + " has the producer node " + std::to_string(v.producer.value) +
                     ", which does not exist.");
      } else if (graph.node(v.producer).output != ValueId(i)) {
        return wrong(value_phrase(ValueId(i)) + " names " + node_text(v.producer.value) + " as its producer.");
      }
    }
    return ok_status();
  }

  Status check_wiring(size_t n) const {
    const Node& node = graph.nodes[n];
    if (!exists(node.output)) return wrong(node_text(n) + " gives a value that does not exist.");
    NodeId producer = graph.value(node.output).producer;
    if (!producer.valid()) return wrong(node_text(n) + " gives a graph input.");
    if (producer != NodeId(n))
      return wrong(node_text(n) + " gives a value that node " + std::to_string(producer.value) + " gives too.");
    for (ValueId in : node.inputs) {
      if (!exists(in)) return wrong(node_text(n) + " reads " + value_phrase(in) + ", which does not exist.");
      NodeId source = graph.value(in).producer;
      if (source.valid() && source.value >= n)
        return wrong(node_text(n) + " reads " + value_phrase(in) + ", which only node " + std::to_string(source.value) +
                     " makes: the nodes are not in topological order.");
    }
    if (node.origins.empty()) return wrong(node_text(n) + " does not say which of the model's nodes it comes from.");
    return ok_status();
  }

  Status check_node(size_t n) const {
    const Node& node = graph.nodes[n];
    TUFF_TRY(check_attrs(n));
    std::vector<ValueType> inputs;
    for (ValueId in : node.inputs) inputs.push_back({graph.value(in).dtype, graph.value(in).shape});
    auto type = infer(node.attrs, inputs);
    if (!type.ok()) return wrong(node_text(n) + ": " + type.status().message());
    const Value& out = graph.value(node.output);
    if (type->dtype != out.dtype || type->shape != out.shape)
      return wrong(node_text(n) + " gives " + type_text(type->dtype, type->shape) + ", but its value is marked " +
                   type_text(out.dtype, out.shape) + ".");
    return ok_status();
  }

  Status check_attrs(size_t n) const {
    const Attrs& attrs = graph.nodes[n].attrs;
    if (const auto* a = std::get_if<ReduceAttrs>(&attrs))
      return check_order(n, a->order, a->op == ReduceOp::kSum || a->op == ReduceOp::kProduct);
    if (const auto* a = std::get_if<WindowAttrs>(&attrs)) return check_order(n, a->order, a->op != WindowOp::kMax);
    if (const auto* a = std::get_if<ContractAttrs>(&attrs)) return check_order(n, a->order, true);
    if (const auto* a = std::get_if<SliceAttrs>(&attrs)) return check_dims(a->starts, node_text(n));
    if (const auto* a = std::get_if<PadAttrs>(&attrs)) {
      TUFF_TRY(check_dims(a->low, node_text(n)));
      return check_dims(a->high, node_text(n));
    }
    if (const auto* a = std::get_if<DimensionAttrs>(&attrs)) return check_expression(a->value, node_text(n));
    if (const auto* a = std::get_if<ConstantAttrs>(&attrs)) {
      if (a->data.kind == ConstantData::Kind::kRandom && !std::isfinite(a->data.scale))
        return wrong(node_text(n) + " draws random numbers with a scale that is not finite.");
    }
    return ok_status();
  }

  // An unset order is legal: simplify sets it.
  Status check_order(size_t n, const SumOrder& order, bool sums) const {
    bool chunked = order.kind == SumOrder::Kind::kChunked;
    if (order.kind != SumOrder::Kind::kUnset && !sums)
      return wrong(node_text(n) + " has an order of summation but adds nothing up.");
    if (chunked && (order.chunk_length <= 0 || order.chunk_length % kChunkUnit != 0))
      return wrong(node_text(n) + " sums in chunks of " + std::to_string(order.chunk_length) +
                   ", which is not a positive multiple of " + std::to_string(kChunkUnit) + ".");
    if (!chunked && order.chunk_length != 0)
      return wrong(node_text(n) + " has a chunk length of " + std::to_string(order.chunk_length) +
                   " but does not sum in chunks.");
    return ok_status();
  }

  Status check_outputs() const {
    if (graph.outputs.size() != graph.output_names.size())
      return wrong("there are " + std::to_string(graph.outputs.size()) + " outputs and " +
                   std::to_string(graph.output_names.size()) + " output names.");
    std::unordered_set<std::string_view> names;
    for (size_t i = 0; i < graph.outputs.size(); ++i) {
      const std::string& name = graph.output_names[i];
      if (!exists(graph.outputs[i]))
        return wrong("the output " + quote(name) + " is " + value_phrase(graph.outputs[i]) + ", which does not exist.");
      if (name.empty()) return wrong("the output " + value_phrase(graph.outputs[i]) + " has no name.");
      if (!names.insert(name).second) return wrong("two outputs have the name " + quote(name) + ".");
    }
    return check_data_sizes();
  }

  Status check_data_sizes() const {
    std::unordered_set<size_t> sized;
    for (const DataSize& size : graph.data_sizes) {
      if (size.output >= graph.outputs.size() || size.count >= graph.outputs.size())
        return wrong("a size is of an output, or said by one, that there is not.");
      const std::string& name = graph.output_names[size.output];
      const Value& count = graph.value(graph.outputs[size.count]);
      if (size.axis < 0 || static_cast<size_t>(size.axis) >= graph.value(graph.outputs[size.output]).shape.size())
        return wrong("the output " + quote(name) + " has no axis " + std::to_string(size.axis) + " to be sized.");
      if (count.dtype != Dtype::kI32 || !count.shape.empty())
        return wrong("the size of the output " + quote(name) + " is said by " + quote(graph.output_names[size.count]) +
                     ", which is no i32 of rank 0.");
      if (!sized.insert(size.output).second) return wrong("the output " + quote(name) + " is sized twice.");
    }
    return ok_status();
  }
};

}  // namespace

Status verify(const Graph& graph) { return GraphVerifier{graph}.verify(); }

}  // namespace tuff
