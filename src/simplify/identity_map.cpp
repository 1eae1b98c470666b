// Maps that give an operand back.
//   x * 1 = 1 * x = x / 1 = x      x + 0 = 0 + x = x - 0 = x (of floats in fast mode only: -0 + 0 is +0)
//   -(-x) = x                      not(not(x)) = x
//   x and true = x or false = x    (and the other way round)
#include "simplify/constants.h"
#include "simplify/rules.h"

namespace tuff {
namespace {

bool is_splat(const Rewriter& dst, ValueId v, double number) {
  auto splat = splat_value(dst, v);
  return splat && *splat == number;
}

// The number that makes a map of two operands the identity of the other one; right_only: as its right operand alone.
struct Neutral {
  double number;
  bool right_only = false;
};

std::optional<Neutral> neutral_of(MapOp op, Dtype dtype, bool exact) {
  bool zero_is_neutral = !exact || !is_float(dtype);
  switch (op) {
    case MapOp::mul: return Neutral{1};
    case MapOp::div: return Neutral{1, true};
    case MapOp::add: return zero_is_neutral ? std::optional(Neutral{0}) : std::nullopt;
    case MapOp::sub: return zero_is_neutral ? std::optional(Neutral{0, true}) : std::nullopt;
    case MapOp::logical_and: return Neutral{1};
    case MapOp::logical_or: return Neutral{0};
    default: return std::nullopt;
  }
}

}  // namespace

Rewritten identity_map(Rewriter& dst, const Site& site) {
  const auto* map = site.as<MapAttrs>();
  if (!map) return kNoMatch;
  if (map->op == MapOp::neg || map->op == MapOp::logical_not) {
    const Node* inner = dst.map_producer(site.inputs[0], map->op);
    return inner ? inner->inputs[0] : kNoMatch;
  }
  auto neutral = neutral_of(map->op, site.output.dtype, dst.options().exact);
  if (!neutral) return kNoMatch;
  if (is_splat(dst, site.inputs[1], neutral->number)) return site.inputs[0];
  if (!neutral->right_only && is_splat(dst, site.inputs[0], neutral->number)) return site.inputs[1];
  return kNoMatch;
}

}  // namespace tuff
