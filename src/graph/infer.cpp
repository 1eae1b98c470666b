// infer(): the shape rule of every primitive, from attributes and input types to the output type.
#include <algorithm>
#include <set>

#include "base/checked.h"
#include "graph/graph.h"

namespace tuff {
namespace {

std::string type_text(const ValueType& t) { return std::string(dtype_name(t.dtype)) + dims_text(t.shape); }

bool operand_allowed(OperandClass operands, Dtype d) {
  switch (operands) {
    case OperandClass::kFloats: return is_float(d);
    case OperandClass::kIntegers: return is_integer(d);
    case OperandClass::kNumbers: return d != Dtype::kBool;
    case OperandClass::kBools: return d == Dtype::kBool;
    case OperandClass::kAny: return true;
  }
  return false;
}

Status check_count(const std::vector<ValueType>& inputs, size_t count) {
  if (inputs.size() == count) return ok_status();
  return invalid_argument("takes " + std::to_string(count) + " inputs, got " + std::to_string(inputs.size()) + ".");
}

// A negative size is wrong whatever the symbols are.
Status check_shape(const Dims& shape) {
  for (const auto& d : shape)
    if (d.interval().high < 0) return invalid_argument("the size " + d.text() + " is negative.");
  return ok_status();
}

struct Inferrer {
  const std::vector<ValueType>& in;

  Result<ValueType> operator()(const MapAttrs& a) const {
    const MapOpRow& row = map_op_row(a.op);
    TUFF_TRY(check_count(in, static_cast<size_t>(row.arity)));
    for (const auto& operand : in)
      if (operand.shape != in[0].shape)
        return invalid_argument("operand shapes " + dims_text(in[0].shape) + " and " + dims_text(operand.shape) + " differ.");
    if (a.op == MapOp::cast) return ValueType{a.dtype, in[0].shape};
    size_t first = a.op == MapOp::select ? 1 : 0;
    if (first == 1 && in[0].dtype != Dtype::kBool) return invalid_argument("the condition of select must be bool.");
    for (size_t i = first; i < in.size(); ++i) {
      if (in[i].dtype != in[first].dtype)
        return invalid_argument("operand types " + type_text(in[first]) + " and " + type_text(in[i]) + " differ.");
      if (!operand_allowed(row.operands, in[i].dtype))
        return invalid_argument("does not take operands of type " + std::string(dtype_name(in[i].dtype)) + ".");
    }
    return ValueType{row.result == ResultClass::kBoolean ? Dtype::kBool : in.back().dtype, in[0].shape};
  }

  Result<ValueType> operator()(const ReduceAttrs& a) const {
    TUFF_TRY(check_count(in, 1));
    ValueType out = in[0];
    bool logical = a.op == ReduceOp::kAny || a.op == ReduceOp::kAll;
    bool index = a.op == ReduceOp::kArgMax || a.op == ReduceOp::kArgMin;
    if (logical != (in[0].dtype == Dtype::kBool))
      return invalid_argument("does not reduce values of type " + std::string(dtype_name(in[0].dtype)) + ".");
    if (index && a.axes.size() != 1) return invalid_argument("an arg-reduction has exactly one axis.");
    for (size_t i = 0; i < a.axes.size(); ++i) {
      if (a.axes[i] < 0 || a.axes[i] >= static_cast<int>(out.shape.size()) || (i && a.axes[i] <= a.axes[i - 1]))
        return invalid_argument("axes must be ascending and inside the rank " + std::to_string(out.shape.size()) + ".");
      out.shape[static_cast<size_t>(a.axes[i])] = IntExpr(1);
    }
    if (index) out.dtype = Dtype::kI64;
    return out;
  }

