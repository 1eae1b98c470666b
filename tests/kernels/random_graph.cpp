#include "kernels/random_graph.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "graph/builder.h"
#include "simplify/precision.h"

namespace tuff {
namespace {

constexpr int64_t kMaxElements = 6000;
constexpr int64_t kMaxMultiplyAdds = 1 << 20;

class Generator {
 public:
  explicit Generator(uint32_t seed) : random_(seed) {}

  GraphCase run() {
    add_symbols();
    const int steps = 1 + pick(one_in(3) ? 14 : 7);
    for (int i = 0; i < 1 + pick(2); ++i) new_input(one_in(6) ? integer_dtype() : Dtype::kF32, random_shape());
    for (int i = 0; i < steps; ++i) {
      builder_.set_origins({"n" + std::to_string(i)});
      step();
    }
    choose_outputs();
    GraphCase c;
    c.special_values = one_in(8);
    c.input_seed = random_();
    c.symbols = sizes_;
    c.graph = std::move(builder_).finish();
    c.graph.name = "random";
    return c;
  }

 private:
  // --- Dice.
  int pick(int count) { return static_cast<int>(random_() % static_cast<uint32_t>(count)); }
  bool one_in(int n) { return pick(n) == 0; }
  template <class T>
  T among(std::initializer_list<T> items) {
    return *(items.begin() + pick(static_cast<int>(items.size())));
  }
  int64_t dimension() {
    if (one_in(60)) return 0;
    if (one_in(6)) return among({31, 33, 63, 64, 65, 32, 17, 128});
    return among({1, 1, 2, 3, 4, 4, 5, 6, 7, 8, 8, 9, 12, 16});
  }
  Dtype integer_dtype() {
    return among(
        {Dtype::kI32, Dtype::kI32, Dtype::kU32, Dtype::kI8, Dtype::kU8, Dtype::kI16, Dtype::kU16, Dtype::kI64, Dtype::kU64});
  }

  // --- Symbols.
  void add_symbols() {
    if (!one_in(3)) return;
    struct Choice {
      Symbol symbol;
      std::vector<int64_t> values;
    };
    const Choice choices[] = {{{"h", 1, 4096, 1, {}}, {1, 2, 5, 8, 13, 16, 33}},
                              {{"w", 4, 4096, 4, {}}, {4, 8, 12, 20, 64}},
                              {{"s", 0, 1024, 1, {}}, {0, 1, 3, 4, 7}},
                              {{"t", 3, 90, 3, {}}, {3, 6, 12, 24}}};
    for (int i = 0; i < 1 + pick(2); ++i) {
      const Choice& c = choices[pick(4)];
      if (sizes_.count(c.symbol.name)) continue;
      symbols_.push_back(builder_.symbol(c.symbol));
      sizes_[c.symbol.name] = c.values[static_cast<size_t>(pick(static_cast<int>(c.values.size())))];
    }
  }
  int64_t size(const IntExpr& e) const {
    return e.evaluate([&](std::string_view n) { return std::optional<int64_t>(sizes_.at(std::string(n))); }).value_or(-1);
  }
  int64_t count(const Dims& shape) const {
    int64_t n = 1;
    for (const IntExpr& d : shape) n *= size(d);
    return n;
  }
  int64_t count(ValueId v) const { return count(builder_.shape(v)); }

