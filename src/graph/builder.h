// GraphBuilder: appends nodes to a Graph, inferring and checking each as it is added.
#pragma once

#include "graph/graph.h"

namespace tuff {

class GraphBuilder {
 public:
  explicit GraphBuilder(Graph graph = {}) : graph_(std::move(graph)) {}

  const Graph& graph() const { return graph_; }
  // Names the model's nodes that what follows comes from; "graph" where none is given.
  void set_origins(std::vector<std::string> origins) {
    origins_ = origins.empty() ? std::vector<std::string>{"graph"} : std::move(origins);
  }
  const std::vector<std::string>& origins() const { return origins_; }

  // A dimension symbol; the same name gives the same symbol.
  IntExpr symbol(const Symbol& s);
  ValueId input(std::string name, Dtype dtype, Dims shape);
  void output(ValueId value, std::string name);
  void name_value(ValueId value, std::string name) { graph_.value(value).name = std::move(name); }

  Result<ValueId> add(Attrs attrs, std::vector<ValueId> inputs);

  // Shorthands. map() first broadcasts its operands against each other as NumPy does.
  Result<ValueId> map(MapOp op, std::vector<ValueId> operands);
  Result<ValueId> cast(ValueId x, Dtype dtype);
  Result<ValueId> reduce(ReduceOp op, ValueId x, std::vector<int> axes);  // keeps the axes, as size 1
  Result<ValueId> reshape(ValueId x, Dims shape);
  Result<ValueId> transpose(ValueId x, std::vector<int> perm);
  // Broadcasts to a shape of the same or a higher rank.
  Result<ValueId> broadcast(ValueId x, Dims shape);  // by value: a value's own shape moves as nodes are added
  Result<ValueId> scalar(Dtype dtype, double v);     // rank 0; v must be exact in the dtype if it is an integer one
  Result<ValueId> constant(Dtype dtype, Dims shape, Bytes bytes);

  const Value& value(ValueId id) const { return graph_.value(id); }
  const Dims& shape(ValueId id) const { return graph_.value(id).shape; }
  Dtype dtype(ValueId id) const { return graph_.value(id).dtype; }

  Graph finish() && { return std::move(graph_); }

 private:
  Graph graph_;
  std::vector<std::string> origins_ = {"graph"};
};

// NumPy's rule for two shapes; nullopt where sizes clash. Symbolic sizes match if they are equal or one of them is 1.
std::optional<Dims> broadcast_shapes(const Dims& a, const Dims& b);
// A number as an element of the dtype, in the low bytes: floats are rounded to nearest even, integers cut off towards
// zero and held in their range.
uint64_t scalar_bits(Dtype dtype, double v);
double scalar_from_bits(Dtype dtype, uint64_t bits);

}  // namespace tuff