  Result<ValueType> operator()(const ContractAttrs& a) const {
    TUFF_TRY(check_count(in, 2));
    if (in[0].dtype != in[1].dtype) return invalid_argument("the factors differ in type.");
    if (in[0].dtype == Dtype::kBool) return invalid_argument("does not multiply bools.");
    if (a.a.size() != in[0].shape.size() || a.b.size() != in[1].shape.size())
      return invalid_argument("has labels for another rank than its inputs have.");
    std::vector<std::pair<int, IntExpr>> sizes;
    auto bind = [&](int label, const IntExpr& size) -> Status {
      for (const auto& [known, known_size] : sizes) {
        if (known != label) continue;
        if (known_size == size) return ok_status();
        return invalid_argument("the sizes " + known_size.text() + " and " + size.text() + " meet on one axis.");
      }
      sizes.emplace_back(label, size);
      return ok_status();
    };
    for (size_t side = 0; side < 2; ++side) {
      const auto& labels = side ? a.b : a.a;
      if (std::set<int>(labels.begin(), labels.end()).size() != labels.size())
        return invalid_argument("an input repeats a label.");
      for (size_t i = 0; i < labels.size(); ++i) TUFF_TRY(bind(labels[i], in[side].shape[i]));
    }
    ValueType out{in[0].dtype, {}};
    std::set<int> seen;
    for (int label : a.out) {
      auto it = std::find_if(sizes.begin(), sizes.end(), [&](const auto& s) { return s.first == label; });
      if (it == sizes.end() || !seen.insert(label).second)
        return invalid_argument("an output label is repeated or not in the inputs.");
      out.shape.push_back(it->second);
    }
    return out;
  }

  Result<ValueType> operator()(const WindowAttrs& a) const {
    bool conv = a.op == WindowOp::kConv;
    TUFF_TRY(check_count(in, conv ? 2 : 1));
    size_t spatial = a.kernel.size();
    if (in[0].shape.size() != spatial + 2 || a.strides.size() != spatial || a.dilations.size() != spatial)
      return invalid_argument("kernel, strides and dilations do not fit the input " + type_text(in[0]) + ".");
    if (a.groups < 1) return invalid_argument("has " + std::to_string(a.groups) + " groups.");
    ValueType out{in[0].dtype, {in[0].shape[0], in[0].shape[1]}};
    if (conv) {
      const Dims& w = in[1].shape;
      if (w.size() != spatial + 2 || in[1].dtype != in[0].dtype)
        return invalid_argument("the weights " + type_text(in[1]) + " do not fit the input " + type_text(in[0]) + ".");
      for (size_t i = 0; i < spatial; ++i)
        if (!w[2 + i].is(a.kernel[i])) return invalid_argument("the weights' kernel is not the attribute's.");
      if (!(w[1] * IntExpr(a.groups) == in[0].shape[1]))
        return invalid_argument("has " + in[0].shape[1].text() + " input channels where the weights " + dims_text(w) + " in " +
                                std::to_string(a.groups) + " groups want " + (w[1] * IntExpr(a.groups)).text() + ".");
      if (!w[0].is_constant() || w[0].constant() % a.groups != 0)
        return invalid_argument("has output channels that the groups do not divide.");
      out.shape[1] = w[0];
    }
    for (size_t i = 0; i < spatial; ++i) {
      if (a.kernel[i] < 1 || a.strides[i] < 1 || a.dilations[i] < 1)
        return invalid_argument("kernel, strides and dilations must be positive.");
      IntExpr extent = IntExpr(a.dilations[i]) * IntExpr(a.kernel[i] - 1) + IntExpr(1);
      IntExpr room = in[0].shape[2 + i] - extent;
      if (extent.has_overflowed() || room.interval().high < 0)
        return invalid_argument("the window of " + extent.text() + " is larger than the padded input size " +
                                in[0].shape[2 + i].text() + ".");
      out.shape.push_back(floor_div(room, IntExpr(a.strides[i])) + IntExpr(1));
    }
    return out;
  }

  Result<ValueType> operator()(const ReshapeAttrs& a) const {
    TUFF_TRY(check_count(in, 1));
    TUFF_TRY(check_shape(a.shape));
    if (!(product(a.shape) == product(in[0].shape)))
      return invalid_argument("cannot view " + dims_text(in[0].shape) + " as " + dims_text(a.shape) +
                              ": the element counts differ.");
    return ValueType{in[0].dtype, a.shape};
  }

