// Two views of one kind are one view.
//   reshape(reshape(x), s) = reshape(x, s)          broadcast(broadcast(x), s) = broadcast(x, s)
//   transpose(transpose(x, p), q) = transpose(x, p[q])
//   slice(slice(x, a, s), b, t) = slice(x, a + s*b, s*t)
//   pad(pad(x, l, h), l', h') = pad(x, l + l', h + h')   with one constant fill and nothing between elements
#include "base/checked.h"
#include "simplify/rules.h"

namespace tuff {
namespace {

std::optional<Attrs> composed(const TransposeAttrs& inner, const TransposeAttrs& outer) {
  TransposeAttrs both;
  for (int axis : outer.perm) both.perm.push_back(inner.perm[static_cast<size_t>(axis)]);
  return both;
}

std::optional<Attrs> composed(const SliceAttrs& inner, const SliceAttrs& outer) {
  SliceAttrs both;
  both.shape = outer.shape;
  for (size_t i = 0; i < outer.steps.size(); ++i) {
    auto step = checked_multiply(inner.steps[i], outer.steps[i]);
    if (!step) return std::nullopt;
    both.steps.push_back(*step);
    both.starts.push_back(inner.starts[i] + IntExpr(inner.steps[i]) * outer.starts[i]);
  }
  return both;
}

std::optional<Attrs> composed(const PadAttrs& inner, const PadAttrs& outer) {
  if (inner.mode != PadMode::kConstant || outer.mode != PadMode::kConstant || inner.fill_bits != outer.fill_bits)
    return std::nullopt;
  PadAttrs both = inner;
  for (size_t i = 0; i < outer.low.size(); ++i) {
    if (inner.interior[i] != 0 || outer.interior[i] != 0) return std::nullopt;
    both.low[i] += outer.low[i];
    both.high[i] += outer.high[i];
  }
  return both;
}

struct Composer {
  const Attrs& outer;
  std::optional<Attrs> operator()(const ReshapeAttrs&) const { return same<ReshapeAttrs>(); }
  std::optional<Attrs> operator()(const BroadcastAttrs&) const { return same<BroadcastAttrs>(); }
  std::optional<Attrs> operator()(const TransposeAttrs& inner) const { return compose(inner); }
  std::optional<Attrs> operator()(const SliceAttrs& inner) const { return compose(inner); }
  std::optional<Attrs> operator()(const PadAttrs& inner) const { return compose(inner); }
  template <class T>
  std::optional<Attrs> operator()(const T&) const {
    return std::nullopt;
  }

  template <class T>
  std::optional<Attrs> same() const {
    return std::holds_alternative<T>(outer) ? std::optional<Attrs>(outer) : std::nullopt;
  }
  template <class T>
  std::optional<Attrs> compose(const T& inner) const {
    const T* of_one_kind = std::get_if<T>(&outer);
    return of_one_kind ? composed(inner, *of_one_kind) : std::nullopt;
  }
};

}  // namespace

Rewritten view_of_view(Rewriter& dst, const Site& site) {
  if (!is_view(site.attrs) || site.inputs.size() != 1) return kNoMatch;
  const Node* inner = dst.producer(site.inputs[0]);
  if (!inner) return kNoMatch;
  std::optional<Attrs> both = std::visit(Composer{site.attrs}, inner->attrs);
  if (!both) return kNoMatch;
  ValueId x = inner->inputs[0];
  dst.also_from({site.inputs[0]});
  TUFF_ASSIGN(ValueId y, dst.builder().add(std::move(*both), {x}));
  return y;
}

}  // namespace tuff
