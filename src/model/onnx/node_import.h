// NodeImport: one node of the model while its operator's function turns it into primitives. operators.h lists those
// functions; values.h holds what names of the model stand for.
#pragma once

#include <optional>

#include "model/onnx/attributes.h"
#include "model/onnx/data_axis.h"
#include "model/onnx/symbolic_tensor.h"
#include "model/onnx/tensor.h"
#include "model/onnx/value_table.h"

namespace tuff::onnx {

class NodeImport {
 public:
  NodeImport(const NodeProto& node, int64_t opset, ValueTable& values)
      : attributes(node), composition(values.builder()), node_(node), opset_(opset), values_(values) {}

  Attributes attributes;
  Composition composition;

  const NodeProto& node() const { return node_; }
  int64_t opset() const { return opset_; }

  // Inputs. One that is left out (by an empty name or at the end) does not exist; the others may be asked for.
  size_t input_count() const { return node_.inputs.size(); }
  bool has_input(size_t i) const { return i < node_.inputs.size() && !node_.inputs[i].empty(); }
  Tensor input(size_t i);
  const ValueType& input_type(size_t i) const { return values_.at(node_.inputs[i]).type; }
  // Is it a tensor of the file whose elements are 4 bits? They are read as 8.
  bool has_four_bits(size_t i) const { return values_.has_four_bits(node_.inputs[i]); }
  int rank(size_t i) const { return static_cast<int>(input_type(i).shape.size()); }
  // The elements, where they are known while importing.
  const SymbolicTensor* known(size_t i) { return values_.known(node_.inputs[i]); }
  // Elements that the import must know: sizes (with symbols), integers, numbers; else UNSUPPORTED, naming `what`.
  Result<Dims> sizes(size_t i, std::string_view what);
  // As sizes(), for places in an axis: what lies beyond every size is brought near.
  Result<Dims> positions(size_t i, std::string_view what);
  Result<std::vector<int64_t>> integers(size_t i, std::string_view what);
  Result<int64_t> integer(size_t i, std::string_view what);
  Result<std::vector<double>> reals(size_t i, std::string_view what);
  // Axes from the input (from `since` on) or the attribute "axes", made non-negative; nullopt if there are none.
  Result<std::optional<std::vector<int>>> axes(size_t input, int64_t since, int rank);

  // An axis counted from the end if it is negative; INVALID_ARGUMENT outside the rank.
  Result<int> axis(int64_t axis, int rank) const;

  // Does the file give an output and an input of the graph one size along the axis?
  bool has_declared_size_of(size_t output, size_t input, size_t axis) const {
    return output < node_.outputs.size() && values_.has_one_declared_size(node_.outputs[output], node_.inputs[input], axis);
  }

  bool output_used(size_t i) const;
  // Both answer the composition's status, so that a function ends with `return node.output(y)`.
  Status output(Tensor y) { return output(0, y); }
  Status output(size_t i, Tensor y);
  Status output(size_t i, SymbolicTensor y);
  Status output(size_t i, const TensorProto& y);

  // The data decide how many elements the first output has along an axis: `count` of them, an i32 of rank 0.
  void sized(int axis, Tensor count) { data_axis_ = DataAxis{axis, count.id()}; }
  const std::optional<DataAxis>& data_axis() const { return data_axis_; }

  Result<ConstantAttrs> load(const TensorProto& tensor) { return values_.loader().load(tensor); }
  // Takes host memory for a table from the limit on constants.
  Status reserve(int64_t size_bytes) { return values_.loader().reserve(size_bytes, "a table"); }

 private:
  const NodeProto& node_;
  int64_t opset_;
  ValueTable& values_;
  std::optional<DataAxis> data_axis_;
};

}  // namespace tuff::onnx
