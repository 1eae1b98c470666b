#include "graph/ops.h"

namespace tuff {
namespace {

constexpr MapOpRow kMapOpRows[] = {
#define TUFF_OP(name, arity, operands, result, cost, ulp, low, high, fast, exact, integer, truth) \
  {#name, arity, OperandClass::operands, ResultClass::result, cost, ulp, low, high, #fast, #exact, #integer},
#include "graph/ops.def"
#undef TUFF_OP
    {"cast", 1, OperandClass::kAny, ResultClass::kSame, 1, 0.5, -100, 100, "none", "none", "none"},
};

}  // namespace

const MapOpRow& map_op_row(MapOp op) { return kMapOpRows[static_cast<int>(op)]; }

std::optional<MapOp> map_op_from_name(std::string_view name) {
  for (int i = 0; i < kMapOpCount; ++i)
    if (kMapOpRows[i].name == name) return static_cast<MapOp>(i);
  return std::nullopt;
}

}  // namespace tuff
