#include "artifact/plan_bytes.h"

#include <map>

#include "base/lexer.h"

namespace tuff {
namespace {

struct PlanWriter {
  ByteWriter& out;

  void id(ValueId v) { out.u32(v.value); }
  void expression(const IntExpr& e) { out.text(e.text()); }
  void expressions(const std::vector<IntExpr>& list) {
    out.list(list, [&](const IntExpr& e) { expression(e); });
  }
  void ids(const std::vector<ValueId>& list) {
    out.list(list, [&](ValueId v) { id(v); });
  }
  void texts(const std::vector<std::string>& list) {
    out.list(list, [&](const std::string& s) { out.text(s); });
  }
  void guard(const Guard& g) {
    out.list(g.divides, [&](const Guard::Divides& d) {
      expression(d.value);
      out.i64(d.divisor);
    });
    out.list(g.at_most, [&](const Guard::AtMost& m) {
      expression(m.value);
      out.i64(m.limit);
    });
  }
  void kernel(const Kernel& k) {
    out.text(k.name);
    out.text(k.skeleton);
    out.text(k.schedule);
    for (uint32_t size : k.workgroup) out.u32(size);
    for (const IntExpr& count : k.grid) expression(count);
    expressions(k.parameters);
    out.list(k.bindings, [&](const KernelBinding& b) {
      id(b.value);
      out.u8(static_cast<uint8_t>(b.access));
      out.u8(static_cast<uint8_t>(b.texel_words));
      out.u8(b.winograd);
      out.list(b.parts, [&](const std::vector<ValueId>& part) { ids(part); });
    });
    out.i64(k.shared_bytes);
    for (const IntExpr* e : {&k.partial_bytes, &k.counter_count}) expression(*e);
    out.list(k.in_place, [&](const Kernel::InPlace& pair) {
      id(pair.read);
      id(pair.written);
    });
    for (bool flag : {k.exact, k.needs_int64, k.needs_float64}) out.u8(flag);
    for (const IntExpr* e : {&k.bytes_read, &k.bytes_written, &k.multiply_adds}) expression(*e);
    texts(k.origins);
  }
};

// Sums and texts inside the artifact are small; a length is checked against what is left before anything is allocated.
class PlanReader {
 public:
  PlanReader(ByteReader& in, const Graph& graph) : in_(in) {
    for (const Symbol& s : graph.symbols) symbols_.emplace(s.name, IntExpr::symbol(s));
  }

  ValueId id() { return ValueId(in_.u32()); }
  std::vector<ValueId> ids() {
    return in_.list(4, [&] { return id(); });
  }
  std::vector<std::string> texts() {
    return in_.list(4, [&] { return std::string(in_.text()); });
  }
  std::vector<IntExpr> expressions() {
    return in_.list(4, [&] { return expression(); });
  }
  IntExpr expression() {
    std::string text(in_.text());
    auto known = expressions_.find(text);
    if (known != expressions_.end()) return known->second;
    if (!in_.ok()) return {};
    Result<IntExpr> parsed = parse(text);
    if (!parsed.ok()) {
      in_.fail("an expression does not parse: " + parsed.status().message());
      return {};
    }
    return expressions_.emplace(std::move(text), std::move(parsed).value()).first->second;
  }
  Guard guard() {
    Guard g;
    g.divides = in_.list(12, [&] {
      IntExpr value = expression();
      return Guard::Divides{std::move(value), in_.i64()};
    });
    g.at_most = in_.list(12, [&] {
      IntExpr value = expression();
      return Guard::AtMost{std::move(value), in_.i64()};
    });
    return g;
  }
  template <class Enum>
  Enum kind(Enum last) {
    uint8_t v = in_.u8();
    if (v <= static_cast<uint8_t>(last)) return static_cast<Enum>(v);
    in_.fail("a kind is " + std::to_string(v) + ", the last one is " + std::to_string(static_cast<int>(last)));
    return last;
  }
  KernelBinding binding() {
    KernelBinding b;
    b.value = id();
    b.access = kind(Access::kWrite);
    b.texel_words = in_.u8();
    b.winograd = in_.boolean();
    b.parts = in_.list(4, [&] { return ids(); });
    return b;
  }
  Kernel kernel() {
    Kernel k;
    k.name = in_.text();
    k.skeleton = in_.text();
    k.schedule = in_.text();
    for (uint32_t& size : k.workgroup) size = in_.u32();
    for (IntExpr& count : k.grid) count = expression();
    k.parameters = expressions();
    k.bindings = in_.list(11, [&] { return binding(); });
    k.shared_bytes = in_.i64();
    for (IntExpr* e : {&k.partial_bytes, &k.counter_count}) *e = expression();
    k.in_place = in_.list(8, [&] {
      const ValueId read = id();
      return Kernel::InPlace{read, id()};
    });
    for (bool* flag : {&k.exact, &k.needs_int64, &k.needs_float64}) *flag = in_.boolean();
    for (IntExpr* e : {&k.bytes_read, &k.bytes_written, &k.multiply_adds}) *e = expression();
    k.origins = texts();
    return k;
  }
  Step step() {
    Step s;
    s.variants = in_.list(12, [&] {
      Guard g = guard();
      return Variant{std::move(g), KernelId(in_.u32())};
    });
    s.reads = ids();
    s.writes = ids();
    s.origins = texts();
    return s;
  }
  PlanValue value() {
    PlanValue v;
    v.value = id();
    v.buffer = kind(BufferKind::kArena);
    v.index = in_.u32();
    v.weight_offset = in_.u64();
    v.owner = id();
    v.size_bytes = expression();
    return v;
  }

