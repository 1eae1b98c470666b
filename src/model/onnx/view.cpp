// Operators that only move elements: as views, which cost nothing by themselves.
#include <algorithm>

#include "base/checked.h"
#include "model/onnx/operators.h"
#include "model/onnx/slice_range.h"

namespace tuff::onnx {
namespace {

// 0 keeps the input's size (unless allowzero), and one -1 takes what is left over.
Status reshape_to(NodeImport& node) {
  TUFF_ASSIGN(Dims target, node.sizes(1, "shape"));
  const Dims& source = node.input_type(0).shape;
  bool allow_zero = node.attributes.integer("allowzero", 0) != 0;
  std::optional<size_t> free;
  IntExpr rest(1);
  for (size_t i = 0; i < target.size(); ++i) {
    if (target[i].is(0) && !allow_zero) {
      if (i >= source.size())
        return invalid_argument("its shape copies an axis that its input " + dims_text(source) + " lacks.");
      target[i] = source[i];
    }
    if (target[i].is(-1)) {
      if (free) return invalid_argument("its shape " + dims_text(target) + " has more than one -1.");
      free = i;
    } else {
      rest *= target[i];
    }
  }
  if (free) {
    IntExpr count = product(source);
    if (rest.is(0)) return invalid_argument("its shape " + dims_text(target) + " leaves the -1 open, since it has a 0.");
    auto left = divide_exact(count, rest);
    if (!left && !count.is_constant())
      return unsupported("its shape " + dims_text(target) + " divides " + count.text() + " elements by " + rest.text() +
                         ", which is not known to be whole; a divisor given for a symbol can settle that.");
    if (!left) return invalid_argument("its shape " + dims_text(target) + " does not fit " + count.text() + " elements.");
    target[*free] = *left;
  }
  return node.output(reshape(node.input(0), std::move(target)));
}

Status transpose_axes(NodeImport& node) {
  std::vector<int> perm;
  for (int64_t p : node.attributes.integers("perm")) {
    TUFF_ASSIGN(int axis, node.axis(p, node.rank(0)));
    perm.push_back(axis);
  }
  if (perm.empty())
    for (int i = node.rank(0); i-- > 0;) perm.push_back(i);
  if (perm.size() != static_cast<size_t>(node.rank(0))) return invalid_argument("its perm does not have its input's rank.");
  return node.output(transpose(node.input(0), std::move(perm)));
}

// A matrix: the axes before `axis`, and those from it on.
Status flatten(NodeImport& node) {
  int64_t rank = node.rank(0), axis = node.attributes.integer("axis", 1);
  if (axis < -rank || axis > rank)
    return invalid_argument("the axis " + std::to_string(axis) + " is outside the rank " + std::to_string(rank) + ".");
  if (axis < 0) axis += rank;
  const Dims& s = node.input_type(0).shape;
  Dims rows(s.begin(), s.begin() + axis), columns(s.begin() + axis, s.end());
  return node.output(reshape(node.input(0), {product(rows), product(columns)}));
}

Status squeeze(NodeImport& node) {
  const Dims& s = node.input_type(0).shape;
  TUFF_ASSIGN(auto axes, node.axes(1, 13, node.rank(0)));
  Dims shape;
  for (size_t i = 0; i < s.size(); ++i) {
    bool listed = axes && std::find(axes->begin(), axes->end(), static_cast<int>(i)) != axes->end();
    if (listed && !s[i].is(1))
      return invalid_argument("it drops the axis " + std::to_string(i) + " of size " + s[i].text() + ".");
    if (!axes && !s[i].is_constant())
      return unsupported("without axes, whether it drops the size " + s[i].text() + " is not known.");
    if (!(axes ? listed : s[i].is(1))) shape.push_back(s[i]);
  }
  return node.output(reshape(node.input(0), std::move(shape)));
}

Status unsqueeze(NodeImport& node) {
  const Dims& s = node.input_type(0).shape;
  // The axes are places in the result, whose rank depends on how many there are.
  std::vector<int64_t> listed = node.attributes.integers("axes");
  if (node.opset() >= 13) {
    if (!node.has_input(1)) return invalid_argument("it has no axes.");
    TUFF_ASSIGN(listed, node.integers(1, "axes"));
  }
  if (listed.size() + s.size() > kRankLimit)
    return limit_exceeded("its result has more than " + std::to_string(kRankLimit) + " axes.");
  int rank = static_cast<int>(listed.size() + s.size());
  TUFF_ASSIGN(auto axes, node.axes(1, 13, rank));
  Dims shape;
  auto next = s.begin();
  for (int i = 0; i < rank; ++i) {
    bool added = axes && std::find(axes->begin(), axes->end(), i) != axes->end();
    shape.push_back(added ? IntExpr(1) : *next++);
  }
  return node.output(reshape(node.input(0), std::move(shape)));
}

Status expand(NodeImport& node) {
  TUFF_ASSIGN(Dims target, node.sizes(1, "shape"));
  const Dims& source = node.input_type(0).shape;
  auto shape = broadcast_shapes(source, target);
  if (!shape) return invalid_argument("it cannot expand " + dims_text(source) + " to " + dims_text(target) + ".");
  return node.output(broadcast(node.input(0), *shape));
}

// [d0, d1] as [1, d0, 1, d1], repeated to [r0, d0, r1, d1], seen as [r0*d0, r1*d1].
Status tile(NodeImport& node) {
  TUFF_ASSIGN(Dims repeats, node.sizes(1, "repeats"));
  const Dims& source = node.input_type(0).shape;
  if (repeats.size() != source.size()) return invalid_argument("its repeats do not have its input's rank.");
  Dims split, repeated, joined;
  for (size_t i = 0; i < source.size(); ++i) {
    if (!proven_nonnegative(repeats[i])) return invalid_argument("it repeats an axis " + repeats[i].text() + " times.");
    if (!repeats[i].is(1)) {
      split.push_back(IntExpr(1));
      repeated.push_back(repeats[i]);
    }
    split.push_back(source[i]);
    repeated.push_back(source[i]);
    joined.push_back(repeats[i] * source[i]);
  }
  return node.output(reshape(broadcast(reshape(node.input(0), std::move(split)), repeated), std::move(joined)));
}

// Depth holds a block of b x b: DCR orders channels [b, b, c], CRD [c, b, b].
Status depth_to_space(NodeImport& node) {
  int64_t b = node.attributes.integer("blocksize", 0);
  std::string_view mode = node.attributes.text("mode", "DCR");
  if (node.rank(0) != 4 || b < 1 || b > (1 << 20)) return invalid_argument("it needs a rank of 4 and a positive blocksize.");
  if (mode != "DCR" && mode != "CRD") return invalid_argument("its mode is '" + std::string(mode) + "', not DCR or CRD.");
  const Dims& s = node.input_type(0).shape;
  auto depth = divide_exact(s[1], IntExpr(b * b));
  if (!depth) return invalid_argument("its " + s[1].text() + " channels are not a multiple of " + std::to_string(b * b) + ".");
  bool dcr = mode == "DCR";
  Dims split = dcr ? Dims{s[0], b, b, *depth, s[2], s[3]} : Dims{s[0], *depth, b, b, s[2], s[3]};
  std::vector<int> perm = dcr ? std::vector<int>{0, 3, 4, 1, 5, 2} : std::vector<int>{0, 1, 4, 2, 5, 3};
  Tensor y = transpose(reshape(node.input(0), std::move(split)), std::move(perm));
  return node.output(reshape(y, {s[0], *depth, s[2] * IntExpr(b), s[3] * IntExpr(b)}));
}

Status space_to_depth(NodeImport& node) {
  int64_t b = node.attributes.integer("blocksize", 0);
  if (node.rank(0) != 4 || b < 1 || b > (1 << 20)) return invalid_argument("it needs a rank of 4 and a positive blocksize.");
  const Dims& s = node.input_type(0).shape;
  auto height = divide_exact(s[2], IntExpr(b)), width = divide_exact(s[3], IntExpr(b));
  if (!height || !width) {
    std::string message = "its height " + s[2].text() + " or width " + s[3].text() + " is not known to be a multiple of " +
                          std::to_string(b) + ".";
    return s[2].is_constant() && s[3].is_constant() ? invalid_argument(message) : unsupported(message);
  }
  Tensor y = transpose(reshape(node.input(0), {s[0], s[1], *height, b, *width, b}), {0, 3, 5, 1, 2, 4});
  return node.output(reshape(y, {s[0], s[1] * IntExpr(b * b), *height, *width}));
}

Status concat_inputs(NodeImport& node) {
  TUFF_ASSIGN(int axis, node.axis(node.attributes.integer("axis", 0), node.rank(0)));
  std::vector<Tensor> parts;
  for (size_t i = 0; i < node.input_count(); ++i) parts.push_back(node.input(i));
  return node.output(concat(parts, axis));
}

// Sizes from the attribute or the input; else equal pieces, the last one smaller where they do not fit.
Status split(NodeImport& node) {
  TUFF_ASSIGN(int axis, node.axis(node.attributes.integer("axis", 0), node.rank(0)));
  const IntExpr size = node.input_type(0).shape[static_cast<size_t>(axis)];
  size_t count = node.node().outputs.size();
  Dims sizes;
  for (int64_t s : node.attributes.integers("split")) sizes.push_back(IntExpr(s));
  if (node.opset() >= 13) {
    sizes.clear();
    if (node.has_input(1)) {
      TUFF_ASSIGN(sizes, node.sizes(1, "split"));
    }
  }
  if (node.attributes.integer("num_outputs", static_cast<int64_t>(count)) != static_cast<int64_t>(count))
    return invalid_argument("its num_outputs is not the number of its outputs.");
  if (sizes.empty() && count > 0) {
    IntExpr piece = ceil_div(size, IntExpr(static_cast<int64_t>(count))), left = size;
    for (size_t i = 0; i + 1 < count; ++i) {
      sizes.push_back(minimum(piece, left));
      left = left - sizes.back();
    }
    sizes.push_back(left);
  }
  IntExpr start;
  for (const IntExpr& s : sizes) start += s;
  if (sizes.size() != count || !(start == size))
    return invalid_argument("its pieces " + dims_text(sizes) + " do not make up the size " + size.text() + " in " +
                            std::to_string(count) + " outputs.");
  start = IntExpr(0);
  Tensor x = node.input(0);
  for (size_t i = 0; i < count; ++i) {
    if (node.output_used(i)) TUFF_TRY(node.output(i, slice(x, axis, start, sizes[i])));
    start += sizes[i];
  }
  return node.composition.status();
}

Status slice_axes(NodeImport& node) {
  Dims starts, ends;
  std::vector<int64_t> axes, steps;
  if (node.opset() < 10) {
    for (int64_t v : node.attributes.integers("starts")) starts.push_back(IntExpr(std::max(v, -INT64_MAX)));
    for (int64_t v : node.attributes.integers("ends")) ends.push_back(IntExpr(std::max(v, -INT64_MAX)));
    axes = node.attributes.integers("axes");
  } else {
    if (node.input_count() < 3) return invalid_argument("it has no starts or ends.");
    TUFF_ASSIGN(starts, node.positions(1, "starts"));
    TUFF_ASSIGN(ends, node.positions(2, "ends"));
    if (node.has_input(3)) {
      TUFF_ASSIGN(axes, node.integers(3, "axes"));
    }
    if (node.has_input(4)) {
      TUFF_ASSIGN(steps, node.integers(4, "steps"));
    }
  }
  if (axes.empty())
    for (size_t i = 0; i < starts.size(); ++i) axes.push_back(static_cast<int64_t>(i));
  if (steps.empty()) steps.assign(starts.size(), 1);
  if (ends.size() != starts.size() || axes.size() != starts.size() || steps.size() != starts.size())
    return invalid_argument("its starts, ends, axes and steps differ in number.");
  Tensor x = node.input(0);
  TUFF_TRY(node.composition.status());
  SliceAttrs attrs{Dims(x.shape().size()), std::vector<int64_t>(x.shape().size(), 1), x.shape()};
  std::vector<bool> sliced(x.shape().size(), false);
  for (size_t i = 0; i < axes.size(); ++i) {
    TUFF_ASSIGN(int axis, node.axis(axes[i], x.rank()));
    size_t a = static_cast<size_t>(axis);
    if (sliced[a]) return invalid_argument("it slices the axis " + std::to_string(axis) + " twice.");
    sliced[a] = true;
    if (steps[i] == 0) return invalid_argument("its step is 0.");
    auto range = slice_range(x.shape()[a], starts[i], ends[i], steps[i]);
    if (!range)
      return unsupported("whether " + starts[i].text() + " or " + ends[i].text() +
                         " counts from the end depends on the sizes.");
    attrs.starts[a] = range->start;
    attrs.steps[a] = range->count.is(1) ? 1 : steps[i];
    attrs.shape[a] = range->count;
  }
  bool all = attrs.shape == x.shape() && std::all_of(attrs.steps.begin(), attrs.steps.end(), [](int64_t s) { return s == 1; });
  if (all) return node.output(x);
  return node.output(node.composition.add(std::move(attrs), {x}));
}

Result<PadMode> pad_mode(std::string_view name) {
  if (name == "constant") return PadMode::kConstant;
  if (name == "edge") return PadMode::kEdge;
  if (name == "reflect") return PadMode::kReflect;
  if (name == "wrap") return PadMode::kWrap;
  return invalid_argument("its mode is '" + std::string(name) + "'.");
}

// The other modes repeat elements that must be there: reflect those beside the edge, edge and wrap any.
Status check_padding(const IntExpr& size, const IntExpr& low, const IntExpr& high, PadMode mode) {
  if (mode == PadMode::kConstant || !size.is_constant()) return ok_status();
  IntExpr left = size + minimum(low, IntExpr(0)) + minimum(high, IntExpr(0));
  IntExpr limit = mode == PadMode::kReflect ? left - IntExpr(1) : maximum(left, IntExpr(0)) * IntExpr(Symbol::kMax);
  for (const IntExpr& amount : {low, high})
    if (proven_less(maximum(limit, IntExpr(0)), amount))
      return invalid_argument("it pads " + amount.text() + " elements where there are " + left.text() + " to take them from.");
  return ok_status();
}

// Negative amounts crop before the others pad.
Status pad_axes(NodeImport& node) {
  int rank = node.rank(0);
  Dims amounts;
  double value = 0;
  if (node.opset() < 11) {
    for (int64_t v : node.attributes.integers("pads")) amounts.push_back(IntExpr(v));
    value = node.attributes.real("value", 0);
  } else {
    if (node.input_count() < 2) return invalid_argument("it has no pads.");
    TUFF_ASSIGN(amounts, node.sizes(1, "pads"));
  }
  TUFF_ASSIGN(PadMode mode, pad_mode(node.attributes.text("mode", "constant")));
  Dtype dtype = node.input_type(0).dtype;
  uint64_t fill_bits = scalar_bits(dtype, value);
  if (node.opset() >= 11 && node.has_input(2) && mode == PadMode::kConstant) {
    const SymbolicTensor* known = node.known(2);
    if (known && known->is_constant() && known->elements.size() == 1) {
      fill_bits = constant_bits(*known)[0];
    } else {
      TUFF_ASSIGN(std::vector<double> fill, node.reals(2, "constant_value"));
      if (fill.size() != 1) return invalid_argument("its constant_value must be one element.");
      fill_bits = scalar_bits(dtype, fill[0]);
    }
  }
  std::vector<int> axes;
  for (int i = 0; i < rank; ++i) axes.push_back(i);
  if (node.opset() >= 18 && node.has_input(3)) {
    TUFF_ASSIGN(auto given, node.axes(3, 18, rank));
    axes = *given;
  }
  if (amounts.size() != 2 * axes.size())
    return invalid_argument("it has " + std::to_string(amounts.size()) + " pads for " + std::to_string(axes.size()) + " axes.");
  Dims low(static_cast<size_t>(rank)), high(static_cast<size_t>(rank));
  for (size_t i = 0; i < axes.size(); ++i) {
    TUFF_TRY(check_padding(node.input_type(0).shape[static_cast<size_t>(axes[i])], amounts[i], amounts[axes.size() + i], mode));
    low[static_cast<size_t>(axes[i])] = amounts[i];
    high[static_cast<size_t>(axes[i])] = amounts[axes.size() + i];
  }
  return node.output(pad(node.input(0), low, high, fill_bits, mode));
}

constexpr Operator kViewOperators[] = {
    {"Concat", 4, 1, kVariadic, concat_inputs},
    {"DepthToSpace", 1, 1, 1, depth_to_space},
    {"Expand", 8, 2, 2, expand},
    {"Flatten", 1, 1, 1, flatten},
    {"Pad", 2, 1, 4, pad_axes},
    {"Reshape", 5, 2, 2, reshape_to},
    {"Slice", 1, 1, 5, slice_axes},
    {"SpaceToDepth", 1, 1, 1, space_to_depth},
    {"Split", 2, 1, 2, split},
    {"Squeeze", 1, 1, 2, squeeze},
    {"Tile", 6, 2, 2, tile},
    {"Transpose", 1, 1, 1, transpose_axes},
    {"Unsqueeze", 1, 1, 2, unsqueeze},
};

}  // namespace

std::span<const Operator> view_operators() { return kViewOperators; }

}  // namespace tuff::onnx