  Result<ValueType> operator()(const TransposeAttrs& a) const {
    TUFF_TRY(check_count(in, 1));
    std::vector<int> sorted = a.perm;
    std::sort(sorted.begin(), sorted.end());
    ValueType out{in[0].dtype, {}};
    for (size_t i = 0; i < sorted.size(); ++i)
      if (sorted[i] != static_cast<int>(i)) return invalid_argument("perm is not a permutation.");
    if (sorted.size() != in[0].shape.size()) return invalid_argument("perm has another rank than the input.");
    for (int axis : a.perm) out.shape.push_back(in[0].shape[static_cast<size_t>(axis)]);
    return out;
  }

  Result<ValueType> operator()(const SliceAttrs& a) const {
    TUFF_TRY(check_count(in, 1));
    size_t rank = in[0].shape.size();
    if (a.starts.size() != rank || a.steps.size() != rank || a.shape.size() != rank)
      return invalid_argument("starts, steps and shape do not have the input's rank.");
    TUFF_TRY(check_shape(a.shape));
    for (size_t i = 0; i < rank; ++i) {
      if (a.steps[i] == 0) return invalid_argument("a step is 0.");
      if (a.shape[i].is(0)) continue;
      IntExpr last = a.starts[i] + IntExpr(a.steps[i]) * (a.shape[i] - IntExpr(1));
      bool outside = (in[0].shape[i] - IntExpr(1) - last).interval().high < 0 || last.interval().high < 0 ||
                     (in[0].shape[i] - IntExpr(1) - a.starts[i]).interval().high < 0 || a.starts[i].interval().high < 0;
      if (outside && a.shape[i].interval().low > 0)
        return invalid_argument("slices " + a.starts[i].text() + " to " + last.text() + " out of the size " +
                                in[0].shape[i].text() + ".");
    }
    return ValueType{in[0].dtype, a.shape};
  }

  Result<ValueType> operator()(const PadAttrs& a) const {
    TUFF_TRY(check_count(in, 1));
    size_t rank = in[0].shape.size();
    if (a.low.size() != rank || a.high.size() != rank || a.interior.size() != rank)
      return invalid_argument("low, high and interior do not have the input's rank.");
    ValueType out{in[0].dtype, {}};
    for (size_t i = 0; i < rank; ++i) {
      if (a.low[i].interval().high < 0 || a.high[i].interval().high < 0 || a.interior[i] < 0)
        return invalid_argument("an amount of padding is negative.");
      if (a.interior[i] > 0 && a.mode != PadMode::kConstant)
        return invalid_argument("interior padding has a constant fill only.");
      if (a.mode != PadMode::kConstant && in[0].shape[i].is(0) && !(a.low[i].is(0) && a.high[i].is(0)))
        return invalid_argument("an empty axis has nothing to repeat as padding.");
      IntExpr stretched = in[0].shape[i];
      if (a.interior[i] > 0) {
        IntExpr gaps = maximum(IntExpr(0), in[0].shape[i] - IntExpr(1));
        stretched = stretched + gaps * IntExpr(a.interior[i]);
      }
      out.shape.push_back(stretched + a.low[i] + a.high[i]);
    }
    return out;
  }

  Result<ValueType> operator()(const BroadcastAttrs& a) const {
    TUFF_TRY(check_count(in, 1));
    if (a.shape.size() != in[0].shape.size()) return invalid_argument("broadcasts to another rank.");
    TUFF_TRY(check_shape(a.shape));
    for (size_t i = 0; i < a.shape.size(); ++i)
      if (!in[0].shape[i].is(1) && !(in[0].shape[i] == a.shape[i]))
        return invalid_argument("cannot broadcast " + dims_text(in[0].shape) + " to " + dims_text(a.shape) + ".");
    return ValueType{in[0].dtype, a.shape};
  }

