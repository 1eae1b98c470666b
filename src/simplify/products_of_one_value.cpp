// Products of one value by several constants are one product by all of them, whose slices are the results:
//   x * a, x * b, x * c = slices of x * [a b c]        x * a + d, x * b + e = slices of x * [a b] + [d e]
// Only where each result lies in memory in any case, since a product, a sum or a rotation reads it (attention's queries, keys
// and values): those read a slice where it lies. Where maps alone read a result they are free in its product's kernel, and on a
// slice would be a kernel of their own; a concatenation's piece is written where it belongs, and a slice would be copied there.
#include <algorithm>
#include <map>
#include <set>

#include "simplify/rules.h"

namespace tuff {
namespace {

struct OneProduct {
  NodeId contract, sum;           // sum: of its result and the bias; invalid without one
  ValueId result, weights, bias;  // bias: of the result's rank, before it is repeated
};

class ProductJoiner {
 public:
  ProductJoiner(const Graph& src, const SimplifyOptions& options) : src_(src), options_(options), users_(value_users(src)) {}

  Graph run() {
    std::map<std::string, std::vector<OneProduct>> sets;
    std::vector<std::string> order;
    for (size_t n = 0; n < src_.nodes.size(); ++n) {
      OneProduct product;
      if (!matches(NodeId(n), product)) continue;
      auto [set, is_new] = sets.try_emplace(key(product));
      if (is_new) order.push_back(set->first);
      set->second.push_back(product);
    }
    dst_ = src_;
    dst_.nodes.clear();
    for (const std::string& k : order)
      if (sets[k].size() > 1 && bytes(sets[k]) <= options_.fold_limit_bytes) join(sets[k]);
    if (joined_.empty()) return src_;
    emit();
    return prune_dead(std::move(dst_));
  }

 private:
  const ContractAttrs& attrs_of(const OneProduct& p) const { return std::get<ContractAttrs>(src_.node(p.contract).attrs); }

  bool is_constant(ValueId v) const { return src_.producer_as<ConstantAttrs>(v) != nullptr; }

  // The label that the weights alone give the result; -1 where they give more, or have a batch.
  static int own_label(const ContractAttrs& product) {
    int own = -1;
    for (int label : product.b) {
      if (!has_label(product.out, label)) continue;
      if (own >= 0 || has_label(product.a, label)) return -1;
      own = label;
    }
    return own;
  }
  static size_t axis_of(const std::vector<int>& labels, int label) {
    return static_cast<size_t>(std::find(labels.begin(), labels.end(), label) - labels.begin());
  }

  // Must the value lie in memory whatever its maps do, because something reads it at other places than its own?
  bool read_elsewhere(ValueId value) const {
    std::vector<ValueId> work = {value};
    bool elsewhere = false;
    while (!work.empty()) {
      const ValueId v = work.back();
      work.pop_back();
      if (std::find(src_.outputs.begin(), src_.outputs.end(), v) != src_.outputs.end()) return false;
      for (NodeId user : users_[v.value]) {
        const Node& node = src_.node(user);
        if (std::holds_alternative<ConcatAttrs>(node.attrs)) return false;
        if (std::holds_alternative<ReshapeAttrs>(node.attrs) || std::holds_alternative<TransposeAttrs>(node.attrs))
          work.push_back(node.output);
        else
          elsewhere = elsewhere || !std::holds_alternative<MapAttrs>(node.attrs);
      }
    }
    return elsewhere;
  }

  bool matches(NodeId id, OneProduct& product) const {
    const Node& node = src_.node(id);
    const auto* attrs = std::get_if<ContractAttrs>(&node.attrs);
    if (!attrs || !is_constant(node.inputs[1]) || is_constant(node.inputs[0])) return false;
    const int own = own_label(*attrs);
    const Value& weights = src_.value(node.inputs[1]);
    if (own < 0 || !product_of_constants(weights.shape)) return false;
    product = {id, {}, node.output, node.inputs[1], {}};
    const std::vector<NodeId>& readers = users_[node.output.value];
    if (readers.size() == 1 && take_bias(node.output, readers[0], axis_of(attrs->out, own), product)) product.sum = readers[0];
    return read_elsewhere(product.result);
  }