  // --- Values.
  IntExpr random_extent() {
    if (!symbols_.empty() && one_in(3)) {
      IntExpr s = symbols_[static_cast<size_t>(pick(static_cast<int>(symbols_.size())))];
      return one_in(4) ? s * IntExpr(2) : one_in(5) ? s + IntExpr(1) : s;
    }
    return IntExpr(dimension());
  }
  Dims random_shape() { return random_shape(among({0, 1, 2, 2, 2, 3, 3, 4, 4, 5})); }
  Dims random_shape(int rank) {
    for (;;) {
      Dims shape;
      for (int i = 0; i < rank; ++i) shape.push_back(random_extent());
      if (count(shape) <= kMaxElements) return shape;
    }
  }
  ValueId keep(ValueId v) {
    values_.push_back(v);
    return v;
  }
  ValueId new_input(Dtype dtype, Dims shape) {
    return keep(builder_.input("x" + std::to_string(builder_.graph().inputs.size()), dtype, std::move(shape)));
  }
  // An input, or a constant where the shape is known.
  ValueId new_source(Dtype dtype, const Dims& shape) {
    bool known = std::all_of(shape.begin(), shape.end(), [](const IntExpr& d) { return d.is_constant(); });
    if (!known || one_in(3)) return new_input(dtype, shape);
    ConstantAttrs attrs;
    attrs.dtype = dtype;
    attrs.shape = shape;
    if (one_in(4) || count(shape) > 64 || dtype == Dtype::kBool) {
      attrs.data.kind = is_float(dtype) && !one_in(4) ? ConstantData::Kind::kRandom : ConstantData::Kind::kSplat;
      attrs.data.bits =
          attrs.data.kind == ConstantData::Kind::kRandom ? random_() : scalar_bits(dtype, is_float(dtype) ? 0.75 : 1);
    } else {
      auto storage = std::make_shared<std::string>();
      for (int64_t i = 0; i < count(shape); ++i) {
        uint64_t bits = scalar_bits(dtype, is_float(dtype)            ? (pick(33) - 16) / 8.0
                                           : is_signed_integer(dtype) ? pick(9) - 4
                                                                      : pick(5));
        storage->append(reinterpret_cast<const char*>(&bits), static_cast<size_t>(dtype_size_bytes(dtype)));
      }
      attrs.data.bytes = bytes_from_string(storage);
    }
    auto v = builder_.add(attrs, {});
    return v.ok() ? keep(*v) : new_input(dtype, shape);
  }
  template <class Accepts>
  ValueId any_value(Accepts accepts, ValueId otherwise) {
    std::vector<ValueId> found;
    for (ValueId v : values_)
      if (accepts(v)) found.push_back(v);
    if (found.empty()) return otherwise;
    // Recent values more often, so that graphs grow deep.
    size_t back = std::min(static_cast<size_t>(pick(static_cast<int>(found.size()))),
                           static_cast<size_t>(pick(static_cast<int>(found.size()))));
    return found[found.size() - 1 - back];
  }
  ValueId any(Dtype dtype) {
    auto v = any_value([&](ValueId x) { return builder_.dtype(x) == dtype; }, ValueId());
    return v.valid() ? v : new_source(dtype, random_shape());
  }
  ValueId any() {
    return any_value([](ValueId) { return true; }, ValueId());
  }
  // A value that can be broadcast to the shape.
  ValueId fitting(Dtype dtype, const Dims& shape) {
    auto fits = [&](ValueId x) {
      auto both = broadcast_shapes(shape, builder_.shape(x));
      return builder_.dtype(x) == dtype && both && *both == shape;
    };
    ValueId found = one_in(4) ? ValueId() : any_value(fits, ValueId());
    if (found.valid()) return found;
    Dims smaller = shape;
    for (IntExpr& d : smaller)
      if (one_in(3)) d = IntExpr(1);
    while (!smaller.empty() && smaller[0].is(1) && one_in(2)) smaller.erase(smaller.begin());
    return new_source(dtype, smaller);
  }

  bool add(Attrs attrs, std::vector<ValueId> inputs, ValueId* out = nullptr) {
    std::vector<ValueType> types;
    for (ValueId in : inputs) types.push_back({builder_.dtype(in), builder_.shape(in)});
    auto type = infer(attrs, types);
    if (!type.ok() || count(type->shape) > kMaxElements) return false;
    for (const IntExpr& d : type->shape)
      if (size(d) < 0 || d.interval().low < 0) return false;
    auto v = builder_.add(std::move(attrs), std::move(inputs));
    if (!v.ok()) return false;
    keep(*v);
    if (out) *out = *v;
    return true;
  }
  ValueId map(MapOp op, std::vector<ValueId> operands) {
    auto v = builder_.map(op, operands);
    return v.ok() ? keep(*v) : operands[0];
  }

  // --- Steps.
  void step() {
    switch (pick(23)) {
      case 0:
      case 1:
      case 2: unary(); break;
      case 3:
      case 4:
      case 5: binary(); break;
      case 6: compare(); break;
      case 7: integers(); break;
      case 8: casts(); break;
      case 9:
      case 10: reduce(); break;
      case 11: normalise(); break;
      case 12:
      case 13: contract(); break;
      case 14:
      case 15: window(); break;
      case 16: concat(); break;
      case 17: gather(); break;
      case 18: counted(); break;
      case 19: attend(); break;
      case 20: separable(); break;
      default: view(); break;
    }
  }

  void unary() {
    constexpr MapOp kUnary[] = {MapOp::neg,   MapOp::abs,        MapOp::sign,    MapOp::floor, MapOp::ceil,  MapOp::round,
                                MapOp::trunc, MapOp::reciprocal, MapOp::sqrt,    MapOp::rsqrt, MapOp::exp,   MapOp::log,
                                MapOp::sin,   MapOp::cos,        MapOp::tan,     MapOp::asin,  MapOp::acos,  MapOp::atan,
                                MapOp::sinh,  MapOp::cosh,       MapOp::tanh,    MapOp::asinh, MapOp::acosh, MapOp::atanh,
                                MapOp::erf,   MapOp::sigmoid,    MapOp::softplus};
    MapOp op =
        one_in(2) ? kUnary[pick(std::size(kUnary))] : among({MapOp::neg, MapOp::abs, MapOp::tanh, MapOp::sigmoid, MapOp::erf});
    ValueId x = any(one_in(8) ? Dtype::kF16 : Dtype::kF32);
    // Keep most arguments where the function is defined.
    const MapOpRow& row = map_op_row(op);
    if (row.low >= 0 && op != MapOp::sqrt)
      x = map(MapOp::add, {map(MapOp::abs, {x}), scalar(builder_.dtype(x), op == MapOp::acosh ? 1 : 0.5)});
    else if (row.low > -2 || op == MapOp::exp || op == MapOp::sinh || op == MapOp::cosh)
      x = map(MapOp::sin, {x});
    map(op, {x});
  }
  ValueId scalar(Dtype dtype, double v) { return *builder_.scalar(dtype, v); }

