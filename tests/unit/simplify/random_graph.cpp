#include "random_graph.h"

#include <algorithm>
#include <numeric>
#include <random>

namespace tuff {
namespace {

constexpr int64_t kMaxElements = 4000;

class Generator {
 public:
  explicit Generator(uint64_t seed) : random_(seed) {
    b_.set_origins({"input"});
    n_ = pick<int64_t>({1, 2, 5, 7});
    IntExpr n = b_.symbol({"n", 1, 64, 1, nullptr});
    floats_.push_back(b_.input("image", Dtype::kF32,
                               {1, pick<int64_t>({1, 4, 6}), n + IntExpr(pick<int64_t>({0, 4})), pick<int64_t>({5, 8})}));
    floats_.push_back(b_.input("matrix", Dtype::kF32, {n, pick<int64_t>({1, 3, 8})}));
    floats_.push_back(b_.input("row", Dtype::kF32, {pick<int64_t>({1, 0, 7, 300})}));
    integers_.push_back(b_.input("integers", Dtype::kI32, {n, pick<int64_t>({1, 3})}));
    flags_.push_back(b_.input("flags", Dtype::kBool, {n, 1}));
  }

  RandomGraph run() {
    int steps = static_cast<int>(between(6, 26));
    for (int i = 0; i < steps; ++i) {
      b_.set_origins({"node" + std::to_string(i)});
      Result<ValueId> made = step();
      if (!made.ok() || elements(*made) > kMaxElements) continue;  // a step that does not fit its operands adds nothing
      if (chance(3)) b_.name_value(*made, "v" + std::to_string(i));
      if (b_.dtype(*made) == Dtype::kF32) floats_.push_back(*made);
      if (b_.dtype(*made) == Dtype::kI32) integers_.push_back(*made);
      if (b_.dtype(*made) == Dtype::kBool) flags_.push_back(*made);
    }
    b_.output(floats_.back(), "last");
    b_.output(pick(floats_), "float");
    b_.output(pick(integers_), "integer");
    b_.output(flags_.back(), "flag");
    return {std::move(b_).finish(), n_};
  }

 private:
  int64_t between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(random_() % static_cast<uint64_t>(high - low + 1));
  }
  bool chance(int one_in) { return between(1, one_in) == 1; }
  template <class T>
  T pick(const std::vector<T>& items) {
    return items[random_() % items.size()];
  }

  std::optional<int64_t> size_of(const IntExpr& d) const {
    return d.evaluate([&](std::string_view) { return std::optional(n_); });
  }
  int64_t elements(ValueId v) const {
    int64_t count = 1;
    for (const IntExpr& d : b_.shape(v)) count *= std::max<int64_t>(size_of(d).value_or(kMaxElements + 1), 1);
    return count;
  }
  // The latest float more often than the others: chains are what rewrites match.
  ValueId any_float() { return chance(3) ? pick(floats_) : floats_.back(); }

  // A constant that broadcasts to the shape; where sizes are symbols it has size 1.
  Result<ValueId> constant_for(Dtype dtype, const Dims& shape) {
    ConstantAttrs a;
    a.dtype = dtype;
    size_t dropped = shape.empty() ? 0 : static_cast<size_t>(between(0, static_cast<int64_t>(shape.size())));
    bool channel_only = chance(2);
    if (channel_only) dropped = std::min<size_t>(dropped, 1);
    for (size_t i = dropped; i < shape.size(); ++i) {
      bool repeated = !shape[i].is_constant() || (channel_only ? i != 1 : chance(2));
      a.shape.push_back(repeated ? IntExpr(1) : shape[i]);
    }
    if (chance(3)) {
      a.data = {ConstantData::Kind::kSplat, {}, scalar_bits(dtype, pick<double>({0, 1, 2, -1, 0.5})), 1};
    } else {
      a.data = {ConstantData::Kind::kRandom, {}, random_(), is_float(dtype) ? 1.5 : 5};
    }
    return b_.add(std::move(a), {});
  }

  Result<ValueId> random_constant(Dims shape, double scale) {
    ConstantAttrs a{Dtype::kF32, std::move(shape), {ConstantData::Kind::kRandom, {}, random_(), scale}};
    return b_.add(std::move(a), {});
  }

  Result<ValueId> step() {
    switch (between(0, 15)) {
      case 0:
      case 1: return b_.map(pick<MapOp>({MapOp::neg, MapOp::abs, MapOp::tanh, MapOp::sigmoid, MapOp::erf}), {any_float()});
      case 2: return b_.map(pick<MapOp>({MapOp::add, MapOp::sub, MapOp::mul, MapOp::max}), {any_float(), any_float()});
      case 3:
      case 4:
      case 5: return with_constant(any_float());
      case 6: return integer_map();
      case 7: return choice();
      case 8: return casts(any_float());
      case 9:
      case 10: return view(any_float());
      case 11: return view(chance(2) ? pick(integers_) : pick(flags_));
      case 12: return reduction(any_float());
      case 13: return contraction(any_float());
      default: return window(floats_[chance(2) ? 0 : floats_.size() - 1]);
    }
  }

