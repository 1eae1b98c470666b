#include "every_primitive.h"

#include <cmath>
#include <cstring>

namespace tuff {
namespace {

template <class T>
Bytes bytes_of(const std::vector<T>& elements) {
  auto storage = std::make_shared<std::string>(elements.size() * sizeof(T), '\0');
  std::memcpy(storage->data(), elements.data(), storage->size());
  return bytes_from_string(std::move(storage));
}

ConstantAttrs random_constant(Dims shape, uint64_t seed, double scale) {
  ConstantAttrs a{Dtype::kF32, std::move(shape), {}};
  a.data = {ConstantData::Kind::kRandom, {}, seed, scale};
  return a;
}

constexpr SumOrder kSerial{SumOrder::Kind::kSerial, 0};
constexpr SumOrder kTree{SumOrder::Kind::kTree, 0};
constexpr SumOrder kChunked{SumOrder::Kind::kChunked, 256};

Status add_windows(GraphBuilder& b, ValueId image, const IntExpr& height, const IntExpr& width) {
  b.set_origins({"Conv_0"});
  TUFF_ASSIGN(ValueId w, b.add(random_constant({8, 3, 3, 3}, 7, 0.1), {}));
  b.name_value(w, "w");
  PadAttrs pad;
  pad.low = {0, 0, 1, 1};
  pad.high = {0, 0, 1, 1};
  pad.interior = {0, 0, 0, 0};
  TUFF_ASSIGN(ValueId padded, b.add(pad, {image}));
  b.set_origins({"Conv_0", "Relu_1"});
  WindowAttrs conv{WindowOp::kConv, {3, 3}, {2, 2}, {1, 1}, 1, kSerial};
  TUFF_ASSIGN(ValueId features, b.add(conv, {padded, w}));
  b.set_origins({"Pool \"max\""});
  pad.fill_bits = scalar_bits(Dtype::kF32, -INFINITY);
  TUFF_ASSIGN(padded, b.add(pad, {features}));
  TUFF_ASSIGN(ValueId pooled, b.add(WindowAttrs{WindowOp::kMax, {3, 3}, {1, 1}, {1, 1}, 1, {}}, {padded}));
  TUFF_ASSIGN(ValueId summed, b.add(WindowAttrs{WindowOp::kSum, {2, 2}, {2, 2}, {1, 1}, 1, kSerial}, {pooled}));
  b.output(summed, "pooled");

  b.set_origins({"Upsample"});
  pad.fill_bits = 0;
  pad.interior = {0, 0, 1, 1};
  TUFF_ASSIGN(ValueId stretched, b.add(pad, {image}));
  pad.interior = {0, 0, 0, 0};
  pad.mode = PadMode::kReflect;
  TUFF_ASSIGN(stretched, b.add(pad, {stretched}));
  pad.mode = PadMode::kEdge;
  TUFF_ASSIGN(stretched, b.add(pad, {stretched}));
  pad.mode = PadMode::kWrap;
  pad.low = {0, 0, height, 0};
  TUFF_ASSIGN(stretched, b.add(pad, {stretched}));
  SliceAttrs slice{{0, 0, height, IntExpr(2) * width}, {1, 1, 1, -2}, {1, 3, height, width}};
  TUFF_ASSIGN(ValueId sliced, b.add(slice, {stretched}));
  TUFF_ASSIGN(ValueId joined, b.add(ConcatAttrs{1}, {sliced, image}));
  b.output(joined, "joined");
  return ok_status();
}

Status add_attention(GraphBuilder& b, ValueId image, const IntExpr& height, const IntExpr& width) {
  b.set_origins({"Attention"});
  TUFF_ASSIGN(ValueId rows, b.reshape(image, {3, height * width}));
  TUFF_ASSIGN(ValueId columns, b.transpose(rows, {1, 0}));
  TUFF_ASSIGN(ValueId scores, b.add(ContractAttrs{{0, 1}, {1, 2}, {0, 2}, kChunked}, {rows, columns}));
  TUFF_ASSIGN(ValueId sum, b.add(ReduceAttrs{ReduceOp::kSum, {1}, false, kTree}, {scores}));
  TUFF_ASSIGN(ValueId scaled, b.map(MapOp::div, {scores, sum}));
  TUFF_ASSIGN(ValueId best, b.add(ReduceAttrs{ReduceOp::kArgMax, {1}, true, {}}, {scaled}));
  for (ReduceOp op : {ReduceOp::kProduct, ReduceOp::kMax, ReduceOp::kMin}) {
    TUFF_ASSIGN(scaled, b.reduce(op, scaled, {0}));
  }
  b.output(scaled, "extreme");
  TUFF_ASSIGN(ValueId least, b.reduce(ReduceOp::kArgMin, scores, {0}));
  TUFF_ASSIGN(ValueId picked, b.add(GatherAttrs{1}, {scores, best}));
  TUFF_ASSIGN(ValueId other, b.add(GatherAttrs{0}, {scores, least}));
  b.output(picked, "picked");
  b.output(other, "other");
  return ok_status();
}

Status add_scalars(GraphBuilder& b, const IntExpr& height) {
  b.set_origins({"Scalars"});
  TUFF_ASSIGN(ValueId counted, b.add(IotaAttrs{Dtype::kI64, {height, 2}, 0}, {}));
  TUFF_ASSIGN(ValueId size, b.add(DimensionAttrs{Dtype::kI64, floor_div(height + IntExpr(6), IntExpr(7))}, {}));
  TUFF_ASSIGN(ValueId below, b.map(MapOp::less, {counted, size}));
  TUFF_ASSIGN(ValueId any, b.reduce(ReduceOp::kAny, below, {0}));
  TUFF_ASSIGN(ValueId all, b.reduce(ReduceOp::kAll, below, {0, 1}));
  TUFF_ASSIGN(ValueId both, b.map(MapOp::logical_and, {any, all}));
  TUFF_ASSIGN(ValueId one, b.scalar(Dtype::kF16, 0.1));
  TUFF_ASSIGN(ValueId halves, b.constant(Dtype::kF16, {2}, bytes_of<uint16_t>({0x8000, 0x7e01})));
  TUFF_ASSIGN(ValueId chosen, b.map(MapOp::select, {both, one, halves}));
  TUFF_ASSIGN(ValueId widened, b.cast(chosen, Dtype::kF64));
  b.output(widened, "widened");
  std::vector<int32_t> numbers(20);
  for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<int32_t>(i * i) - 50;
  TUFF_ASSIGN(ValueId table, b.constant(Dtype::kI32, {4, 5}, bytes_of(numbers)));
  TUFF_ASSIGN(ValueId absolute, b.map(MapOp::abs, {table}));
  b.output(absolute, "absolute");
  TUFF_ASSIGN(ValueId nothing, b.constant(Dtype::kU8, {0, 3}, {}));
  b.output(nothing, "nothing");
  TUFF_ASSIGN(ValueId limits, b.constant(Dtype::kI64, {2}, bytes_of<int64_t>({INT64_MIN, INT64_MAX})));
  b.output(limits, "limits");
  return ok_status();
}

// One node for each row of ops.def, on operands that it takes.
Status add_maps(GraphBuilder& b, const IntExpr& height) {
  ValueId f = b.input("floats", Dtype::kF32, {height});
  ValueId i = b.input("integers", Dtype::kI32, {height});
  ValueId p = b.input("flags", Dtype::kBool, {height});
  for (int op = 0; op < static_cast<int>(MapOp::cast); ++op) {
    const MapOpRow& row = map_op_row(static_cast<MapOp>(op));
    b.set_origins({"Map_" + std::string(row.name)});
    ValueId x = row.operands == OperandClass::kBools ? p : row.operands == OperandClass::kIntegers ? i : f;
    std::vector<ValueId> operands(static_cast<size_t>(row.arity), x);
    if (static_cast<MapOp>(op) == MapOp::select) operands[0] = p;
    TUFF_ASSIGN(ValueId y, b.map(static_cast<MapOp>(op), operands));
    b.output(y, std::string(row.name));
  }
  return ok_status();
}

}  // namespace

Result<Graph> every_primitive() {
  Graph named;
  named.name = "every primitive";
  GraphBuilder b(std::move(named));
  IntExpr height = b.symbol({"height", 1, 4096, 1, nullptr});
  IntExpr width = b.symbol({"width", 8, 4096, 8, nullptr});
  ValueId image = b.input("image", Dtype::kF32, {1, 3, height, width});
  TUFF_TRY(add_windows(b, image, height, width));
  TUFF_TRY(add_attention(b, image, height, width));
  TUFF_TRY(add_scalars(b, height));
  TUFF_TRY(add_maps(b, height));
  b.output(image, "image");
  return std::move(b).finish();
}

}  // namespace tuff