  void binary() {
    MapOp op = among({MapOp::add, MapOp::add, MapOp::sub, MapOp::mul, MapOp::mul, MapOp::div, MapOp::max, MapOp::min,
                      MapOp::fmod, MapOp::floormod, MapOp::pow});
    ValueId a = any(one_in(10) ? among({Dtype::kF16, Dtype::kBf16}) : Dtype::kF32),
            b = fitting(builder_.dtype(a), builder_.shape(a));
    if (op == MapOp::pow) a = map(MapOp::abs, {a});
    if (one_in(2))
      map(op, {a, b});
    else
      map(op, {b, a});
  }

  void compare() {
    ValueId a = any(one_in(4) ? Dtype::kI32 : Dtype::kF32);
    switch (pick(5)) {
      case 0: map(among({MapOp::is_nan, MapOp::is_inf}), {any(Dtype::kF32)}); break;
      case 1: {
        ValueId p = any(Dtype::kBool);
        map(among({MapOp::logical_and, MapOp::logical_or, MapOp::logical_xor, MapOp::equal}),
            {p, fitting(Dtype::kBool, builder_.shape(p))});
        break;
      }
      case 2: map(MapOp::logical_not, {any(Dtype::kBool)}); break;
      case 3: {
        ValueId c = fitting(Dtype::kBool, builder_.shape(a));
        map(MapOp::select, {c, a, fitting(builder_.dtype(a), builder_.shape(a))});
        break;
      }
      default:
        map(among({MapOp::equal, MapOp::less, MapOp::less_equal}), {a, fitting(builder_.dtype(a), builder_.shape(a))});
        break;
    }
  }

  void integers() {
    Dtype dtype = integer_dtype();
    ValueId a = any(dtype);
    MapOp op = among({MapOp::add, MapOp::sub, MapOp::mul, MapOp::div, MapOp::fmod, MapOp::floormod, MapOp::pow, MapOp::max,
                      MapOp::min, MapOp::neg, MapOp::abs, MapOp::sign, MapOp::bit_and, MapOp::bit_or, MapOp::bit_xor,
                      MapOp::bit_not, MapOp::shift_left, MapOp::shift_right});
    if (map_op_row(op).arity == 1)
      map(op, {a});
    else
      map(op, {a, fitting(dtype, builder_.shape(a))});
  }

  void casts() {
    Dtype to = one_in(2) ? Dtype::kF32
                         : among({Dtype::kF16, Dtype::kBf16, Dtype::kI32, Dtype::kU8, Dtype::kI8, Dtype::kI64, Dtype::kU32,
                                  Dtype::kBool, Dtype::kI16, Dtype::kU16, Dtype::kU64});
    ValueId x = any();
    if (is_float(builder_.dtype(x)) && is_integer(to) && builder_.dtype(x) == Dtype::kF32)
      x = map(MapOp::mul, {x, scalar(Dtype::kF32, 37)});
    if (auto v = builder_.cast(x, to); v.ok()) keep(*v);
  }

  SumOrder tree() { return {SumOrder::Kind::kTree, 0}; }

  void reduce() {
    ReduceOp op = among({ReduceOp::kSum, ReduceOp::kSum, ReduceOp::kMax, ReduceOp::kMin, ReduceOp::kProduct, ReduceOp::kArgMax,
                         ReduceOp::kArgMin, ReduceOp::kAny, ReduceOp::kAll});
    bool logical = op == ReduceOp::kAny || op == ReduceOp::kAll, arg = op == ReduceOp::kArgMax || op == ReduceOp::kArgMin;
    ValueId x = any(logical ? Dtype::kBool : one_in(5) ? integer_dtype() : one_in(8) ? Dtype::kF16 : Dtype::kF32);
    int rank = static_cast<int>(builder_.shape(x).size());
    ReduceAttrs attrs;
    attrs.op = op;
    if (op == ReduceOp::kSum || op == ReduceOp::kProduct) attrs.order = tree();
    if (rank == 0) {
      if (!arg) add(attrs, {x});
      return;
    }
    for (int axis = 0; axis < rank; ++axis)
      if (one_in(2)) attrs.axes.push_back(axis);
    if (arg) attrs.axes = {pick(rank)};
    attrs.select_last = arg && one_in(3);
    add(attrs, {x});
  }

  ValueId reduced(ReduceOp op, ValueId x, const std::vector<int>& axes) {
    ReduceAttrs attrs{op, axes, false, {}};
    if (op == ReduceOp::kSum) attrs.order = tree();
    ValueId out = x;
    add(attrs, {x}, &out);
    return out;
  }

  // Softmax, or a layer, instance or RMS norm, over random axes.
  void normalise() {
    ValueId x = any(Dtype::kF32);
    int rank = static_cast<int>(builder_.shape(x).size());
    if (rank == 0) return;
    std::vector<int> axes;
    for (int axis = 0; axis < rank; ++axis)
      if (one_in(2)) axes.push_back(axis);
    if (axes.empty()) axes = {rank - 1};
    switch (pick(3)) {
      case 0: {
        ValueId e = map(MapOp::exp, {map(MapOp::sub, {x, reduced(ReduceOp::kMax, x, axes)})});
        ValueId sum = reduced(ReduceOp::kSum, e, axes);
        if (one_in(3))
          map(MapOp::log, {map(MapOp::div, {e, sum})});
        else
          map(MapOp::div, {e, sum});
        break;
      }
      case 1: {
        ValueId mean = map(MapOp::mul, {reduced(ReduceOp::kSum, x, axes), scalar(Dtype::kF32, 0.125)});
        ValueId centred = map(MapOp::sub, {x, mean});
        ValueId variance =
            map(MapOp::add, {reduced(ReduceOp::kSum, map(MapOp::mul, {centred, centred}), axes), scalar(Dtype::kF32, 1e-2)});
        ValueId y = map(MapOp::mul, {centred, map(MapOp::rsqrt, {variance})});
        if (one_in(2)) y = map(MapOp::mul, {y, fitting(Dtype::kF32, builder_.shape(y))});
        break;
      }
      default: scaled(x, axes);
    }
  }