  Result<ValueId> with_constant(ValueId x) {
    TUFF_ASSIGN(ValueId c, constant_for(Dtype::kF32, b_.shape(x)));
    MapOp op = pick<MapOp>({MapOp::add, MapOp::sub, MapOp::mul, MapOp::mul, MapOp::div});
    if (op == MapOp::div) {  // away from 0
      TUFF_ASSIGN(c, b_.map(MapOp::abs, {c}));
      TUFF_ASSIGN(ValueId half, b_.scalar(Dtype::kF32, 0.5));
      TUFF_ASSIGN(c, b_.map(MapOp::add, {c, half}));
      return b_.map(op, {x, c});
    }
    return chance(2) ? b_.map(op, {x, c}) : b_.map(op, {c, x});
  }

  Result<ValueId> integer_map() {
    ValueId x = pick(integers_);
    if (chance(3)) return b_.map(pick<MapOp>({MapOp::less, MapOp::equal}), {x, pick(integers_)});
    if (chance(4)) {
      IotaAttrs iota{Dtype::kI32, b_.shape(x), 0};
      return b_.add(std::move(iota), {});
    }
    if (chance(2)) return b_.map(pick<MapOp>({MapOp::neg, MapOp::abs, MapOp::bit_not}), {x});
    TUFF_ASSIGN(ValueId c, constant_for(Dtype::kI32, b_.shape(x)));
    return b_.map(pick<MapOp>({MapOp::add, MapOp::sub, MapOp::mul, MapOp::min, MapOp::floormod, MapOp::bit_xor}), {x, c});
  }

  Result<ValueId> choice() {
    ValueId flag = pick(flags_);
    if (chance(3)) return b_.map(MapOp::logical_not, {flag});
    if (chance(3))
      return b_.map(pick<MapOp>({MapOp::logical_and, MapOp::logical_or, MapOp::logical_xor}), {flag, pick(flags_)});
    if (chance(4)) {
      TUFF_ASSIGN(flag, b_.scalar(Dtype::kBool, chance(2) ? 1 : 0));
    }
    return b_.map(MapOp::select, {flag, any_float(), chance(3) ? any_float() : floats_.back()});
  }

  Result<ValueId> casts(ValueId x) {
    if (chance(2)) {
      TUFF_ASSIGN(x, b_.cast(x, Dtype::kF64));
      return b_.cast(x, Dtype::kF32);
    }
    ValueId i = chance(2) ? pick(integers_) : pick(flags_);
    TUFF_ASSIGN(i, b_.cast(i, pick<Dtype>({Dtype::kI64, Dtype::kF64, Dtype::kI8, Dtype::kF32, Dtype::kU8})));
    return b_.cast(i, pick<Dtype>({Dtype::kI32, Dtype::kF32, Dtype::kBool}));
  }