  Result<ValueType> operator()(const ConcatAttrs& a) const {
    if (in.empty()) return invalid_argument("takes at least 1 input.");
    ValueType out = in[0];
    if (a.axis < 0 || a.axis >= static_cast<int>(out.shape.size()))
      return invalid_argument("axis " + std::to_string(a.axis) + " is outside the rank.");
    size_t axis = static_cast<size_t>(a.axis);
    for (size_t i = 1; i < in.size(); ++i) {
      if (in[i].dtype != out.dtype || in[i].shape.size() != out.shape.size())
        return invalid_argument("joins " + type_text(in[0]) + " and " + type_text(in[i]) + ".");
      for (size_t d = 0; d < out.shape.size(); ++d)
        if (d != axis && !(in[i].shape[d] == out.shape[d]))
          return invalid_argument("joins " + type_text(in[0]) + " and " + type_text(in[i]) + ".");
      out.shape[axis] += in[i].shape[axis];
    }
    return out;
  }

  Result<ValueType> operator()(const GatherAttrs& a) const {
    TUFF_TRY(check_count(in, 2));
    if (in[1].dtype != Dtype::kI32 && in[1].dtype != Dtype::kI64)
      return invalid_argument("indices must be i32 or i64, not " + std::string(dtype_name(in[1].dtype)) + ".");
    if (a.axis < 0 || a.axis >= static_cast<int>(in[0].shape.size()))
      return invalid_argument("axis " + std::to_string(a.axis) + " is outside the rank.");
    ValueType out{in[0].dtype, {}};
    auto split = in[0].shape.begin() + a.axis;
    out.shape.assign(in[0].shape.begin(), split);
    out.shape.insert(out.shape.end(), in[1].shape.begin(), in[1].shape.end());
    out.shape.insert(out.shape.end(), split + 1, in[0].shape.end());
    return out;
  }

  Result<ValueType> operator()(const IotaAttrs& a) const {
    TUFF_TRY(check_count(in, 0));
    TUFF_TRY(check_shape(a.shape));
    if (a.axis < 0 || a.axis >= static_cast<int>(a.shape.size()))
      return invalid_argument("axis " + std::to_string(a.axis) + " is outside the rank.");
    if (a.dtype == Dtype::kBool) return invalid_argument("does not count in bools.");
    return ValueType{a.dtype, a.shape};
  }

  Result<ValueType> operator()(const DimensionAttrs& a) const {
    TUFF_TRY(check_count(in, 0));
    if (a.dtype == Dtype::kBool) return invalid_argument("must be a number, not bool.");
    return ValueType{a.dtype, {}};
  }

  Result<ValueType> operator()(const ConstantAttrs& a) const {
    TUFF_TRY(check_count(in, 0));
    TUFF_TRY(check_shape(a.shape));
    IntExpr count = product(a.shape);
    if (count.has_overflowed()) return ValueType{a.dtype, a.shape};  // refused below
    if (!count.is_constant()) return invalid_argument("a constant's shape must be known.");
    auto size_bytes = checked_multiply(count.constant(), dtype_size_bytes(a.dtype));
    if (a.data.kind == ConstantData::Kind::kBytes &&
        (!size_bytes || a.data.bytes.data.size() != static_cast<uint64_t>(*size_bytes)))
      return invalid_argument("has " + std::to_string(a.data.bytes.data.size()) + " bytes of data for " +
                              std::string(dtype_name(a.dtype)) + dims_text(a.shape) + ".");
    return ValueType{a.dtype, a.shape};
  }
};

}  // namespace

Result<ValueType> infer(const Attrs& attrs, const std::vector<ValueType>& inputs) {
  auto type = std::visit(Inferrer{inputs}, attrs);
  const std::string where(attrs_name(attrs));
  if (!type.ok()) return Status(type.status().code(), where + " " + type.status().message());
  if (product(type->shape).has_overflowed())
    return limit_exceeded(where + " gives " + type_text(*type) + ", whose element count 64 bits cannot hold.");
  return type;
}

}  // namespace tuff