  // x over the root of its squares' sum along the axes.
  ValueId scaled(ValueId x, const std::vector<int>& axes) {
    const ValueId squares = reduced(ReduceOp::kSum, map(MapOp::mul, {x, x}), axes);
    return map(MapOp::mul, {x, map(MapOp::rsqrt, {map(MapOp::add, {squares, scalar(Dtype::kF32, 0.5)})})});
  }

  void epilogue(ValueId y) {
    if (one_in(2)) y = map(MapOp::add, {y, fitting(builder_.dtype(y), builder_.shape(y))});
    if (builder_.dtype(y) == Dtype::kF32 && one_in(2)) y = map(among({MapOp::tanh, MapOp::sigmoid, MapOp::abs}), {y});
    if (one_in(3)) y = map(MapOp::mul, {y, fitting(builder_.dtype(y), builder_.shape(y))});
    if (builder_.dtype(y) == Dtype::kF32 && one_in(8)) {
      if (auto v = builder_.cast(y, Dtype::kF16); v.ok()) keep(*v);
    }
  }

  // Attention over the last two axes of a value as queries, with maps on the scores.
  void attend() {
    const ValueId q = any(Dtype::kF32);
    const Dims shape = builder_.shape(q);
    if (shape.size() < 2 || shape.size() > 3) return;
    const IntExpr keys = one_in(3) ? random_extent() : IntExpr(among<int64_t>({1, 5, 8, 9, 33, 130})), columns(pick(9) + 1);
    const bool batch = shape.size() == 3;
    Dims k_shape = {keys, shape.back()}, v_shape = {keys, columns};
    if (batch) k_shape.insert(k_shape.begin(), shape[0]), v_shape.insert(v_shape.begin(), shape[0]);
    if (count(k_shape) > kMaxElements || count(v_shape) > kMaxElements) return;
    // Labels: batch 0, query 1, depth 2, key 3, column 4.
    auto labels = [&](int row, int column) { return batch ? std::vector<int>{0, row, column} : std::vector<int>{row, column}; };
    ContractAttrs scores, weighted;
    scores.a = labels(1, 2), scores.b = labels(3, 2), scores.out = labels(1, 3);
    ValueId t;
    if (!add(scores, {q, new_source(Dtype::kF32, k_shape)}, &t)) return;
    if (one_in(2)) t = map(MapOp::mul, {t, new_source(Dtype::kF32, {})});
    if (one_in(3)) t = map(MapOp::add, {t, fitting(Dtype::kF32, builder_.shape(t))});
    auto top = builder_.reduce(ReduceOp::kMax, t, {static_cast<int>(shape.size()) - 1});
    if (!top.ok()) return;
    const ValueId e = map(MapOp::exp, {map(MapOp::sub, {t, *top})});
    weighted.a = labels(1, 3), weighted.b = labels(3, 4), weighted.out = labels(1, 4);
    ValueId y, total;
    if (!add(weighted, {e, new_source(Dtype::kF32, v_shape)}, &y)) return;
    weighted.b = batch ? std::vector<int>{0, 3} : std::vector<int>{3};
    weighted.out = batch ? std::vector<int>{0, 1} : std::vector<int>{1};
    auto one = builder_.scalar(Dtype::kF32, 1);
    if (!one.ok()) return;
    auto ones = builder_.broadcast(*one, batch ? Dims{shape[0], keys} : Dims{keys});
    if (!ones.ok() || !add(weighted, {e, *ones}, &total)) return;
    Dims spread = builder_.shape(total);
    spread.push_back(IntExpr(1));
    auto divisor = builder_.reshape(total, spread);
    if (divisor.ok()) map(MapOp::div, {y, *divisor});
  }

