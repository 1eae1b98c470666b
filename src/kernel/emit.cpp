#include "kernel/emit.h"

#include <algorithm>

#include "base/checked.h"
#include "kernel/access.h"

namespace tuff {

namespace {

// What kernels see of storage: words, where elements are packed.
Register stored_register(Dtype dtype) { return is_packed(dtype) ? Register::kUint : register_of(dtype); }

// Of a buffer's name: how wide the vectors are that it is seen as.
std::string width_suffix(int width) { return width == 0 ? "n" : width == 1 ? "" : "x" + std::to_string(width); }

}  // namespace

StorageFeatures storage_features(const DeviceInfo& device) {
  return {usable_texel_buffers(device), device.storage8, device.storage16, keeps_denormal_halves(device)};
}

std::vector<ValueId> KernelWriter::owners(ValueId value) const {
  std::vector<ValueId> part = {value};
  while (placements_[part.back().value].owner != part.back()) part.push_back(placements_[part.back().value].owner);
  return part;
}

int KernelWriter::texel_words_of(ValueId value, int width) const {
  const Register r = stored_register(graph_.value(value).dtype);
  if (r != Register::kFloat && r != Register::kInt && r != Register::kUint) return 0;
  int64_t texel_buffers = 0;
  for (const Slot& s : slots_) {
    if (s.binding.texel_words == 0) continue;
    if (s.binding.value == owners(value).back() && s.binding.texel_words == width) return width;
    ++texel_buffers;
  }
  return texel_buffers < features_.most_texel_buffers ? width : 0;
}

std::string KernelWriter::load(ValueId value, int width, const std::string& index) {
  const int words = texel_words_of(value, width);
  const std::string name = buffer(value, Access::kRead, width, words);
  return words == 0 ? element(dialect_, name, index)
                    : texel(dialect_, stored_register(graph_.value(value).dtype), width, name, index);
}

std::string KernelWriter::stored(ValueId value, int width, const std::string& index) {
  return element(dialect_, buffer(value, Access::kWrite, width, 0), index);
}

std::string KernelWriter::narrow_element(ValueId value, const std::string& index) {
  return element(dialect_, buffer(value, Access::kWrite, kNarrow, 0), index);
}

std::string KernelWriter::buffer(ValueId value, Access access, int width, int texel_words) {
  const std::vector<ValueId> part = owners(value);
  const ValueId owner = part.back();
  auto it = std::find_if(slots_.begin(), slots_.end(), [&](const Slot& s) {
    return s.binding.value == owner && s.binding.access == access && s.binding.texel_words == texel_words;
  });
  if (it == slots_.end()) it = slots_.insert(slots_.end(), Slot{KernelBinding{owner, access, texel_words, {}}, {}});
  auto& parts = it->binding.parts;
  if (std::find(parts.begin(), parts.end(), part) == parts.end()) parts.push_back(part);
  it->widths.insert(width);
  note(register_of(graph_.value(owner).dtype));
  return "b" + std::to_string(it - slots_.begin()) + width_suffix(width);
}

std::string KernelWriter::parameter(const IntExpr& e) {
  if (e.is_constant()) return std::to_string(e.constant());
  auto it = std::find(parameters_.begin(), parameters_.end(), e);
  size_t word = static_cast<size_t>(it - parameters_.begin());
  if (it == parameters_.end()) parameters_.push_back(e);
  return "params.w[" + std::to_string(word / 4) + "]." + "xyzw"[word % 4];
}

std::vector<KernelBinding> KernelWriter::bindings() const {
  std::vector<KernelBinding> out;
  for (const Slot& s : slots_) out.push_back(s.binding);
  return out;
}

void KernelWriter::share_results(IntExpr partial_bytes, IntExpr counter_count, std::string vector) {
  partial_bytes_ = std::move(partial_bytes);
  counter_count_ = std::move(counter_count);
  partial_vector_ = std::move(vector);
}

std::string KernelWriter::declarations() const {
  std::string out;
  if (!parameters_.empty())
    out += "layout(set = 0, binding = 0, std140) uniform Params { ivec4 w[" + std::to_string((parameters_.size() + 3) / 4) +
           "]; } params;\n";
  for (size_t i = 0; i < slots_.size(); ++i) {
    const Dtype dtype = graph_.value(slots_[i].binding.value).dtype;
    // Atomics read what they write.
    const std::string access = slots_[i].binding.access == Access::kRead   ? "readonly "
                               : is_packed(dtype) && !stores_narrow(dtype) ? ""
                                                                           : "writeonly ";
    for (int width : slots_[i].widths) {
      const std::string suffix = width_suffix(width);
      const std::string type =
          width == kNarrow ? std::string(narrow_type(dialect_, dtype)) : type_name(dialect_, stored_register(dtype), width);
      if (slots_[i].binding.texel_words != 0) {
        out += "layout(set = 0, binding = " + std::to_string(i + 1) + ") uniform usamplerBuffer b" + std::to_string(i) +
               suffix + ";\n";
        continue;
      }
      out += "layout(set = 0, binding = " + std::to_string(i + 1) + ", std430) " + access + "buffer Block" + std::to_string(i) +
             suffix + " { " + type + " e[]; } b" + std::to_string(i) + suffix + ";\n";
    }
  }
  if (counter_count_.is(0)) return out;
  auto scratch = [&](size_t binding, const std::string& block, const std::string& type, const std::string& name) {
    out += "layout(set = 0, binding = " + std::to_string(binding) + ", std430) coherent buffer " + block + " { " + type +
           " e[]; } " + name + ";\n";
  };
  scratch(slots_.size() + 1, "Partials", partial_vector_, "partials");
  scratch(slots_.size() + 2, "Counters", "uint", "counters");
  return out;
}

std::string Block::temporary(std::string_view type, const std::string& expression) {
  for (const Block* b = this; b; b = b->parent_) {
    auto it = b->known_.find(expression);
    if (it != b->known_.end()) return it->second;
  }
  std::string name = std::string(type.substr(0, 1)) + "_" + std::to_string(writer_.fresh());
  lines_.push_back(std::string(type) + " " + name + " = " + expression + ";");
  known_[expression] = name;
  return name;
}

std::string Block::text(int indent) const {
  std::string out;
  for (const std::string& l : lines_) out += std::string(static_cast<size_t>(indent), ' ') + l + "\n";
  return out;
}

void Emitter::bind(const std::string& variable, std::string text, int block) {
  variables_[variable] = {std::move(text), block};
}

void Emitter::bind_input(int input, std::vector<std::string> lanes, int block) { inputs_[input] = {std::move(lanes), block}; }

int Emitter::block_of(const IntExpr& e) const {
  int deepest = 0;
  e.visit_symbols([&](const Symbol& s) {
    if (!s.extent) return;
    auto it = variables_.find(s.name);
    if (it != variables_.end()) deepest = std::max(deepest, it->second.block);
  });
  return deepest;
}

namespace {

bool uses_variables(const Atom& a) {
  if (a->kind == AtomKind::kSymbol) return a->symbol.extent != nullptr;
  return a->a.uses_loop_variables() || a->b.uses_loop_variables();
}

}  // namespace

std::string Emitter::atom(const Atom& a, int* block) {
  if (a->kind == AtomKind::kSymbol) {
    auto it = variables_.find(a->symbol.name);
    if (it == variables_.end()) return "/* unbound " + a->symbol.name + " */ 0";
    *block = std::max(*block, it->second.block);
    return it->second.text;
  }
  int own = std::max(block_of(a->a), block_of(a->b));
  *block = std::max(*block, own);
  std::string x = integer(a->a), n = integer(a->b);
  bool plain = proven_nonnegative(a->a);
  std::string text;
  switch (a->kind) {
    case AtomKind::kFloorDiv: text = plain ? x + " / " + n : "tuff_floor_div(" + x + ", " + n + ")"; break;
    case AtomKind::kMod: text = plain ? x + " % " + n : "tuff_floor_mod(" + x + ", " + n + ")"; break;
    case AtomKind::kMin: text = "min(" + x + ", " + n + ")"; break;
    case AtomKind::kMax: text = "max(" + x + ", " + n + ")"; break;
    case AtomKind::kSymbol: break;
  }
  return blocks_[static_cast<size_t>(own)]->temporary("int", text);
}

// Sums the terms of each block separately, so that what an outer block knows is added up there.
std::string Emitter::integer(const IntExpr& e) {
  KernelWriter& writer = blocks_[0]->writer();
  // Terms with the same loop variables share one coefficient, an expression over dimensions.
  struct Part {
    std::vector<Atom> variables;
    IntExpr coefficient;
  };
  std::vector<Part> parts;
  for (const auto& t : e.terms()) {
    std::vector<Atom> loop;
    IntExpr coefficient(t.coefficient);
    for (const Atom& a : t.atoms) {
      if (uses_variables(a))
        loop.push_back(a);
      else if (a->kind == AtomKind::kSymbol)
        coefficient = coefficient * IntExpr::symbol(a->symbol);
      else
        coefficient = coefficient * (a->kind == AtomKind::kFloorDiv ? floor_div(a->a, a->b)
                                     : a->kind == AtomKind::kMod    ? mod(a->a, a->b)
                                     : a->kind == AtomKind::kMin    ? minimum(a->a, a->b)
                                                                    : maximum(a->a, a->b));
    }
    auto same = std::find_if(parts.begin(), parts.end(), [&](const Part& p) { return p.variables == loop; });
    if (same == parts.end())
      parts.push_back({loop, coefficient});
    else
      same->coefficient += coefficient;
  }
  std::vector<std::vector<std::string>> sums(blocks_.size());
  IntExpr constant;
  for (const Part& p : parts) {
    if (p.variables.empty()) {
      constant = p.coefficient;
      continue;
    }
    int block = 0;
    std::string text;
    for (const Atom& a : p.variables) text += (text.empty() ? "" : " * ") + atom(a, &block);
    if (!p.coefficient.is(1)) text += " * " + writer.parameter(p.coefficient);
    sums[static_cast<size_t>(block)].push_back(text);
  }
  if (!constant.is(0)) {
    size_t first = 0;
    while (first < sums.size() && sums[first].empty()) ++first;
    if (first == sums.size()) return writer.parameter(constant);
    sums[first].push_back(writer.parameter(constant));
  }
  // Outer sums become temporaries of their block; the last one stays an expression.
  std::string carried;
  size_t last = 0;
  for (size_t b = 0; b < sums.size(); ++b)
    if (!sums[b].empty()) last = b;
  for (size_t b = 0; b <= last; ++b) {
    if (sums[b].empty()) continue;
    std::string text = carried;
    for (const std::string& s : sums[b]) text += (text.empty() ? "" : " + ") + s;
    bool simple = text.find(' ') == std::string::npos;
    if (b < last || !simple) text = simple ? text : blocks_[b]->temporary("int", text);
    carried = text;
  }
  return carried.empty() ? "0" : carried;
}

IntExpr at_lane(const IntExpr& e, const std::string& variable, int width, int lane) {
  if (variable.empty() || width == 1) return e;
  return e.substitute([&](const Symbol& s) -> std::optional<IntExpr> {
    if (s.name != variable || !s.extent) return std::nullopt;
    auto count = divide_exact(*s.extent, IntExpr(width));
    IntExpr vectors = IntExpr::loop_variable(variable, count ? *count : floor_div(*s.extent, IntExpr(width)));
    return vectors * IntExpr(width) + IntExpr(lane);
  });
}

Point at_lane(Point point, const std::string& variable, int width, int lane) {
  for (PointOp& op : point.ops) {
    op.index = at_lane(op.index, variable, width, lane);
    for (RangeCheck& check : op.checks)
      check = {at_lane(check.value, variable, width, lane), at_lane(check.extent, variable, width, lane)};
  }
  return point;
}

bool Emitter::contiguous(const IntExpr& address, const std::string& variable, int width) {
  if (width != 2 && width != 4) return false;  // an array of vec3 has a hole after each
  IntExpr first = at_lane(address, variable, width, 0);
  if (!divide_exact(first, IntExpr(width))) return false;
  for (int lane = 1; lane < width; ++lane)
    if (!(at_lane(address, variable, width, lane) == first + IntExpr(lane))) return false;
  return true;
}

std::string Emitter::condition(const std::vector<RangeCheck>& checks, int* block) {
  std::string text;
  int deepest = 0;
  for (const RangeCheck& c : checks) {
    int own = std::max(block_of(c.value), block_of(c.extent));
    bool low = proven_nonnegative(c.value);
    bool high = proven_less(c.value, c.extent);
    if (low && high) continue;
    std::string value = integer(c.value);
    std::string test = high  ? value + " >= 0"
                       : low ? value + " < " + integer(c.extent)
                             : "uint(" + value + ") < uint(" + integer(c.extent) + ")";
    std::string name = blocks_[static_cast<size_t>(own)]->temporary("bool", test);
    deepest = std::max(deepest, own);
    text += (text.empty() ? "" : " && ") + name;
  }
  *block = std::max(*block, deepest);
  // Together where the last of them is known, so that no inner loop holds the tests apart.
  if (text.find(' ') != std::string::npos) text = blocks_[static_cast<size_t>(deepest)]->temporary("bool", text);
  return text;
}

Emitter::Lanes Emitter::emit_op(const Point& point, int index, const std::string& variable, int width,
                                std::map<int, Lanes>& done) {
  if (auto it = done.find(index); it != done.end()) return it->second;
  const PointOp& op = point.ops[static_cast<size_t>(index)];
  KernelWriter& writer = blocks_[0]->writer();
  const Dialect& dialect = writer.dialect();
  const Register reg = register_of(op.dtype);
  writer.note(reg);
  const std::string type(dialect.types[static_cast<int>(reg)]);
  Lanes out;
  std::vector<Lanes> arguments;
  for (int a : op.args) {
    arguments.push_back(emit_op(point, a, variable, width, done));
    out.block = std::max(out.block, arguments.back().block);
  }
  // What is gathered has a name in expressions; it may differ from lane to lane in a way that they do not show.
  std::vector<const Lanes*> gathered;
  std::vector<std::string> gathered_names;
  auto find_gathered = [&](const Symbol& s) {
    for (const auto& [number, lanes] : done) {
      if (!s.extent || s.name != point_symbol(number)) continue;
      gathered.push_back(&lanes);
      gathered_names.push_back(s.name);
    }
  };
  op.index.visit_symbols(find_gathered);
  for (const RangeCheck& c : op.checks) {
    c.value.visit_symbols(find_gathered);
    c.extent.visit_symbols(find_gathered);
  }
  bool one_for_all = true;
  for (const Lanes* lanes : gathered) one_for_all = one_for_all && lanes->texts.size() == 1;
  auto bind_gathered = [&](int lane) {
    for (size_t i = 0; i < gathered.size(); ++i)
      bind(gathered_names[i], gathered[i]->texts[gathered[i]->texts.size() == 1 ? 0 : static_cast<size_t>(lane)],
           gathered[i]->block);
  };
  bind_gathered(0);

  bool uniform = std::all_of(arguments.begin(), arguments.end(), [](const Lanes& l) { return l.texts.size() == 1; });
  auto argument = [&](size_t i, int lane) -> const std::string& {
    return arguments[i].texts[arguments[i].texts.size() == 1 ? 0 : static_cast<size_t>(lane)];
  };
  auto same_at_all_lanes = [&](const IntExpr& e) {
    IntExpr first = at_lane(e, variable, width, 0);
    for (int lane = 1; lane < width; ++lane)
      if (!(at_lane(e, variable, width, lane) == first)) return false;
    return true;
  };
  bool same_checks = one_for_all && std::all_of(op.checks.begin(), op.checks.end(), [&](const RangeCheck& c) {
                       return same_at_all_lanes(c.value) && same_at_all_lanes(c.extent);
                     });
  bool same_index = one_for_all && same_at_all_lanes(op.index);
  auto checks_at = [&](int lane) {
    std::vector<RangeCheck> checks;
    for (const RangeCheck& c : op.checks)
      checks.push_back({at_lane(c.value, variable, width, lane), at_lane(c.extent, variable, width, lane)});
    return checks;
  };
  switch (op.kind) {
    case PointOp::Kind::kLiteral: out.texts = {literal(dialect, op.dtype, op.bits)}; break;
    case PointOp::Kind::kInput: out = inputs_.at(op.input); break;
    case PointOp::Kind::kIndex: {
      int lanes = same_index ? 1 : width;
      for (int lane = 0; lane < lanes; ++lane) {
        bind_gathered(lane);
        IntExpr e = at_lane(op.index, variable, width, lane);
        int block = block_of(e);
        out.block = std::max(out.block, block);
        std::string text = integer(e);
        out.texts.push_back(narrow(op.dtype, reg == Register::kInt ? text : cast_to(type, text)));
      }
      break;
    }
    case PointOp::Kind::kGatherIndex: {
      // A 64-bit index beyond an int is clamped as one that is merely out of range.
      const bool wide = register_of(point.ops[static_cast<size_t>(op.args[0])].dtype) == Register::kInt64;
      const std::string wide_type(dialect.types[static_cast<int>(Register::kInt64)]);
      int lanes = uniform && same_index ? 1 : width;
      for (int lane = 0; lane < lanes; ++lane) {
        bind_gathered(lane);
        IntExpr extent = at_lane(op.index, variable, width, lane);
        int block = std::max(out.block, block_of(extent));
        std::string n = integer(extent);
        Block& at = *blocks_[static_cast<size_t>(block)];
        std::string from = argument(0, lane);
        if (wide)
          from = "min(max(" + from + ", " + cast_to(wide_type, "-2147483647") + "), " + cast_to(wide_type, "2147483647") + ")";
        std::string i = at.temporary("int", cast_to("int", from));
        out.texts.push_back(
            at.temporary("int", "max(min(" + i + " < 0 ? " + i + " + " + n + " : " + i + ", " + n + " - 1), 0)"));
        out.block = block;
      }
      break;
    }
    case PointOp::Kind::kMap: {
      Dtype operand = point.ops[static_cast<size_t>(op.args.back())].dtype;
      if (op.op == MapOp::cast) operand = point.ops[static_cast<size_t>(op.args[0])].dtype;
      int lanes = uniform ? 1 : width;
      Block& at = *blocks_[static_cast<size_t>(out.block)];
      for (int lane = 0; lane < lanes; ++lane) {
        std::vector<std::string> texts;
        for (size_t i = 0; i < arguments.size(); ++i) texts.push_back(argument(i, lane));
        // llvmpipe (Mesa 22.3) takes x * 0 for 0 where the 0 is a literal, even where x is infinite.
        if (writer.exact() && op.op == MapOp::mul && reg == Register::kFloat)
          for (std::string& t : texts)
            if (t == "0.0") t = std::string(dialect.hidden_zero);
        out.texts.push_back(at.temporary(type, map_text(writer, op.op, operand, op.dtype, texts)));
      }
      break;
    }
    case PointOp::Kind::kGuard: {
      int lanes = uniform && same_checks ? 1 : width;
      for (int lane = 0; lane < lanes; ++lane) {
        bind_gathered(lane);
        std::string test = condition(checks_at(lane), &out.block);
        out.texts.push_back(test.empty() ? argument(0, lane)
                                         : blocks_[static_cast<size_t>(out.block)]->temporary(
                                               type, test + " ? " + argument(0, lane) + " : " + argument(1, lane)));
      }
      break;
    }
    case PointOp::Kind::kLoad: {
      bool scalar = same_index && same_checks;
      if (width > 1 && dtype_size_bytes(op.dtype) <= 4 && !scalar && same_checks && contiguous(op.index, variable, width)) {
        IntExpr vector_index = *divide_exact(at_lane(op.index, variable, width, 0), IntExpr(width));
        int block = block_of(vector_index);
        std::string test = condition(checks_at(0), &block);
        out.texts =
            load_lanes(*blocks_[static_cast<size_t>(block)], op.value, op.dtype, width, integer(vector_index), test, op.bits);
        out.block = block;
        break;
      }
      int lanes = scalar ? 1 : width;
      for (int lane = 0; lane < lanes; ++lane) {
        bind_gathered(lane);
        IntExpr e = at_lane(op.index, variable, width, lane);
        int block = block_of(e);
        std::string test = condition(checks_at(lane), &block);
        Block& at = *blocks_[static_cast<size_t>(block)];
        out.texts.push_back(load_lanes(at, op.value, op.dtype, 1, integer(e), test, op.bits)[0]);
        out.block = std::max(out.block, block);
      }
      break;
    }
  }
  done[index] = out;
  return out;
}

std::vector<std::string> Emitter::emit(const Point& point, int root, const std::string& variable, int width) {
  std::map<int, Lanes> done;
  const std::vector<bool> needed = ops_needed(point, root);
  // In order: arguments and gathered indices come before their users.
  for (size_t i = 0; i < point.ops.size(); ++i)
    if (needed[i]) emit_op(point, static_cast<int>(i), variable, width, done);
  std::vector<std::string> lanes = done.at(root).texts;
  if (lanes.size() == 1) lanes.resize(static_cast<size_t>(width), lanes[0]);
  return lanes;
}

std::string Emitter::word(const PointOp& load, const std::string& variable, const std::string& fill) {
  constexpr int kBytes = 4;
  const IntExpr index = *divide_exact(at_lane(load.index, variable, kBytes, 0), IntExpr(kBytes));
  std::vector<RangeCheck> checks;
  for (const RangeCheck& c : load.checks)
    checks.push_back({at_lane(c.value, variable, kBytes, 0), at_lane(c.extent, variable, kBytes, 0)});
  int block = block_of(index);
  const std::string test = condition(checks, &block);
  return load_word(*blocks_[static_cast<size_t>(block)], load.value, integer(index), test, fill);
}

Status Emitter::store(ValueId value, const IntExpr& address, const std::vector<std::string>& lanes, const std::string& variable,
                      int width) {
  KernelWriter& writer = blocks_[0]->writer();
  const Dtype dtype = writer.graph().value(value).dtype;
  Block& inner = *blocks_.back();
  std::vector<std::string> texts = lanes;
  if (register_of(dtype) == Register::kFloat && writer.exact())
    for (std::string& t : texts) t = "tuff_canonical_nan(" + t + ")";
  if (width > 1 && dtype_size_bytes(dtype) <= 4 && contiguous(address, variable, width)) {
    IntExpr index = *divide_exact(at_lane(address, variable, width, 0), IntExpr(width));
    store_lanes(inner, value, width, integer(index), texts);
    return ok_status();
  }
  for (int lane = 0; lane < width; ++lane)
    store_lanes(inner, value, 1, integer(at_lane(address, variable, width, lane)), {texts[static_cast<size_t>(lane)]});
  return ok_status();
}

}  // namespace tuff
