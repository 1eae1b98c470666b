// ValueTable: what each name of the model stands for, while it is imported.
//
// A name is bound once: to a value of the graph, to a tensor of the file, or to elements that are known. The last two
// become nodes only when someone needs them as data.
#pragma once

#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "graph/builder.h"
#include "model/onnx/symbolic_tensor.h"
#include "model/onnx/tensor_data.h"

namespace tuff::onnx {

struct Binding {
  ValueType type;
  ValueId value;                        // invalid: not data yet
  const TensorProto* tensor = nullptr;  // of an initializer or a Constant node
  std::shared_ptr<const SymbolicTensor> known;
  bool known_tried = false;
  std::string origin;  // the node, or the initializer
};

class ValueTable {
 public:
  ValueTable(GraphBuilder& builder, TensorLoader& loader) : builder_(builder), loader_(loader) {}

  GraphBuilder& builder() { return builder_; }
  TensorLoader& loader() { return loader_; }

  bool contains(std::string_view name) const { return bindings_.count(name) != 0; }
  const Binding& at(std::string_view name) const { return bindings_.at(name); }

  // INVALID_ARGUMENT if the name is taken; LIMIT if the shape is beyond what sizes may be.
  Status bind(std::string_view name, ValueId value);
  Status bind(std::string_view name, const TensorProto& tensor, std::string origin);
  Status bind(std::string_view name, SymbolicTensor known, std::string origin);

  // The value as data, made from the tensor or the known elements on first use.
  Result<ValueId> value(std::string_view name);
  const SymbolicTensor* known(std::string_view name);  // null if the elements are not known
  // The bytes of a constant, whatever its size; nullopt if the name is not bound to one.
  Result<std::optional<ConstantAttrs>> constant(std::string_view name);

  // Is the name bound to a tensor of the file whose elements are 4 bits?
  bool has_four_bits(std::string_view name) const;

  // What the file says of the shapes of the graph's inputs and outputs.
  void declare(const ValueInfoProto& info) { declared_.emplace(info.name, &info); }
  // Does it give both one size along the axis, as a number or a name?
  bool has_one_declared_size(std::string_view a, std::string_view b, size_t axis) const;

  // Names that a node or the graph's outputs read.
  void mark_used(std::string_view name) { used_.insert(name); }
  bool is_used(std::string_view name) const { return used_.count(name) != 0; }

 private:
  Status insert(std::string_view name, Binding binding);
  Result<ValueId> materialize(const SymbolicTensor& known);
  Result<ValueId> materialize_four_bits(const TensorProto& tensor, const Dims& shape);

  GraphBuilder& builder_;
  TensorLoader& loader_;
  std::unordered_map<std::string_view, Binding> bindings_;
  std::unordered_set<std::string_view> used_;
  std::unordered_map<std::string_view, const ValueInfoProto*> declared_;
};

}  // namespace tuff::onnx