  void contract() {
    Dtype dtype = one_in(10) ? among({Dtype::kI32, Dtype::kF16, Dtype::kU8, Dtype::kI64}) : Dtype::kF32;
    ValueId a = any(dtype);
    if (one_in(5))
      a = new_source(dtype, one_in(2) ? Dims{IntExpr(1), IntExpr(among<int64_t>({128, 200, 520, 4224}))}
                                      : Dims{IntExpr(among<int64_t>({1, 3, 5})), IntExpr(among<int64_t>({256, 300, 1024}))});
    const Dims shape = builder_.shape(a);
    ContractAttrs attrs;
    std::vector<int> batch, m, k;
    for (size_t i = 0; i < shape.size(); ++i) {
      attrs.a.push_back(static_cast<int>(i));
      bool last = i + 1 == shape.size();
      (last ? (one_in(6) ? m : k) : one_in(3) ? batch : one_in(5) ? k : m).push_back(static_cast<int>(i));
    }
    // b: batch and k axes of a, and n axes of its own, in a random order half of the time.
    struct Axis {
      int label;
      IntExpr extent;
    };
    std::vector<Axis> axes;
    for (int label : batch) axes.push_back({label, shape[static_cast<size_t>(label)]});
    for (int label : k) axes.push_back({label, shape[static_cast<size_t>(label)]});
    int label = static_cast<int>(shape.size());
    std::vector<int> n;
    for (int i = pick(4) == 0 ? 0 : 1 + pick(2); i > 0; --i) {
      axes.push_back({label, one_in(4) ? random_extent() : IntExpr(among<int64_t>({1, 3, 4, 8, 16, 17, 32, 33, 64, 65}))});
      n.push_back(label++);
    }
    if (one_in(8)) axes.push_back({label++, IntExpr(among<int64_t>({1, 2, 3}))});  // summed, only in b
    if (one_in(2)) shuffle(axes);
    Dims b_shape;
    for (const Axis& axis : axes) {
      attrs.b.push_back(axis.label);
      b_shape.push_back(axis.extent);
    }
    attrs.out = batch;
    attrs.out.insert(attrs.out.end(), m.begin(), m.end());
    attrs.out.insert(attrs.out.end(), n.begin(), n.end());
    if (one_in(4)) shuffle(attrs.out);
    if (count(b_shape) > 8 * kMaxElements) return;
    ValueId b = any_value([&](ValueId v) { return builder_.dtype(v) == dtype && builder_.shape(v) == b_shape; }, ValueId());
    if (!b.valid()) b = new_source(dtype, b_shape);
    if (dtype == Dtype::kF32 && !k.empty() && one_in(4)) {
      std::sort(k.begin(), k.end());
      a = scaled(a, k);
    }
    const bool swapped = one_in(20);
    if (swapped) std::swap(attrs.a, attrs.b), std::swap(a, b);
    int64_t depth = 1, work = 1;
    for (int l : k) depth *= size(shape[static_cast<size_t>(l)]);
    for (const Axis& axis : axes)
      if (std::find(attrs.out.begin(), attrs.out.end(), axis.label) == attrs.out.end())
        work *= std::max<int64_t>(1, size(axis.extent));
    attrs.order.kind = one_in(2) ? SumOrder::Kind::kSerial : SumOrder::Kind::kChunked;
    if (attrs.order.kind == SumOrder::Kind::kChunked)
      attrs.order.chunk_length = 128 * std::max<int64_t>(1, (depth + 4095) / 4096);
    Dims out;
    for (int l : m) work *= std::max<int64_t>(1, size(shape[static_cast<size_t>(l)]));
    for (int l : batch) work *= std::max<int64_t>(1, size(shape[static_cast<size_t>(l)]));
    for (const Axis& axis : axes)
      if (std::find(n.begin(), n.end(), axis.label) != n.end()) work *= std::max<int64_t>(1, size(axis.extent));
    if (work > kMaxMultiplyAdds) return;
    ValueId y, other;
    if (!add(attrs, {a, b}, &y)) return;
    if (dtype == Dtype::kF32 && !swapped && one_in(4) && add(attrs, {a, new_source(dtype, b_shape)}, &other))
      y = map(MapOp::mul, {map(among({MapOp::sigmoid, MapOp::tanh}), {y}), other});
    epilogue(y);
  }

  // Not std::shuffle, whose outcome a standard library may choose.
  template <class T>
  void shuffle(std::vector<T>& items) {
    for (size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[static_cast<size_t>(pick(static_cast<int>(i)))]);
  }

  ValueId padded(ValueId x, PadMode mode, const std::vector<int64_t>& low, const std::vector<int64_t>& high, double fill) {
    PadAttrs attrs;
    attrs.mode = mode;
    for (int64_t v : low) attrs.low.push_back(IntExpr(v));
    for (int64_t v : high) attrs.high.push_back(IntExpr(v));
    attrs.interior.assign(low.size(), 0);
    if (mode == PadMode::kConstant) attrs.fill_bits = scalar_bits(builder_.dtype(x), fill);
    ValueId out = x;
    add(attrs, {x}, &out);
    return out;
  }

