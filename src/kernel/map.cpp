// Map kernels: chains of elementwise ops, and copies through views. The domain is the linear index over the first store's
// storage, so address arithmetic cancels where inputs have the same order.
#include <algorithm>

#include "base/checked.h"
#include "kernel/kernel_build.h"

namespace tuff {
namespace {

struct MapStore {
  ValueId value;
  int op;
  IntExpr address;
};

// Loaded values that may share the memory of one that is stored: each load is of the element that the same invocation stores,
// and feeds it, so that nothing moves the load behind the store. Of a packed value, invocations share words.
std::vector<Kernel::InPlace> in_place_pairs(const KernelRequest& request, const KernelWriter& writer, const Point& point,
                                            const std::vector<MapStore>& stores) {
  const std::vector<KernelBinding> bindings = writer.bindings();
  // Alone in its memory, and not packed.
  auto is_whole = [&](const KernelBinding& b) {
    return b.parts == std::vector<std::vector<ValueId>>{{b.value}} && !is_packed(request.graph.value(b.value).dtype);
  };
  auto fits = [&](ValueId read, const MapStore& store) {
    const std::vector<bool> needed = ops_needed(point, store.op);
    for (size_t i = 0; i < point.ops.size(); ++i) {
      const PointOp& op = point.ops[i];
      if (op.kind == PointOp::Kind::kLoad && op.value == read && !(op.index == store.address && op.checks.empty() && needed[i]))
        return false;
    }
    return true;
  };
  std::vector<Kernel::InPlace> pairs;
  for (const KernelBinding& read : bindings) {
    if (read.access != Access::kRead || !is_whole(read)) continue;
    for (const KernelBinding& written : bindings) {
      if (written.access != Access::kWrite || !is_whole(written)) continue;
      const Kernel::InPlace pair{read.value, written.value};
      for (const MapStore& store : stores)
        if (store.value == written.value && fits(read.value, store) &&
            std::find(pairs.begin(), pairs.end(), pair) == pairs.end())
          pairs.push_back(pair);
    }
  }
  return pairs;
}

// One variant. `symbols` renames a dimension symbol so that its divisibility shows (width -> 4 * width_in_fours).
Result<Kernel> map_variant(const KernelRequest& request, int width, const Substitution& symbols, const Substitution& back) {
  const Graph& graph = request.graph;
  GroupScope group(request);
  const ValueId first = request.group.stores.front();
  const Dims& at_first = request.group.coordinates.at(first.value);
  // The loop variables of the domain and their extents, in the order in which the first store has them innermost last.
  Dims domain;  // by logical axis of the group's domain
  std::vector<std::string> names;
  for (size_t axis = 0;; ++axis) {
    bool found = false;
    for (const auto& [value, coordinates] : request.group.coordinates)
      for (const IntExpr& c : coordinates)
        for (const Symbol& s : c.symbols())
          if (s.extent && s.name == "d" + std::to_string(axis) && !found) {
            found = true;
            while (domain.size() < axis) domain.push_back(IntExpr(1));
            domain.push_back(*s.extent);
          }
    if (!found && axis > 16) break;
  }
  // Storage order: if the first store's coordinates are plain variables, theirs; else the domain's own order.
  std::vector<int> order;
  bool plain = true;
  {
    ValueId owner = first;
    while (request.fusion.placements[owner.value].owner != owner) owner = request.fusion.placements[owner.value].owner;
    for (int axis : request.layouts.of(owner).order) {
      const IntExpr& c = at_first[static_cast<size_t>(axis)];
      if (c.is(0)) continue;
      std::vector<Symbol> used = c.symbols();
      bool variable = used.size() == 1 && used[0].extent && c == IntExpr::loop_variable(used[0].name, *used[0].extent);
      if (!variable) {
        plain = false;
        break;
      }
      order.push_back(std::stoi(used[0].name.substr(1)));
    }
  }
  if (!plain) {
    order.clear();
    for (size_t axis = 0; axis < domain.size(); ++axis)
      if (!domain[axis].is(1)) order.push_back(static_cast<int>(axis));
  }
  Dims ordered;
  for (int axis : order) ordered.push_back(rename_symbols(domain[static_cast<size_t>(axis)], symbols));
  const IntExpr total = product(ordered);
  const IntExpr index = IntExpr::loop_variable("i", total);
  Dims coordinates = delinearise(index, ordered);
  Substitution to_index;
  for (size_t k = 0; k < order.size(); ++k) to_index["d" + std::to_string(order[k])] = coordinates[k];

  KernelWriter writer(graph, request.fusion.placements, glsl(), request.exact, storage_features(request.device));
  Block body(writer, nullptr);
  Emitter emitter({&body});
  emitter.bind("i", "i", 0);
  PointBuilder builder(group.scope);
  std::vector<MapStore> stores;
  for (ValueId v : request.group.stores) {
    TUFF_ASSIGN(StoredElement element, stored_element(request, group.scope, builder, v));
    stores.push_back({v, element.op, element.address});
  }
  Point point = builder.point();
  rename_symbols(point, symbols);
  replace_variables(point, to_index);
  int64_t operations = 0;
  for (const PointOp& op : point.ops)
    if (op.kind == PointOp::Kind::kMap) operations += map_op_row(op.op).cost;
  for (MapStore& s : stores) {
    std::vector<std::string> lanes = emitter.emit(point, s.op, "i", width);
    s.address = replace_variables(rename_symbols(s.address, symbols), to_index);
    TUFF_TRY(emitter.store(s.value, s.address, lanes, "i", width));
  }

  const IntExpr vectors = total.is(0) ? IntExpr(0) : *divide_exact(total, IntExpr(width));
  constexpr int kInvocations = 64;
  Grid1d grid = spread(ceil_div(vectors, IntExpr(kInvocations)), request.device);
  Slots slots;
  slots["grid_index"] = grid.grid_index;
  slots["vector_count"] = writer.parameter(vectors);
  slots["element"] = body.text(0);
  TUFF_ASSIGN(Kernel kernel, finish_kernel(request, writer, "map", std::move(slots), {kInvocations, 1, 1}, grid.grid,
                                           "64 invocations of " + std::to_string(width)));
  kernel.multiply_adds = total * IntExpr(operations);
  kernel.in_place = in_place_pairs(request, writer, point, stores);
  for (IntExpr& e : kernel.parameters) e = rename_symbols(e, back);
  for (IntExpr& e : kernel.grid) e = rename_symbols(e, back);
  kernel.multiply_adds = rename_symbols(kernel.multiply_adds, back);
  return kernel;
}

// A symbol s with E = c * s (c constant) for which `width` divides E only if s is a multiple of the result.
struct Divisible {
  Symbol symbol;
  int64_t divisor;
};
std::optional<Divisible> divisible_when(const IntExpr& extent, int width) {
  if (extent.terms().size() != 1 || extent.terms()[0].atoms.size() != 1) return std::nullopt;
  const Atom& atom = extent.terms()[0].atoms[0];
  if (atom->kind != AtomKind::kSymbol || atom->symbol.extent) return std::nullopt;
  int64_t divisor = width;
  for (int64_t c = extent.terms()[0].coefficient; divisor > 1 && c % 2 == 0; c /= 2) divisor /= 2;
  return Divisible{atom->symbol, divisor};
}

}  // namespace

Result<std::vector<GuardedKernel>> make_map(const KernelRequest& request) {
  const ValueId first = request.group.stores.front();
  const int axis = innermost_axis(request, first);
  const IntExpr innermost = axis < 0 ? IntExpr(1) : request.graph.value(first).shape[static_cast<size_t>(axis)];
  std::vector<GuardedKernel> out;
  int known = vector_width(innermost);
  if (known == 1) {
    for (int width : {4, 2}) {
      auto divisible = divisible_when(innermost, width);
      if (!divisible || divisible->symbol.max < divisible->divisor) continue;
      Symbol part = divisible->symbol;
      part.name += "_in_" + std::to_string(divisible->divisor) + "s";
      part.min = ceil_div(part.min, divisible->divisor);
      part.max = part.max / divisible->divisor;
      const IntExpr whole = IntExpr::symbol(divisible->symbol);
      Substitution symbols = {{divisible->symbol.name, IntExpr(divisible->divisor) * IntExpr::symbol(part)}};
      Substitution back = {{part.name, floor_div(whole, IntExpr(divisible->divisor))}};
      TUFF_ASSIGN(Kernel kernel, map_variant(request, width, symbols, back));
      kernel.name += "_w" + std::to_string(width);
      GuardedKernel guarded;
      guarded.guard.divides.push_back({whole, divisible->divisor});
      guarded.kernel = std::move(kernel);
      out.push_back(std::move(guarded));
      break;  // a multiple of 2 but not of 4 is rare enough for the last variant
    }
  }
  GuardedKernel last;
  TUFF_ASSIGN(last.kernel, map_variant(request, known, {}, {}));
  out.push_back(std::move(last));
  return out;
}

}  // namespace tuff
