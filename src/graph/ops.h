// The table of scalar maps, read from ops.def, and the kinds of structured ops.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tuff {

enum class MapOp : uint8_t {
#define TUFF_OP(name, ...) name,
#include "graph/ops.def"
#undef TUFF_OP
  cast,  // to the dtype of the output; its own row because its types differ
};
inline constexpr int kMapOpCount = static_cast<int>(MapOp::cast) + 1;

enum class OperandClass : uint8_t { kFloats, kIntegers, kNumbers, kBools, kAny };
enum class ResultClass : uint8_t { kSame, kBoolean };

struct MapOpRow {
  std::string_view name;
  int arity;
  OperandClass operands;
  ResultClass result;
  int cost;
  double ulp;
  double low, high;
  // Expressions over a, b, c; "none" where the class of operands does not occur.
  std::string_view fast, exact, integer;
};

const MapOpRow& map_op_row(MapOp op);
std::optional<MapOp> map_op_from_name(std::string_view name);

}  // namespace tuff