  Result<ValueId> view(ValueId x) {
    Dims shape = b_.shape(x);
    size_t rank = shape.size();
    if (rank == 0) return b_.reshape(x, {1, 1});
    size_t axis = static_cast<size_t>(between(0, static_cast<int64_t>(rank) - 1));
    switch (between(0, 7)) {
      case 0: {  // joins two axes, or adds one
        if (rank > 1 && axis + 1 < rank && chance(2)) {
          shape[axis] = shape[axis] * shape[axis + 1];
          shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1);
        } else {
          shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(axis), IntExpr(1));
        }
        return b_.add(ReshapeAttrs{shape}, {x});
      }
      case 1:
      case 2: {
        TransposeAttrs t;
        t.perm.resize(rank);
        std::iota(t.perm.begin(), t.perm.end(), 0);
        std::shuffle(t.perm.begin(), t.perm.end(), random_);
        return b_.add(std::move(t), {x});
      }
      case 3: {
        SliceAttrs s{Dims(rank, IntExpr(0)), std::vector<int64_t>(rank, 1), shape};
        if (chance(2)) {  // backwards, whatever the size
          s.starts[axis] = shape[axis] - IntExpr(1);
          s.steps[axis] = -1;
        } else if (shape[axis].is_constant() && shape[axis].constant() > 0) {
          int64_t start = between(0, shape[axis].constant() - 1), step = between(1, 3);
          s.starts[axis] = IntExpr(start);
          s.steps[axis] = step;
          s.shape[axis] = IntExpr((shape[axis].constant() - 1 - start) / step + 1);
        }
        return b_.add(std::move(s), {x});
      }
      case 4: {
        PadAttrs p;
        p.mode =
            shape[axis].is(0)
                ? PadMode::kConstant
                : pick<PadMode>({PadMode::kConstant, PadMode::kConstant, PadMode::kEdge, PadMode::kReflect, PadMode::kWrap});
        p.low.assign(rank, IntExpr(0));
        p.high = p.low;
        p.interior.assign(rank, 0);
        p.low[axis] = IntExpr(between(0, 2));
        p.high[axis] = IntExpr(between(0, 2));
        if (p.mode == PadMode::kConstant && chance(3)) p.interior[axis] = 1;
        p.fill_bits = scalar_bits(b_.dtype(x), chance(2) ? 0 : 1);
        return b_.add(std::move(p), {x});
      }
      case 5: {
        for (IntExpr& d : shape)
          if (d.is(1) && chance(2)) d = chance(2) ? IntExpr::symbol(b_.graph().symbols[0]) : IntExpr(3);
        return b_.add(BroadcastAttrs{shape}, {x});
      }
      case 6: return b_.add(ConcatAttrs{static_cast<int>(axis)}, chance(4) ? std::vector{x} : std::vector{x, x});
      default: {
        if (!shape[axis].is_constant() || shape[axis].is(0)) return b_.add(ReshapeAttrs{shape}, {x});
        ConstantAttrs indices{Dtype::kI64, {IntExpr(between(0, 4))}, {ConstantData::Kind::kRandom, {}, random_(), 6}};
        TUFF_ASSIGN(ValueId i, b_.add(std::move(indices), {}));
        return b_.add(GatherAttrs{static_cast<int>(axis)}, {x, i});
      }
    }
  }

  Result<ValueId> reduction(ValueId x) {
    std::vector<int> axes;
    for (size_t i = 0; i < b_.shape(x).size(); ++i)
      if (chance(2)) axes.push_back(static_cast<int>(i));
    for (int axis : axes)  // of nothing, a maximum is infinite
      if (b_.shape(x)[static_cast<size_t>(axis)].is(0)) return b_.reduce(ReduceOp::kSum, x, axes);
    return b_.reduce(pick<ReduceOp>({ReduceOp::kSum, ReduceOp::kMax, ReduceOp::kMin}), x, axes);
  }

  // a's axes get labels; some are summed, b is a constant with those, perhaps a shared one and one of its own.
  Result<ValueId> contraction(ValueId a) {
    const Dims shape = b_.shape(a);
    ContractAttrs c;
    Dims b_shape;
    for (int i = 0; i < static_cast<int>(shape.size()); ++i) {
      c.a.push_back(i);
      bool known = shape[static_cast<size_t>(i)].is_constant();
      bool in_b = known && chance(2), in_out = !in_b || chance(3);
      if (in_b) {
        c.b.push_back(i);
        b_shape.push_back(shape[static_cast<size_t>(i)]);
      }
      if (in_out) c.out.push_back(i);
    }
    if (chance(4)) std::erase_if(c.out, [&](int label) { return std::find(c.b.begin(), c.b.end(), label) != c.b.end(); });
    if (!chance(4)) {
      size_t at = static_cast<size_t>(between(0, static_cast<int64_t>(c.b.size())));
      c.b.insert(c.b.begin() + static_cast<std::ptrdiff_t>(at), 100);
      b_shape.insert(b_shape.begin() + static_cast<std::ptrdiff_t>(at), IntExpr(pick<int64_t>({1, 3, 5})));
      c.out.insert(c.out.begin() + static_cast<std::ptrdiff_t>(between(0, static_cast<int64_t>(c.out.size()))), 100);
    }
    TUFF_ASSIGN(ValueId w, random_constant(b_shape, 0.5));
    if (!chance(3)) return b_.add(std::move(c), {a, w});
    std::swap(c.a, c.b);
    return b_.add(std::move(c), {w, a});
  }

  Result<ValueId> window(ValueId x) {
    const Dims shape = b_.shape(x);
    if (shape.size() < 3 || !shape[1].is_constant() || shape[1].is(0)) return view(x);
    WindowAttrs w;
    w.op = pick<WindowOp>({WindowOp::kConv, WindowOp::kConv, WindowOp::kConv, WindowOp::kSum, WindowOp::kMax});
    for (size_t i = 2; i < shape.size(); ++i) {
      bool large = shape[i].interval().low >= 5;
      w.kernel.push_back(large ? between(1, 3) : 1);
      w.strides.push_back(between(1, 2));
      w.dilations.push_back(large ? between(1, 2) : 1);
    }
    if (w.op != WindowOp::kConv) return b_.add(std::move(w), {x});
    int64_t channels = shape[1].constant(), outputs = pick<int64_t>({2, 4, 6});
    if (chance(3))
      w.groups = channels, outputs = channels;
    else if (channels % 2 == 0 && chance(2))
      w.groups = 2;
    Dims weights = {IntExpr(outputs), IntExpr(channels / w.groups)};
    for (int64_t k : w.kernel) weights.push_back(IntExpr(k));
    TUFF_ASSIGN(ValueId c, random_constant(weights, 0.5));
    return b_.add(std::move(w), {x, c});
  }

  std::mt19937_64 random_;
  GraphBuilder b_;
  int64_t n_ = 1;
  std::vector<ValueId> floats_, integers_, flags_;
};

}  // namespace

RandomGraph random_graph(uint64_t seed) { return Generator(seed).run(); }

}  // namespace tuff