  static bool product_of_constants(const Dims& shape) {
    return std::all_of(shape.begin(), shape.end(), [](const IntExpr& d) { return d.is_constant(); });
  }

  // result + a constant that varies along the weights' own axis alone
  bool take_bias(ValueId product, NodeId reader, size_t axis, OneProduct& into) const {
    const Node& add = src_.node(reader);
    const auto* map = std::get_if<MapAttrs>(&add.attrs);
    if (!map || map->op != MapOp::add || add.inputs[0] == add.inputs[1]) return false;
    ValueId bias = add.inputs[0] == product ? add.inputs[1] : add.inputs[0];
    if (!src_.producer_as<BroadcastAttrs>(bias)) return false;
    bias = src_.producer(bias)->inputs[0];
    if (!is_constant(bias)) return false;
    const Dims& shape = src_.value(bias).shape;
    for (size_t i = 0; i < shape.size(); ++i)
      if (i == axis ? shape[i] != src_.value(product).shape[i] : !shape[i].is(1)) return false;
    into.result = add.output;
    into.bias = bias;
    return true;
  }

  // Equal for products that can be one: the same value, axes that mean the same, a bias or none.
  std::string key(const OneProduct& p) const {
    const ContractAttrs& attrs = attrs_of(p);
    std::map<int, int> numbers;
    std::string text = std::to_string(src_.node(p.contract).inputs[0].value) + (p.sum.valid() ? " biased" : "");
    for (const auto* labels : {&attrs.a, &attrs.b, &attrs.out}) {
      text += " |";
      for (int label : *labels)
        text += " " + std::to_string(numbers.try_emplace(label, static_cast<int>(numbers.size())).first->second);
    }
    return text + std::string(dtype_name(src_.value(p.weights).dtype)) + std::to_string(static_cast<int>(attrs.order.kind));
  }

  int64_t bytes(const std::vector<OneProduct>& set) const {
    int64_t total = 0;
    for (const OneProduct& p : set) {
      const Value& weights = src_.value(p.weights);
      total += product(weights.shape).constant() * dtype_size_bytes(weights.dtype);
    }
    return total;
  }

  ValueId new_value(Dtype dtype, Dims shape) {
    dst_.values.push_back({"", dtype, std::move(shape), {}});
    return ValueId(dst_.values.size() - 1);
  }

  std::vector<std::string> origins_of(const std::vector<NodeId>& nodes) const {
    OriginList origins;
    for (NodeId n : nodes) origins.add(src_.node(n).origins);
    return origins.names();
  }

  // One after another along the axis.
  ValueId concat(const std::vector<ValueId>& pieces, size_t axis, std::vector<Node>& into) {
    Dims shape = src_.value(pieces[0]).shape;
    shape[axis] = IntExpr(0);
    std::vector<NodeId> makers;
    for (ValueId piece : pieces) {
      shape[axis] += src_.value(piece).shape[axis];
      makers.push_back(src_.value(piece).producer);
    }
    const ValueId all = new_value(src_.value(pieces[0]).dtype, shape);
    into.push_back({ConcatAttrs{static_cast<int>(axis)}, pieces, all, origins_of(makers)});
    return all;
  }