  void window() {
    WindowAttrs attrs;
    attrs.op = among({WindowOp::kConv, WindowOp::kConv, WindowOp::kConv, WindowOp::kSum, WindowOp::kMax});
    Dtype dtype = one_in(12) ? among({Dtype::kI32, Dtype::kF16, Dtype::kU8}) : Dtype::kF32;
    auto image = [&](ValueId v) {
      size_t rank = builder_.shape(v).size();
      return builder_.dtype(v) == dtype && rank >= 3 && rank <= 5 && builder_.shape(v)[1].is_constant() &&
             builder_.shape(v)[1].constant() > 0;
    };
    ValueId x = any_value(image, ValueId());
    if (!x.valid() || one_in(4)) {
      Dims shape = {IntExpr(among<int64_t>({1, 1, 2})), IntExpr(among<int64_t>({1, 3, 4, 8, 16, 5}))};
      for (int i = among({1, 2, 2, 2, 3}); i > 0; --i)
        shape.push_back(!symbols_.empty() && one_in(3) ? random_extent() : IntExpr(2 + pick(9)));
      if (count(shape) > kMaxElements) return;
      x = new_source(dtype, shape);
    }
    size_t spatial = builder_.shape(x).size() - 2;
    std::vector<int64_t> low = {0, 0}, high = {0, 0};
    int64_t taps = 1;
    for (size_t i = 0; i < spatial; ++i) {
      attrs.kernel.push_back(among<int64_t>({1, 2, 3, 3, 5}));
      attrs.strides.push_back(among<int64_t>({1, 1, 1, 2, 3}));
      attrs.dilations.push_back(one_in(5) ? 2 : 1);
      int64_t reach = attrs.dilations[i] * (attrs.kernel[i] - 1);
      low.push_back(one_in(4) ? 0 : reach / 2);
      high.push_back(one_in(4) ? 0 : reach - reach / 2);
      while (builder_.shape(x)[2 + i].interval().low + low.back() + high.back() < reach + 1) ++high.back();
      taps *= attrs.kernel[i];
    }
    if (one_in(3) && attrs.op != WindowOp::kMax) x = map(among({MapOp::neg, MapOp::abs}), {x});
    double fill = attrs.op == WindowOp::kMax && is_float(dtype) ? -std::numeric_limits<double>::infinity() : 0;
    x = padded(x, one_in(6) ? PadMode::kEdge : PadMode::kConstant, low, high, fill);
    int64_t channels = size(builder_.shape(x)[1]);
    std::vector<ValueId> inputs = {x};
    if (attrs.op == WindowOp::kConv) {
      std::vector<int64_t> divisors;
      for (int64_t g = 1; g <= channels; ++g)
        if (channels % g == 0) divisors.push_back(g);
      attrs.groups = one_in(2) ? 1 : divisors[static_cast<size_t>(pick(static_cast<int>(divisors.size())))];
      if (one_in(4)) attrs.groups = channels;
      int64_t outputs = attrs.groups * among<int64_t>({1, 1, 2, 3, 4, 8, 33 / attrs.groups + 1});
      Dims w = {IntExpr(outputs), IntExpr(channels / attrs.groups)};
      for (int64_t k : attrs.kernel) w.push_back(IntExpr(k));
      if (count(w) > kMaxElements || count(x) * outputs / attrs.groups * taps > 2 * kMaxMultiplyAdds) return;
      inputs.push_back(new_source(dtype, w));
    }
    if (attrs.op != WindowOp::kMax) attrs.order.kind = SumOrder::Kind::kSerial;
    ValueId y;
    if (add(attrs, inputs, &y)) epilogue(y);
  }

  // A value to be read by a window: what a 1x1 convolution makes, a map perhaps behind it.
  ValueId expanded(const Dims& shape) {
    WindowAttrs product;
    product.op = WindowOp::kConv;
    product.kernel = product.strides = product.dilations = {1, 1};
    product.order.kind = SumOrder::Kind::kSerial;
    const IntExpr depth(among<int64_t>({1, 3, 4, 17}));
    ValueId y;
    const ValueId x = new_source(Dtype::kF32, {shape[0], depth, shape[2], shape[3]});
    if (!add(product, {x, new_source(Dtype::kF32, {shape[1], depth, IntExpr(1), IntExpr(1)})}, &y)) return x;
    return one_in(2) ? map(MapOp::tanh, {y}) : y;
  }

  // Elements and what their image is reduced to: only that, or multiplied by something made of it.
  ValueId weighed(ValueId x) {
    const ValueId all = reduced(among({ReduceOp::kSum, ReduceOp::kSum, ReduceOp::kMax, ReduceOp::kMin}), x, {2, 3});
    return one_in(3) ? all : map(MapOp::mul, {x, map(MapOp::sigmoid, {all})});
  }

  // Perhaps a 1x1 convolution, a depthwise convolution or a pooling, a map perhaps, perhaps weights from the image's reduction,
  // and a 1x1 convolution.
  void separable() {
    const int64_t channels = among<int64_t>({2, 3, 4, 5, 8, 12, 33});
    Dims shape = {IntExpr(among<int64_t>({1, 1, 2})), IntExpr(channels)};
    for (int i = 0; i < 2; ++i) shape.push_back(!symbols_.empty() && one_in(4) ? random_extent() : IntExpr(3 + pick(9)));
    if (count(shape) > kMaxElements) return;
    WindowAttrs attrs;
    attrs.op = among({WindowOp::kConv, WindowOp::kConv, WindowOp::kSum, WindowOp::kMax});
    attrs.kernel = {3, among<int64_t>({1, 3, 5})};
    attrs.strides = {among<int64_t>({1, 2}), 1};
    attrs.dilations = {1, 1};
    attrs.groups = attrs.op == WindowOp::kConv ? channels : 1;
    if (attrs.op != WindowOp::kMax) attrs.order.kind = SumOrder::Kind::kSerial;
    const ValueId x = one_in(2) ? expanded(shape) : map(MapOp::abs, {new_source(Dtype::kF32, shape)});
    std::vector<ValueId> inputs = {padded(x, PadMode::kConstant, {0, 0, 2, 2}, {0, 0, 2, 2}, 0)};
    if (attrs.op == WindowOp::kConv)
      inputs.push_back(new_source(Dtype::kF32, {shape[1], IntExpr(1), IntExpr(attrs.kernel[0]), IntExpr(attrs.kernel[1])}));
    ValueId y;
    if (!add(attrs, inputs, &y)) return;
    if (one_in(2)) y = map(among({MapOp::tanh, MapOp::sigmoid, MapOp::neg}), {y});
    if (one_in(3)) y = weighed(y);
    WindowAttrs product;
    product.op = WindowOp::kConv;
    product.kernel = product.dilations = {1, 1};
    product.strides = {1, among<int64_t>({1, 1, 2})};
    product.order.kind = SumOrder::Kind::kSerial;
    const IntExpr columns(among<int64_t>({1, 3, 4, 8, 20, 65}));
    if (add(product, {y, new_source(Dtype::kF32, {columns, shape[1], IntExpr(1), IntExpr(1)})}, &y)) epilogue(y);
    if (one_in(4)) weighed(y);
  }

