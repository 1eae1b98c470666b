// Attention as one kernel against the reference, and against its parts as kernels of their own: masks, grouped heads, what is
// done to scores, one query and many, keys that fill no tile.
#include <doctest/doctest.h>

#include <algorithm>
#include <limits>

#include "kernels/checked_builder.h"
#include "simplify/precision.h"

namespace tuff {
namespace {

enum class Mask { kNone, kAdded, kCausal, kBoolean };

struct Attention {
  int64_t heads = 2, key_heads = 2, queries = 5, keys = 7, depth = 8, columns = 8;
  Mask mask = Mask::kNone;
  bool keys_transposed = false;  // K comes as [head, depth, key]
  bool capped = false;           // tanh between scale and mask
  int64_t most_keys = 0;         // not 0: their number is dynamic, up to this
  bool merged = false;           // the result is [query, head, column], and something is added to it
  bool turned = false;           // queries are turned by angles, as those that know their positions are
};

struct AttentionBuilder : CheckedBuilder {
  // Each key head serves several heads.
  ValueId repeated(ValueId x, const Attention& a) {
    if (a.key_heads == a.heads) return x;
    const Dims shape = builder.shape(x);
    const IntExpr groups(a.key_heads), each(a.heads / a.key_heads);
    x = take(builder.reshape(x, {groups, IntExpr(1), shape[1], shape[2]}));
    x = take(builder.broadcast(x, {groups, each, shape[1], shape[2]}));
    return take(builder.reshape(x, {IntExpr(a.heads), shape[1], shape[2]}));
  }

  IntExpr keys_of(const Attention& a) {
    return a.most_keys ? builder.symbol({"keys", 0, a.most_keys, 1, nullptr}) : IntExpr(a.keys);
  }

  ValueId masked(ValueId t, const Attention& a) {
    const IntExpr queries(a.queries), keys = keys_of(a);
    const ValueId never = number(-std::numeric_limits<double>::infinity());
    switch (a.mask) {
      case Mask::kNone: return t;
      case Mask::kAdded: return map(MapOp::add, {t, builder.input("bias", Dtype::kF32, {IntExpr(1), queries, keys})});
      case Mask::kCausal: {
        const Dims shape = {IntExpr(1), queries, keys};
        const ValueId query = take(builder.add(IotaAttrs{Dtype::kI32, shape, 1}, {}));
        const ValueId key = take(builder.add(IotaAttrs{Dtype::kI32, shape, 2}, {}));
        return map(MapOp::select, {map(MapOp::less_equal, {key, query}), t, never});
      }
      case Mask::kBoolean:
        return map(MapOp::select, {builder.input("mask", Dtype::kBool, {IntExpr(1), IntExpr(1), keys}), t, never});
    }
    return t;
  }

  // Each half of a query by its cosines, and the other half, one of them negated, by its sines.
  ValueId turned(ValueId q, const Attention& a) {
    const IntExpr heads(a.heads), queries(a.queries), depth(a.depth);
    const ValueId angle = builder.input("angle", Dtype::kF32, {IntExpr(1), queries, depth});
    ValueId other = q;
    if (a.depth % 2 == 0) {
      const IntExpr half(a.depth / 2), none(0);
      const Dims shape = {heads, queries, half};
      const ValueId low = take(builder.add(SliceAttrs{{none, none, none}, {1, 1, 1}, shape}, {q}));
      const ValueId high = take(builder.add(SliceAttrs{{none, none, half}, {1, 1, 1}, shape}, {q}));
      other = take(builder.add(ConcatAttrs{2}, {map(MapOp::neg, {high}), low}));
    }
    return map(MapOp::add,
               {map(MapOp::mul, {q, map(MapOp::cos, {angle})}), map(MapOp::mul, {other, map(MapOp::sin, {angle})})});
  }