 private:
  Result<IntExpr> parse(const std::string& text) {
    Lexer lexer(text, "the plan");
    TUFF_ASSIGN(IntExpr e, parse_int_expr(lexer, [&](const std::string& name) -> Result<IntExpr> {
                  auto found = symbols_.find(name);
                  if (found == symbols_.end()) return lexer.error("the symbol '" + name + "' is not the graph's");
                  return found->second;
                }));
    if (!lexer.at_end()) return lexer.error("the expression ended and the text should too");
    return e;
  }

  ByteReader& in_;
  std::map<std::string, IntExpr> symbols_;
  std::map<std::string, IntExpr> expressions_;  // few, repeated often
};

}  // namespace

void write_plan(const Plan& plan, ByteWriter& out) {
  PlanWriter writer{out};
  out.list(plan.kernels, [&](const Kernel& k) { writer.kernel(k); });
  out.list(plan.steps, [&](const Step& s) {
    out.list(s.variants, [&](const Variant& v) {
      writer.guard(v.guard);
      out.u32(v.kernel.value);
    });
    writer.ids(s.reads);
    writer.ids(s.writes);
    writer.texts(s.origins);
  });
  out.list(plan.values, [&](const PlanValue& v) {
    writer.id(v.value);
    out.u8(static_cast<uint8_t>(v.buffer));
    out.u32(v.index);
    out.u64(v.weight_offset);
    writer.id(v.owner);
    writer.expression(v.size_bytes);
  });
  out.list(plan.weights, [&](const PlanWeight& w) {
    writer.id(w.value);
    out.u64(w.offset);
    out.u64(w.size_bytes);
    out.u8(w.winograd);
  });
  out.list(plan.orders,
           [&](const std::vector<int>& order) { out.list(order, [&](int axis) { out.u32(static_cast<uint32_t>(axis)); }); });
  out.u64(plan.weight_bytes);
}

Result<Plan> read_plan(ByteReader& in, Graph graph) {
  PlanReader reader(in, graph);
  Plan plan;
  plan.kernels = in.list(64, [&] { return reader.kernel(); });
  plan.steps = in.list(16, [&] { return reader.step(); });
  plan.values = in.list(25, [&] { return reader.value(); });
  plan.weights = in.list(21, [&] {
    PlanWeight w;
    w.value = reader.id();
    w.offset = in.u64();
    w.size_bytes = in.u64();
    w.winograd = in.boolean();
    return w;
  });
  plan.orders = in.list(4, [&] { return in.list(4, [&] { return static_cast<int>(in.u32()); }); });
  plan.weight_bytes = in.u64();
  TUFF_TRY(in.status());
  plan.graph = std::move(graph);
  return plan;
}

}  // namespace tuff