  void concat() {
    ValueId x = any();
    int rank = static_cast<int>(builder_.shape(x).size());
    if (rank == 0) return;
    ConcatAttrs attrs{pick(rank)};
    auto joins = [&](ValueId v) {
      const Dims &a = builder_.shape(x), &b = builder_.shape(v);
      if (builder_.dtype(v) != builder_.dtype(x) || a.size() != b.size()) return false;
      for (size_t i = 0; i < a.size(); ++i)
        if (static_cast<int>(i) != attrs.axis && !(a[i] == b[i])) return false;
      return true;
    };
    std::vector<ValueId> pieces = {x};
    for (int i = 1 + pick(one_in(3) ? 5 : 2); i > 0; --i) {
      ValueId other = any_value(joins, x);
      if (one_in(4)) {
        Dims shape = builder_.shape(x);
        shape[static_cast<size_t>(attrs.axis)] = IntExpr(1 + pick(4));
        other = new_source(builder_.dtype(x), shape);
      }
      if (one_in(3) && is_float(builder_.dtype(other))) other = map(among({MapOp::neg, MapOp::tanh}), {other});
      pieces.insert(pieces.begin() + pick(static_cast<int>(pieces.size()) + 1), other);
    }
    add(attrs, pieces);
  }

  void gather() {
    ValueId x = any();
    int rank = static_cast<int>(builder_.shape(x).size());
    if (rank == 0) return;
    int axis = pick(rank);
    if (builder_.shape(x)[static_cast<size_t>(axis)].interval().low < 1) return;
    ValueId index;
    if (one_in(3))
      index =
          any_value([&](ValueId v) { return builder_.dtype(v) == Dtype::kI64 || builder_.dtype(v) == Dtype::kI32; }, ValueId());
    if (!index.valid()) index = new_source(among({Dtype::kI32, Dtype::kI64}), random_shape(pick(3)));
    add(GatherAttrs{axis}, {x, index});
  }

  void counted() {
    Dtype dtype = among({Dtype::kI32, Dtype::kF32, Dtype::kI64, Dtype::kF16, Dtype::kU8});
    if (one_in(3)) {
      add(DimensionAttrs{dtype, random_extent() + IntExpr(1)}, {});
      return;
    }
    Dims shape = random_shape(1 + pick(3));
    add(IotaAttrs{dtype, shape, pick(static_cast<int>(shape.size()))}, {});
  }

  void view() {
    ValueId x = any();
    const Dims shape = builder_.shape(x);
    const size_t rank = shape.size();
    switch (pick(6)) {
      case 0: reshape(x); break;
      case 1: {
        std::vector<int> perm;
        for (size_t i = 0; i < rank; ++i) perm.push_back(static_cast<int>(i));
        shuffle(perm);
        add(TransposeAttrs{perm}, {x});
        break;
      }
      case 2: slice(x); break;
      case 3: {
        PadAttrs attrs;
        attrs.mode = among({PadMode::kConstant, PadMode::kConstant, PadMode::kEdge, PadMode::kReflect, PadMode::kWrap});
        for (size_t i = 0; i < rank; ++i) {
          bool empty = shape[i].interval().low < 1 && attrs.mode != PadMode::kConstant;
          attrs.low.push_back(IntExpr(empty || one_in(2) ? 0 : pick(4)));
          attrs.high.push_back(IntExpr(empty || one_in(2) ? 0 : pick(4)));
          attrs.interior.push_back(attrs.mode == PadMode::kConstant && one_in(5) ? 1 + pick(2) : 0);
        }
        if (attrs.mode == PadMode::kConstant && builder_.dtype(x) != Dtype::kBool)
          attrs.fill_bits = scalar_bits(builder_.dtype(x), among<double>({0, 0, 3}));
        add(attrs, {x});
        break;
      }
      case 4: {
        Dims to = shape;
        for (IntExpr& d : to)
          if (d.is(1) && one_in(2)) d = random_extent();
        add(BroadcastAttrs{to}, {x});
        break;
      }
      default: split(x); break;
    }
  }

