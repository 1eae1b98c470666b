#include "fusion/point.h"

#include <algorithm>
#include <cstring>

#include "graph/builder.h"

namespace tuff {

bool operator==(const PointOp& a, const PointOp& b) {
  return a.kind == b.kind && a.dtype == b.dtype && a.op == b.op && a.args == b.args && a.bits == b.bits && a.value == b.value &&
         a.input == b.input && a.index == b.index && a.checks == b.checks;
}

std::vector<bool> ops_needed(const Point& point, int root) {
  std::vector<bool> needed(point.ops.size());
  needed[static_cast<size_t>(root)] = true;
  for (size_t i = point.ops.size(); i-- > 0;) {
    if (!needed[i]) continue;
    auto need = [&](const Symbol& s) {
      for (size_t j = 0; j < i; ++j)
        if (s.extent && s.name == point_symbol(static_cast<int>(j))) needed[j] = true;
    };
    const PointOp& op = point.ops[i];
    for (int a : op.args) needed[static_cast<size_t>(a)] = true;
    op.index.visit_symbols(need);
    for (const RangeCheck& c : op.checks) {
      c.value.visit_symbols(need);
      c.extent.visit_symbols(need);
    }
  }
  return needed;
}

std::string point_symbol(int op) { return "p" + std::to_string(op); }

IntExpr linearise(const Dims& coordinates, const Dims& shape) {
  IntExpr index;
  for (size_t i = 0; i < shape.size(); ++i) index = index * shape[i] + coordinates[i];
  return index;
}

bool is_literal(const Attrs& attrs) {
  const auto* constant = std::get_if<ConstantAttrs>(&attrs);
  if (!constant) return false;
  return constant->data.kind == ConstantData::Kind::kSplat ||
         (constant->data.kind == ConstantData::Kind::kBytes && product(constant->shape).is(1));
}

bool needs_no_memory(const Attrs& attrs) {
  return is_literal(attrs) || std::holds_alternative<IotaAttrs>(attrs) || std::holds_alternative<DimensionAttrs>(attrs);
}

Dims delinearise(const IntExpr& index, const Dims& shape) {
  Dims out(shape.size());
  for (const IntExpr& d : shape)
    if (d.is(0)) return out;  // there is no element, and no coordinate to divide by 0 for
  IntExpr rest = index;
  for (size_t i = shape.size(); i-- > 1;) {
    out[i] = mod(rest, shape[i]);
    rest = floor_div(rest, shape[i]);
  }
  if (!shape.empty()) out[0] = rest;
  return out;
}

IntExpr storage_address(const PointScope& scope, ValueId value, const Dims& coordinates) {
  ValueId owner = value;
  Dims at = coordinates;
  // A piece of a concat may itself lie inside a piece of another.
  while (scope.placements) {
    const Placement& place = (*scope.placements)[owner.value];
    if (!place.owner.valid() || place.owner == owner) break;
    at[static_cast<size_t>(place.axis)] += place.offset;
    owner = place.owner;
  }
  Dims strides = storage_strides(scope.graph->value(owner).shape, scope.layouts->of(owner));
  IntExpr address;
  for (size_t i = 0; i < at.size(); ++i) address += at[i] * strides[i];
  return address;
}

std::optional<Dims> push_through_view(const Graph& graph, const Node& view, const Dims& coordinates) {
  const Dims& from = graph.value(view.inputs[0]).shape;
  if (const auto* reshape = std::get_if<ReshapeAttrs>(&view.attrs))
    return delinearise(linearise(coordinates, from), reshape->shape);
  if (const auto* transpose = std::get_if<TransposeAttrs>(&view.attrs)) {
    Dims out;
    for (int axis : transpose->perm) out.push_back(coordinates[static_cast<size_t>(axis)]);
    return out;
  }
  return std::nullopt;
}

int PointBuilder::add(PointOp op) {
  for (size_t i = 0; i < point_.ops.size(); ++i)
    if (point_.ops[i] == op) return static_cast<int>(i);
  point_.ops.push_back(std::move(op));
  return static_cast<int>(point_.ops.size()) - 1;
}

Result<int> PointBuilder::element(ValueId value, const Dims& coordinates) {
  for (const Known& known : known_[value.value])
    if (known.coordinates == coordinates && known.checks == checks_) return known.op;
  if (++depth_ > kMaxDepth) {
    --depth_;
    return limit_exceeded("More than " + std::to_string(kMaxDepth) + " views and maps nest in one kernel.");
  }
  auto result = evaluate(value, coordinates);
  --depth_;
  if (result.ok()) known_[value.value].push_back({coordinates, checks_, *result});
  return result;
}

Result<int> PointBuilder::evaluate(ValueId value, const Dims& coordinates) {
  const Graph& graph = *scope_.graph;
  const Value& v = graph.value(value);
  if (auto it = scope_.inputs.find(value.value); it != scope_.inputs.end()) {
    if (it->second.coordinates != coordinates)
      return invalid_argument("%" + std::to_string(value.value) + " is read at " + dims_text(coordinates) +
                              ", the kernel has it at " + dims_text(it->second.coordinates) + ".");
    PointOp op(PointOp::Kind::kInput);
    op.dtype = v.dtype;
    op.input = it->second.index;
    return add(std::move(op));
  }
  const Node* node = graph.producer(value);
  if (node) {
    if (is_literal(node->attrs)) {
      const ConstantData& data = std::get<ConstantAttrs>(node->attrs).data;
      PointOp op(PointOp::Kind::kLiteral);
      op.dtype = v.dtype;
      op.bits = data.bits;
      if (data.kind == ConstantData::Kind::kBytes) std::memcpy(&op.bits, data.bytes.data.data(), data.bytes.data.size());
      return add(std::move(op));
    }
    if (const auto* map = std::get_if<MapAttrs>(&node->attrs); map && scope_.members[v.producer.value]) {
      PointOp op(PointOp::Kind::kMap);
      op.dtype = v.dtype;
      op.op = map->op;
      for (ValueId input : node->inputs) {
        TUFF_ASSIGN(int argument, element(input, coordinates));
        op.args.push_back(argument);
      }
      return add(std::move(op));
    }
    if (const auto* iota = std::get_if<IotaAttrs>(&node->attrs)) {
      PointOp op(PointOp::Kind::kIndex);
      op.dtype = v.dtype;
      op.index = coordinates[static_cast<size_t>(iota->axis)];
      return add(std::move(op));
    }
    if (const auto* dimension = std::get_if<DimensionAttrs>(&node->attrs)) {
      PointOp op(PointOp::Kind::kIndex);
      op.dtype = v.dtype;
      op.index = dimension->value;
      return add(std::move(op));
    }
    bool viewed = is_view(node->attrs) && !(scope_.stored && (*scope_.stored)[value.value]);
    if (viewed) return view(*node, coordinates);
    if (scope_.members[v.producer.value])
      return invalid_argument("%" + std::to_string(value.value) + " is made by the kernel itself at another point.");
  }
  if (scope_.stored && !(*scope_.stored)[value.value])
    return internal_error("%" + std::to_string(value.value) + " is read but no kernel stores it.");
  PointOp op(PointOp::Kind::kLoad);
  op.dtype = v.dtype;
  op.value = value;
  op.index = storage_address(scope_, value, coordinates);
  op.checks = checks_;
  return add(std::move(op));
}

Result<int> PointBuilder::guarded(const std::vector<RangeCheck>& checks, ValueId value, const Dims& coordinates, Dtype dtype,
                                  uint64_t otherwise) {
  std::vector<RangeCheck> needed;
  for (const RangeCheck& c : checks) {
    if (proven_nonnegative(c.value) && proven_less(c.value, c.extent)) continue;
    if (std::find(checks_.begin(), checks_.end(), c) == checks_.end()) needed.push_back(c);
  }
  size_t before = checks_.size();
  checks_.insert(checks_.end(), needed.begin(), needed.end());
  auto inner = element(value, coordinates);
  checks_.resize(before);
  TUFF_ASSIGN(int loaded, inner);
  if (needed.empty()) return loaded;
  // A load that is skipped gives the fill by itself.
  PointOp& op = point_.ops[static_cast<size_t>(loaded)];
  if (op.kind == PointOp::Kind::kLoad && before == 0) {
    PointOp filled = op;
    filled.bits = otherwise;
    return add(std::move(filled));
  }
  PointOp fill(PointOp::Kind::kLiteral);
  fill.dtype = dtype;
  fill.bits = otherwise;
  int fill_op = add(std::move(fill));
  PointOp guard(PointOp::Kind::kGuard);
  guard.dtype = dtype;
  guard.args = {loaded, fill_op};
  guard.checks = std::move(needed);
  return add(std::move(guard));
}

Result<int> PointBuilder::view(const Node& node, const Dims& at) {
  const Graph& graph = *scope_.graph;
  ValueId input = node.inputs[0];
  const Dims& from = graph.value(input).shape;
  const size_t rank = from.size();

  if (std::holds_alternative<ReshapeAttrs>(node.attrs))
    return element(input, delinearise(linearise(at, graph.value(node.output).shape), from));
  if (const auto* transpose = std::get_if<TransposeAttrs>(&node.attrs)) {
    Dims source(rank);
    for (size_t i = 0; i < rank; ++i) source[static_cast<size_t>(transpose->perm[i])] = at[i];
    return element(input, source);
  }
  if (std::holds_alternative<BroadcastAttrs>(node.attrs)) {
    Dims source = at;
    for (size_t i = 0; i < rank; ++i)
      if (from[i].is(1)) source[i] = IntExpr(0);
    return element(input, source);
  }
  if (const auto* slice = std::get_if<SliceAttrs>(&node.attrs)) {
    Dims source;
    for (size_t i = 0; i < rank; ++i) source.push_back(slice->starts[i] + IntExpr(slice->steps[i]) * at[i]);
    return element(input, source);
  }
  if (const auto* pad = std::get_if<PadAttrs>(&node.attrs)) {
    Dims source;
    std::vector<RangeCheck> checks;
    for (size_t i = 0; i < rank; ++i) {
      IntExpr c = at[i] - pad->low[i];
      switch (pad->mode) {
        case PadMode::kConstant:
          if (pad->interior[i] > 0) {
            IntExpr step(pad->interior[i] + 1);
            checks.push_back({c, maximum((from[i] - IntExpr(1)) * step + IntExpr(1), IntExpr(0))});
            checks.push_back({mod(c, step), IntExpr(1)});
            c = floor_div(c, step);
          } else {
            checks.push_back({c, from[i]});
          }
          break;
        case PadMode::kEdge: c = minimum(maximum(c, IntExpr(0)), from[i] - IntExpr(1)); break;
        case PadMode::kReflect: {
          const IntExpr last = from[i] - IntExpr(1);
          // One reflection is enough where the padding is shorter than the axis; else they repeat.
          if (proven_nonnegative(last - pad->low[i]) && proven_nonnegative(last - pad->high[i])) {
            if (!pad->low[i].is(0)) c = maximum(c, -c);
            if (!pad->high[i].is(0)) c = minimum(c, IntExpr(2) * last - c);
          } else if (!pad->low[i].is(0) || !pad->high[i].is(0)) {
            c = mod(c, maximum(IntExpr(2) * last, IntExpr(1)));
            c = minimum(c, IntExpr(2) * last - c);
          }
          break;
        }
        case PadMode::kWrap: c = mod(c + from[i], maximum(from[i], IntExpr(1))); break;
      }
      // An axis that turns out to be empty has nothing to repeat; what is read then lies inside the buffer.
      if (pad->mode != PadMode::kConstant && from[i].interval().low < 1) c = maximum(c, IntExpr(0));
      source.push_back(c);
    }
    if (pad->mode != PadMode::kConstant) return element(input, source);
    return guarded(checks, input, source, graph.value(input).dtype, pad->fill_bits);
  }
  if (const auto* concat = std::get_if<ConcatAttrs>(&node.attrs)) {
    // From the last piece backwards, each guarded by where it begins and ends.
    size_t axis = static_cast<size_t>(concat->axis);
    IntExpr begin;
    std::vector<IntExpr> begins;
    for (ValueId piece : node.inputs) {
      begins.push_back(begin);
      begin += graph.value(piece).shape[axis];
    }
    int result = -1;
    for (size_t p = node.inputs.size(); p-- > 0;) {
      const IntExpr& size = graph.value(node.inputs[p]).shape[axis];
      if (size.is(0)) continue;
      Dims source = at;
      source[axis] = at[axis] - begins[p];
      RangeCheck check{source[axis], size};
      if (proven_less(check.value, IntExpr(0)) || proven_nonnegative(check.value - size)) continue;
      checks_.push_back(check);
      auto piece = element(node.inputs[p], source);
      checks_.pop_back();
      TUFF_ASSIGN(int op, piece);
      if (result < 0) {
        result = op;
        continue;
      }
      PointOp guard(PointOp::Kind::kGuard);
      guard.dtype = graph.value(node.output).dtype;
      guard.args = {op, result};
      guard.checks = {check};
      result = add(std::move(guard));
    }
    if (result < 0) {  // all pieces are empty: nobody reads this
      PointOp nothing(PointOp::Kind::kLiteral);
      nothing.dtype = graph.value(node.output).dtype;
      return add(std::move(nothing));
    }
    return result;
  }
  if (const auto* gather = std::get_if<GatherAttrs>(&node.attrs)) {
    size_t axis = static_cast<size_t>(gather->axis);
    size_t index_rank = graph.value(node.inputs[1]).shape.size();
    auto first = at.begin() + static_cast<ptrdiff_t>(axis);
    TUFF_ASSIGN(int index, element(node.inputs[1], Dims(first, first + static_cast<ptrdiff_t>(index_rank))));
    PointOp clamp(PointOp::Kind::kGatherIndex);
    clamp.dtype = Dtype::kI32;
    clamp.args = {index};
    clamp.index = from[axis];
    int clamped = add(std::move(clamp));
    Dims source(at.begin(), first);
    source.push_back(IntExpr::loop_variable(point_symbol(clamped), from[axis]));
    source.insert(source.end(), first + static_cast<ptrdiff_t>(index_rank), at.end());
    return element(input, source);
  }
  return internal_error("a node that is not a view was asked for its coordinates.");
}

std::string print(const Point& point) {
  std::string out;
  for (size_t i = 0; i < point.ops.size(); ++i) {
    const PointOp& op = point.ops[i];
    out += "p" + std::to_string(i) + ": " + std::string(dtype_name(op.dtype)) + " = ";
    switch (op.kind) {
      case PointOp::Kind::kLiteral: out += "literal " + std::to_string(scalar_from_bits(op.dtype, op.bits)); break;
      case PointOp::Kind::kIndex: out += "index " + op.index.text(); break;
      case PointOp::Kind::kLoad: out += "load %" + std::to_string(op.value.value) + "[" + op.index.text() + "]"; break;
      case PointOp::Kind::kMap: out += map_op_row(op.op).name; break;
      case PointOp::Kind::kGuard: out += "guard"; break;
      case PointOp::Kind::kGatherIndex: out += "gather_index of " + op.index.text(); break;
      case PointOp::Kind::kInput: out += "input " + std::to_string(op.input); break;
    }
    for (int a : op.args) out += " p" + std::to_string(a);
    for (const auto& c : op.checks) out += " if 0 <= " + c.value.text() + " < " + c.extent.text();
    out += "\n";
  }
  return out;
}

}  // namespace tuff
