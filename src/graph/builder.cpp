#include "graph/builder.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/float16.h"

namespace tuff {

IntExpr GraphBuilder::symbol(const Symbol& s) {
  auto it = std::lower_bound(graph_.symbols.begin(), graph_.symbols.end(), s,
                             [](const Symbol& a, const Symbol& b) { return a.name < b.name; });
  if (it == graph_.symbols.end() || it->name != s.name) it = graph_.symbols.insert(it, s);
  return IntExpr::symbol(*it);
}

ValueId GraphBuilder::input(std::string name, Dtype dtype, Dims shape) {
  ValueId id(graph_.values.size());
  graph_.values.push_back({std::move(name), dtype, std::move(shape), {}});
  graph_.inputs.push_back(id);
  return id;
}

void GraphBuilder::output(ValueId value, std::string name) {
  graph_.outputs.push_back(value);
  graph_.output_names.push_back(std::move(name));
}

Result<ValueId> GraphBuilder::add(Attrs attrs, std::vector<ValueId> inputs) {
  std::vector<ValueType> types;
  for (ValueId in : inputs) types.push_back({dtype(in), shape(in)});
  auto type = infer(attrs, types);
  if (!type.ok()) return type.status().with_context(origins_.front());
  ValueId id(graph_.values.size());
  graph_.values.push_back({"", type->dtype, type->shape, NodeId(graph_.nodes.size())});
  graph_.nodes.push_back({std::move(attrs), std::move(inputs), id, origins_});
  return id;
}

Result<ValueId> GraphBuilder::map(MapOp op, std::vector<ValueId> operands) {
  if (operands.empty()) return add(MapAttrs{op}, {});  // says how many it takes
  Dims common = shape(operands[0]);
  for (ValueId operand : operands) {
    auto joined = broadcast_shapes(common, shape(operand));
    if (!joined)
      return invalid_argument(origins_.front() + ": cannot broadcast " + dims_text(common) + " and " +
                              dims_text(shape(operand)) + " together.");
    common = *joined;
  }
  for (ValueId& operand : operands) {
    TUFF_ASSIGN(operand, broadcast(operand, common));
  }
  return add(MapAttrs{op}, std::move(operands));
}

Result<ValueId> GraphBuilder::cast(ValueId x, Dtype target) {
  if (dtype(x) == target) return x;
  return add(MapAttrs{MapOp::cast, target}, {x});
}

Result<ValueId> GraphBuilder::reduce(ReduceOp op, ValueId x, std::vector<int> axes) {
  std::sort(axes.begin(), axes.end());
  ReduceAttrs attrs;
  attrs.op = op;
  attrs.axes = std::move(axes);
  return add(std::move(attrs), {x});
}

Result<ValueId> GraphBuilder::reshape(ValueId x, Dims target) {
  if (shape(x) == target) return x;
  return add(ReshapeAttrs{std::move(target)}, {x});
}

Result<ValueId> GraphBuilder::transpose(ValueId x, std::vector<int> perm) {
  std::vector<int> identity(shape(x).size());
  std::iota(identity.begin(), identity.end(), 0);
  if (perm == identity) return x;
  return add(TransposeAttrs{std::move(perm)}, {x});
}

Result<ValueId> GraphBuilder::broadcast(ValueId x, Dims target) {
  if (shape(x) == target) return x;
  Dims padded = shape(x);
  if (padded.size() > target.size())
    return invalid_argument(origins_.front() + ": cannot broadcast " + dims_text(padded) + " to " + dims_text(target) + ".");
  padded.insert(padded.begin(), target.size() - padded.size(), IntExpr(1));
  TUFF_ASSIGN(ValueId same_rank, reshape(x, padded));
  if (padded == target) return same_rank;
  return add(BroadcastAttrs{std::move(target)}, {same_rank});
}

Result<ValueId> GraphBuilder::scalar(Dtype dtype, double v) {
  ConstantAttrs attrs;
  attrs.dtype = dtype;
  attrs.data.kind = ConstantData::Kind::kSplat;
  attrs.data.bits = scalar_bits(dtype, v);
  return add(std::move(attrs), {});
}

Result<ValueId> GraphBuilder::constant(Dtype dtype, Dims dims, Bytes bytes) {
  ConstantAttrs attrs;
  attrs.dtype = dtype;
  attrs.shape = std::move(dims);
  attrs.data.bytes = std::move(bytes);
  return add(std::move(attrs), {});
}

std::optional<Dims> broadcast_shapes(const Dims& a, const Dims& b) {
  Dims out(std::max(a.size(), b.size()));
  for (size_t i = 0; i < out.size(); ++i) {
    const IntExpr x = i < a.size() ? a[a.size() - 1 - i] : IntExpr(1);
    const IntExpr y = i < b.size() ? b[b.size() - 1 - i] : IntExpr(1);
    if (!(x == y) && !x.is(1) && !y.is(1)) return std::nullopt;
    out[out.size() - 1 - i] = x.is(1) ? y : x;
  }
  return out;
}

namespace {

// The nearest float whose last bit is odd if v lies between two: rounding that once more is as rounding v itself.
float round_to_odd(double v) {
  float f = static_cast<float>(v);
  if (std::fabs(static_cast<double>(f)) > std::fabs(v)) f = std::nextafter(f, 0.0f);
  if (static_cast<double>(f) == v) return f;
  return std::bit_cast<float>(std::bit_cast<uint32_t>(f) | 1u);
}

// Cut off towards zero, held in the type's range; NaN is 0.
template <class Int>
uint64_t integer_bits(double v) {
  constexpr Int kLow = std::numeric_limits<Int>::min(), kHigh = std::numeric_limits<Int>::max();
  Int held = 0;
  if (v >= static_cast<double>(kHigh))
    held = kHigh;
  else if (v <= static_cast<double>(kLow))
    held = kLow;
  else if (!std::isnan(v))
    held = static_cast<Int>(v);
  return static_cast<std::make_unsigned_t<Int>>(held);
}

}  // namespace

uint64_t scalar_bits(Dtype dtype, double v) {
  switch (dtype) {
    case Dtype::kF32: return std::bit_cast<uint32_t>(static_cast<float>(v));
    case Dtype::kF16: return float_to_half(round_to_odd(v));
    case Dtype::kBf16: return float_to_bfloat16(round_to_odd(v));
    case Dtype::kF64: return std::bit_cast<uint64_t>(v);
    case Dtype::kI8: return integer_bits<int8_t>(v);
    case Dtype::kI16: return integer_bits<int16_t>(v);
    case Dtype::kI32: return integer_bits<int32_t>(v);
    case Dtype::kI64: return integer_bits<int64_t>(v);
    case Dtype::kU8: return integer_bits<uint8_t>(v);
    case Dtype::kU16: return integer_bits<uint16_t>(v);
    case Dtype::kU32: return integer_bits<uint32_t>(v);
    case Dtype::kU64: return integer_bits<uint64_t>(v);
    case Dtype::kBool: return v != 0;
  }
  return 0;
}

double scalar_from_bits(Dtype dtype, uint64_t bits) {
  switch (dtype) {
    case Dtype::kF32: return std::bit_cast<float>(static_cast<uint32_t>(bits));
    case Dtype::kF16: return half_to_float(static_cast<uint16_t>(bits));
    case Dtype::kBf16: return bfloat16_to_float(static_cast<uint16_t>(bits));
    case Dtype::kF64: return std::bit_cast<double>(bits);
    case Dtype::kI8: return static_cast<int8_t>(bits);
    case Dtype::kI16: return static_cast<int16_t>(bits);
    case Dtype::kI32: return static_cast<int32_t>(bits);
    case Dtype::kI64: return static_cast<double>(static_cast<int64_t>(bits));
    case Dtype::kU8: return static_cast<uint8_t>(bits);
    case Dtype::kU16: return static_cast<uint16_t>(bits);
    case Dtype::kU32: return static_cast<uint32_t>(bits);
    case Dtype::kU64: return static_cast<double>(bits);
    case Dtype::kBool: return (bits & 0xff) != 0;
  }
  return 0;
}

}  // namespace tuff