  Graph build(const Attention& a) {
    builder.set_origins({"attention"});
    const IntExpr heads(a.heads), key_heads(a.key_heads), queries(a.queries), keys = keys_of(a), depth(a.depth),
                                                                              columns(a.columns);
    ValueId q = builder.input("q", Dtype::kF32, {heads, queries, depth});
    if (a.turned) q = turned(q, a);
    ValueId k =
        builder.input("k", Dtype::kF32, a.keys_transposed ? Dims{key_heads, depth, keys} : Dims{key_heads, keys, depth});
    if (a.keys_transposed) k = take(builder.transpose(k, {0, 2, 1}));
    const ValueId v = builder.input("v", Dtype::kF32, {key_heads, keys, columns});
    ContractAttrs product;
    product.a = {0, 1, 3}, product.b = {0, 2, 3}, product.out = {0, 1, 2};
    ValueId t = take(builder.add(product, {q, repeated(k, a)}));
    t = map(MapOp::mul, {t, number(0.7)});
    if (a.capped) t = map(MapOp::mul, {map(MapOp::tanh, {t}), number(3)});
    t = masked(t, a);
    const ValueId e = map(MapOp::exp, {map(MapOp::sub, {t, take(builder.reduce(ReduceOp::kMax, t, {2}))})});
    const ValueId p = map(MapOp::div, {e, take(builder.reduce(ReduceOp::kSum, e, {2}))});
    product.a = {0, 1, 2}, product.b = {0, 2, 4}, product.out = {0, 1, 4};
    if (a.merged) product.out = {1, 0, 4};
    ValueId y = take(builder.add(product, {p, repeated(v, a)}));
    if (a.merged) y = map(MapOp::add, {y, builder.input("residual", Dtype::kF32, {queries, heads, columns})});
    builder.output(y, "y");
    return builder.graph();
  }
};

void check_attention(const Attention& a) {
  INFO("heads ", a.heads, " of ", a.key_heads, ", queries ", a.queries, ", keys ", a.keys, ", depth ", a.depth, ", columns ",
       a.columns, ", mask ", static_cast<int>(a.mask), a.keys_transposed ? ", transposed" : "", a.capped ? ", capped" : "",
       a.merged ? ", merged" : "");
  GraphCase c;
  c.graph = simplified(AttentionBuilder().build(a));
  // Over one key there is nothing to walk: the softmax is 1.
  std::string text;
  if (a.keys > 1) CHECK_MESSAGE(kernel_kinds(c.graph, {}, text) == std::vector<AnchorKind>{AnchorKind::kAttend}, text);
  check_agrees(c);
}

// On a device of so many cores that workgroups share keys, and so fast to launch that this pays for the smallest sizes.
RunMode on_many_cores() {
  RunMode mode;
  DeviceRates rates;
  rates.compute_units = 1000;
  rates.dram_bytes_per_us = 1000;
  rates.launch_ns = 1;
  mode.rates = rates;
  return mode;
}

void check_shared_keys(const Attention& a, bool is_shared) {
  INFO("heads ", a.heads, " of ", a.key_heads, ", queries ", a.queries, ", keys ", a.keys, ", mask ", static_cast<int>(a.mask));
  GraphCase c;
  c.graph = simplified(AttentionBuilder().build(a));
  if (a.most_keys) c.symbols["keys"] = a.keys;
  const auto device = test_device();
  REQUIRE(device.ok());
  RunMode exact = on_many_cores();
  exact.exact = true;
  const Verdict verdict = check_graph(c, *device, {on_many_cores(), exact});
  CHECK_MESSAGE(verdict.kind == Verdict::Kind::kAgrees, verdict.what, "\n", verdict.sources);
  CHECK((verdict.counter_bytes > 0) == is_shared);
}

// With shared memory on the chip, and too few cores for workgroups of several subgroups.
RunMode on_one_core() {
  RunMode mode;
  mode.rates = graphics_rates();
  return mode;
}

// Where queries are computed once a workgroup, by the schedule of the one kernel that there is.
enum class Stage { kNone, kLanes, kShared };
Stage stage_of(const Graph& graph, const RunMode& mode) {
  const auto device = test_device();
  REQUIRE(device.ok());
  const auto schedules = kernel_schedules(graph, *device, mode);
  REQUIRE_MESSAGE(schedules.ok(), schedules.status().message());
  for (const std::string& schedule : *schedules) {
    if (schedule.find("queries in lanes") != std::string::npos) return Stage::kLanes;
    if (schedule.find("queries in shared memory") != std::string::npos) return Stage::kShared;
  }
  return Stage::kNone;
}

// Queries that are turned as they are read, in lanes, in shared memory of one subgroup and of several, and where they are used.
void check_turned(Attention a) {
  a.turned = true;
  INFO("heads ", a.heads, " of ", a.key_heads, ", queries ", a.queries, ", keys ", a.keys, ", depth ", a.depth, ", columns ",
       a.columns, ", mask ", static_cast<int>(a.mask));
  GraphCase c;
  c.graph = simplified(AttentionBuilder().build(a));
  if (a.most_keys) c.symbols["keys"] = a.keys;
  RunMode exact = on_one_core();
  exact.exact = true;
  std::vector<RunMode> modes = {{false, true}, on_one_core(), exact, on_many_cores()};
  if (a.merged) modes.insert(modes.end(), {{false, false}, {true, true}});
  check_agrees(c, modes);
}

Attention decoding(int64_t queries, int64_t keys, int64_t depth) {
  Attention a;
  a.queries = queries, a.keys = keys, a.depth = a.columns = depth, a.turned = true;
  return a;
}

}  // namespace

TEST_CASE("attention: where few queries are computed") {
  const Graph one = simplified(AttentionBuilder().build(decoding(1, 200, 64)));
  CHECK(stage_of(one, {}) == Stage::kLanes);
  CHECK(stage_of(one, on_one_core()) == Stage::kShared);
  CHECK(stage_of(one, on_many_cores()) == Stage::kShared);
  RunMode exact = on_one_core();
  exact.exact = true;
  CHECK(stage_of(one, exact) == Stage::kShared);
  exact.rates.reset();
  CHECK(stage_of(one, exact) == Stage::kNone);  // one invocation a workgroup, without shared memory of its own
  CHECK(stage_of(simplified(AttentionBuilder().build(decoding(64, 200, 64))), on_one_core()) == Stage::kNone);
  Attention as_they_are = decoding(1, 200, 64);
  as_they_are.turned = false;
  CHECK(stage_of(simplified(AttentionBuilder().build(as_they_are)), on_one_core()) == Stage::kNone);
  std::string text;
  CHECK_MESSAGE(kernel_kinds(one, {}, text) == std::vector<AnchorKind>{AnchorKind::kAttend}, text);
  CHECK_MESSAGE(kernel_kinds(one, on_one_core(), text) == std::vector<AnchorKind>{AnchorKind::kAttend}, text);
}

TEST_CASE("attention: few queries that are computed, over keys that fill no subgroup") {
  for (int64_t queries : {1, 3})
    for (int64_t keys : {2, 33, 257}) check_turned(decoding(queries, keys, 8));
}

TEST_CASE("attention: few queries that are computed, of any head size") {
  for (int64_t depth : {5, 32, 80, 256}) {
    Attention a = decoding(depth == 32 ? 4 : 1, 70, depth);
    a.heads = a.key_heads = 1, a.columns = 12;
    check_turned(a);
  }
}

TEST_CASE("attention: queries that are computed, of keys of a number that is known late, if there are any") {
  for (int64_t keys : {0, 1, 65}) {
    Attention a = decoding(1, keys, 16);
    a.most_keys = 1000, a.mask = keys == 65 ? Mask::kAdded : Mask::kNone;
    check_turned(a);
  }
}

TEST_CASE("attention: queries that are computed, under masks, in grouped heads, and many") {
  constexpr std::pair<Mask, int64_t> kKinds[] = {{Mask::kAdded, 1}, {Mask::kCausal, 5}, {Mask::kBoolean, 70}};
  for (auto [mask, queries] : kKinds) {
    Attention a = decoding(queries, 75, 8);
    a.heads = 4, a.key_heads = 2, a.mask = mask, a.merged = queries == 1, a.keys_transposed = queries == 5;
    check_turned(a);
  }
}

TEST_CASE("attention: in f16, few queries that are computed") {
  for (const bool all : {false, true}) {
    CAPTURE(all);
    const Graph graph = simplified(AttentionBuilder().build(decoding(1, 100, 32)));
    auto lowered = all ? compute_in_f16(graph) : store_in_f16(graph);
    REQUIRE_MESSAGE(lowered.ok(), lowered.status().message());
    GraphCase c;
    c.graph = std::move(lowered->graph);
    check_agrees(c, {{false, true}, on_one_core()});
  }
}

TEST_CASE("attention: queries and keys that fill no tile") {
  for (int64_t queries : {1, 5, 65})
    for (int64_t keys : {1, 7, 8, 9, 200}) {
      Attention a;
      a.queries = queries, a.keys = keys;
      check_attention(a);
    }
}

TEST_CASE("attention: head sizes") {
  constexpr std::pair<int64_t, int64_t> kSizes[] = {{1, 1}, {3, 2}, {4, 5}, {32, 32}, {64, 80}, {256, 256}};
  for (auto [depth, columns] : kSizes) {
    Attention a;
    a.depth = depth, a.columns = columns, a.queries = 3, a.keys = 10, a.heads = a.key_heads = 1;
    check_attention(a);
  }
}

TEST_CASE("attention: masks, grouped heads, transposed keys, capped scores") {
  for (Mask mask : {Mask::kNone, Mask::kAdded, Mask::kCausal, Mask::kBoolean})
    for (int variant : {0, 3, 5, 6}) {  // each pair of the three in each of its ways
      Attention a;
      a.heads = 4, a.key_heads = variant & 1 ? 2 : 4, a.keys = 21, a.queries = 13;
      a.mask = mask, a.keys_transposed = variant & 2, a.capped = variant & 4, a.merged = variant & 1;
      check_attention(a);
    }
}

TEST_CASE("attention: in f16, or of values in f16, its scores and exponentials are not stored either") {
  for (Mask mask : {Mask::kNone, Mask::kAdded, Mask::kCausal})
    for (const bool all : {false, true}) {
      CAPTURE(all);
      Attention a;
      a.keys = 21, a.queries = 13, a.mask = mask, a.capped = mask == Mask::kAdded;
      const Graph graph = simplified(AttentionBuilder().build(a));
      auto lowered = all ? compute_in_f16(graph) : store_in_f16(graph);
      REQUIRE_MESSAGE(lowered.ok(), lowered.status().message());
      GraphCase c;
      c.graph = std::move(lowered->graph);
      std::string text;
      for (const AnchorKind kind : kernel_kinds(c.graph, {}, text))
        CHECK_MESSAGE((kind == AnchorKind::kAttend || kind == AnchorKind::kMap), text);
      check_agrees(c);
    }
}

TEST_CASE("attention: workgroups share the keys of a query, at sizes that fill no tile") {
  for (int64_t queries : {1, 3})
    for (int64_t keys : {2, 15, 16, 17, 31, 32, 33, 257, 1000}) {
      Attention a;
      a.queries = queries, a.keys = keys, a.heads = a.key_heads = 1;
      check_shared_keys(a, keys >= 16);
    }
}

TEST_CASE("attention: workgroups share keys of a number that is known late, if there are any") {
  for (int64_t keys : {0, 1, 3, 64, 257, 1000}) {
    Attention a;
    a.queries = 1, a.keys = keys, a.most_keys = 1000, a.heads = a.key_heads = 2;
    a.mask = keys == 64 ? Mask::kAdded : Mask::kNone;
    check_shared_keys(a, true);
  }
}

TEST_CASE("attention: no head, and nothing to share") {
  Attention a;
  a.queries = 1, a.keys = 100, a.heads = a.key_heads = 0;
  check_shared_keys(a, false);
}

TEST_CASE("attention: workgroups share keys under masks, in grouped heads, of odd widths") {
  for (Mask mask : {Mask::kNone, Mask::kAdded, Mask::kCausal, Mask::kBoolean})
    for (int variant : {0, 1, 2}) {
      Attention a;
      a.heads = 4, a.key_heads = variant == 1 ? 2 : 4, a.keys = 150, a.queries = variant == 2 ? 5 : 1;
      a.mask = mask, a.merged = variant == 1, a.depth = variant == 2 ? 3 : 8, a.columns = variant == 2 ? 5 : 8;
      check_shared_keys(a, true);
    }
}

TEST_CASE("attention: a decode step over many keys, summed in chunks") {
  Attention a;
  a.queries = 1, a.keys = 1000, a.heads = 4, a.key_heads = 1;
  check_attention(a);
}

}  // namespace tuff