  void reshape(ValueId x) {
    Dims shape = builder_.shape(x);
    for (int i = 1 + pick(2); i > 0; --i) {
      size_t at = shape.empty() ? 0 : static_cast<size_t>(pick(static_cast<int>(shape.size())));
      auto where = shape.begin() + static_cast<std::ptrdiff_t>(at);
      switch (pick(4)) {
        case 0:
          if (at + 1 < shape.size()) {
            *where = shape[at] * shape[at + 1];
            shape.erase(where + 1);
          }
          break;
        case 1:
          for (int64_t factor : {2, 3, 4, 7}) {
            if (shape.empty()) break;
            auto rest = divide_exact(shape[at], IntExpr(factor));
            if (!rest || !one_in(2)) continue;
            *where = *rest;
            shape.insert(one_in(2) ? where : where + 1, IntExpr(factor));
            break;
          }
          break;
        case 2:
          if (shape.size() < 6) shape.insert(where, IntExpr(1));
          break;
        default:
          if (!shape.empty() && where->is(1)) shape.erase(where);
          break;
      }
    }
    if (one_in(8)) shape = {product(builder_.shape(x))};
    add(ReshapeAttrs{shape}, {x});
  }

  void slice(ValueId x) {
    const Dims& shape = builder_.shape(x);
    SliceAttrs attrs;
    for (const IntExpr& d : shape) {
      int64_t step = one_in(3) ? among<int64_t>({2, -1, -2, 3}) : 1, low = d.interval().low;
      if (one_in(2) || low < 1) {  // all of the axis, forwards or backwards
        step = step < 0 && low >= 1 ? -1 : 1;
        attrs.starts.push_back(step < 0 ? d - IntExpr(1) : IntExpr(0));
        attrs.shape.push_back(d);
      } else {
        int64_t length = 1 + pick(static_cast<int>(std::min<int64_t>(low, 1000)));
        int64_t reach = (length - 1) * std::abs(step);
        if (reach >= low) length = (low - 1) / std::abs(step) + 1, reach = (length - 1) * std::abs(step);
        int64_t start = pick(static_cast<int>(std::min<int64_t>(low - reach, 1000)));
        attrs.starts.push_back(IntExpr(step < 0 ? start + reach : start));
        attrs.shape.push_back(IntExpr(length));
      }
      attrs.steps.push_back(step);
    }
    add(attrs, {x});
  }

  // All pieces of an axis, each a slice.
  void split(ValueId x) {
    const Dims shape = builder_.shape(x);
    if (shape.empty()) return;
    size_t axis = static_cast<size_t>(pick(static_cast<int>(shape.size())));
    for (int64_t pieces : {2, 3}) {
      auto part = divide_exact(shape[axis], IntExpr(pieces));
      if (!part || part->is(0)) continue;
      for (int64_t p = 0; p < pieces; ++p) {
        SliceAttrs attrs{Dims(shape.size(), IntExpr(0)), std::vector<int64_t>(shape.size(), 1), shape};
        attrs.starts[axis] = *part * IntExpr(p);
        attrs.shape[axis] = *part;
        add(attrs, {x});
      }
      return;
    }
  }

  void choose_outputs() {
    std::vector<ValueId> outputs = {values_.back()};
    for (int i = pick(4); i > 0; --i)
      outputs.push_back(one_in(3) ? values_[static_cast<size_t>(pick(static_cast<int>(values_.size())))] : any());
    for (size_t i = 0; i < outputs.size(); ++i) builder_.output(outputs[i], "y" + std::to_string(i));
  }

  std::mt19937 random_;
  GraphBuilder builder_;
  std::vector<ValueId> values_;
  std::vector<IntExpr> symbols_;
  std::map<std::string, int64_t> sizes_;
};

}  // namespace

GraphCase random_case(uint32_t seed) {
  GraphCase made = Generator(seed).run();
  // A fifth keeps its values in f16, a fifth computes in it, as a program may be asked to.
  if (seed % 5 > 1) return made;
  auto lowered = seed % 5 == 0 ? store_in_f16(made.graph) : compute_in_f16(made.graph);
  if (lowered.ok()) made.graph = std::move(lowered->graph);
  return made;
}

std::vector<Tensor> random_inputs(const GraphCase& c) {
  std::vector<Tensor> inputs;
  std::mt19937 random(c.input_seed);
  for (ValueId v : c.graph.inputs) {
    const Value& value = c.graph.value(v);
    Tensor t{value.dtype, {}, {}};
    for (const IntExpr& d : value.shape)
      t.shape.push_back(
          d.evaluate([&](std::string_view n) { return std::optional<int64_t>(c.symbols.at(std::string(n))); }).value_or(0));
    size_t size = static_cast<size_t>(dtype_size_bytes(t.dtype));
    t.bytes.resize(static_cast<size_t>(t.element_count()) * size);
    for (int64_t i = 0; i < t.element_count(); ++i) {
      double x = static_cast<double>(random() % 16001) / 8000.0 - 1.0;
      if (is_signed_integer(t.dtype)) x = static_cast<double>(random() % 9) - 4;
      if (is_unsigned_integer(t.dtype)) x = static_cast<double>(random() % 7);
      if (t.dtype == Dtype::kBool) x = random() % 2;
      constexpr double kSpecial[] = {NAN, INFINITY, -INFINITY, -0.0, 1e-40, -1e-40, 1e-20, 3e38};
      if (c.special_values && is_float(t.dtype) && random() % 16 == 0) x = kSpecial[random() % 8];
      uint64_t bits = scalar_bits(t.dtype, x);
      std::memcpy(t.bytes.data() + static_cast<size_t>(i) * size, &bits, size);
    }
    inputs.push_back(std::move(t));
  }
  return inputs;
}

}  // namespace tuff