  // The nodes that stand for the set, before its first product.
  void join(const std::vector<OneProduct>& set) {
    const ContractAttrs& attrs = attrs_of(set[0]);
    const int own = own_label(attrs);
    const size_t axis = axis_of(attrs.out, own);
    std::vector<ValueId> weights, biases;
    std::vector<NodeId> contracts, sums;
    IntExpr columns;
    for (const OneProduct& p : set) {
      weights.push_back(p.weights);
      biases.push_back(p.bias);
      contracts.push_back(p.contract);
      sums.push_back(p.sum);
      columns += src_.value(p.result).shape[axis];
    }
    std::vector<Node>& nodes = joined_[set[0].contract.value];
    const Value& first = src_.value(set[0].result);
    Dims shape = first.shape;
    shape[axis] = columns;
    const ValueId joined_weights = concat(weights, axis_of(attrs.b, own), nodes);
    ValueId all = new_value(first.dtype, shape);
    nodes.push_back({attrs, {src_.node(set[0].contract).inputs[0], joined_weights}, all, origins_of(contracts)});
    if (set[0].sum.valid()) {
      const ValueId bias = concat(biases, axis, nodes);
      const ValueId repeated = new_value(first.dtype, shape), sum = new_value(first.dtype, shape);
      nodes.push_back({BroadcastAttrs{shape}, {bias}, repeated, origins_of(sums)});
      nodes.push_back({MapAttrs{MapOp::add}, {all, repeated}, sum, origins_of(sums)});
      all = sum;
    }
    IntExpr offset;
    for (const OneProduct& p : set) {
      const Dims& slice = src_.value(p.result).shape;
      SliceAttrs attrs_of_slice{Dims(slice.size()), std::vector<int64_t>(slice.size(), 1), slice};
      attrs_of_slice.starts[axis] = offset;
      offset += slice[axis];
      nodes.push_back({std::move(attrs_of_slice), {all}, p.result, src_.node(p.contract).origins});
      replaced_.insert(p.contract.value);
      if (p.sum.valid()) replaced_.insert(p.sum.value);
    }
  }

  // Constants first, which the joined products now need earlier; then the others in their order.
  void emit() {
    auto append = [&](Node node) {
      dst_.value(node.output).producer = NodeId(dst_.nodes.size());
      dst_.nodes.push_back(std::move(node));
    };
    for (const Node& node : src_.nodes)
      if (std::holds_alternative<ConstantAttrs>(node.attrs)) append(node);
    for (size_t n = 0; n < src_.nodes.size(); ++n) {
      if (auto found = joined_.find(static_cast<uint32_t>(n)); found != joined_.end())
        for (Node& node : found->second) append(std::move(node));
      const Node& node = src_.nodes[n];
      if (!std::holds_alternative<ConstantAttrs>(node.attrs) && !replaced_.count(static_cast<uint32_t>(n))) append(node);
    }
    // Values in the order of their nodes; the single products before their bias are no more.
    std::vector<ValueId> renumbered(dst_.values.size());
    std::vector<Value> values;
    auto number = [&](ValueId v) {
      renumbered[v.value] = ValueId(values.size());
      values.push_back(std::move(dst_.value(v)));
    };
    for (ValueId v : dst_.inputs) number(v);
    for (const Node& node : dst_.nodes) number(node.output);
    dst_.values = std::move(values);
    for (Node& node : dst_.nodes) {
      node.output = renumbered[node.output.value];
      for (ValueId& in : node.inputs) in = renumbered[in.value];
    }
    for (ValueId& v : dst_.inputs) v = renumbered[v.value];
    for (ValueId& v : dst_.outputs) v = renumbered[v.value];
  }

  const Graph& src_;
  const SimplifyOptions& options_;
  std::vector<std::vector<NodeId>> users_;
  Graph dst_;
  std::map<uint32_t, std::vector<Node>> joined_;  // by the first product's node: what comes in its place
  std::set<uint32_t> replaced_;                   // nodes of src
};

}  // namespace

Result<Graph> products_of_one_value(const Graph& src, const SimplifyOptions& options) {
  // Without folding the joined weights would be put together in every run.
  if (!options.evaluate_constants) return src;
  return ProductJoiner(src, options).run();
}

}  // namespace tuff
