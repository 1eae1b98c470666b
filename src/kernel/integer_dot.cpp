#include "kernel/integer_dot.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "graph/builder.h"

namespace tuff {
namespace {

constexpr int kBytes = 4;  // in a word

struct Instruction {
  std::string_view function;
  int opcode;
  std::string_view result;
  std::string_view operands;  // of the instruction, of the words a and b
};
constexpr std::array<Instruction, 4> kInstructions = {{
    {"tuff_dot_i8", 4450, "int", "a, b"},     // OpSDot
    {"tuff_dot_u8", 4451, "uint", "a, b"},    // OpUDot
    {"tuff_dot_i8_u8", 4452, "int", "a, b"},  // OpSUDot: the first operand is the signed one
    {"tuff_dot_u8_i8", 4452, "int", "b, a"},
}};

bool is_byte(Dtype dtype) { return dtype == Dtype::kI8 || dtype == Dtype::kU8; }
bool holds(Dtype byte, int64_t value) { return byte == Dtype::kI8 ? value >= -128 && value < 128 : value >= 0 && value < 256; }

// The number that the op is wherever it is used; nullopt where it is none.
std::optional<int64_t> number_of(const Point& point, int index) {
  const PointOp& op = point.ops[static_cast<size_t>(index)];
  if (op.kind == PointOp::Kind::kLiteral) return static_cast<int64_t>(scalar_from_bits(op.dtype, op.bits));
  if (op.kind != PointOp::Kind::kMap || op.op != MapOp::neg || op.dtype != Dtype::kI32) return std::nullopt;
  const std::optional<int64_t> argument = number_of(point, op.args[0]);
  return argument ? std::optional<int64_t>(-*argument) : std::nullopt;
}

// Does the op follow from the row (and batch) alone, wherever in the sum it is used?
bool is_of_row(const Point& point, int root) {
  const std::vector<bool> needed = ops_needed(point, root);
  for (size_t i = 0; i < point.ops.size(); ++i) {
    const PointOp& op = point.ops[i];
    if (!needed[i]) continue;
    const bool plain = op.kind == PointOp::Kind::kLiteral || op.kind == PointOp::Kind::kMap || op.kind == PointOp::Kind::kLoad;
    if (!plain || !op.checks.empty()) return false;
    bool rows = true;
    op.index.visit_symbols([&](const Symbol& s) { rows = rows && (!s.extent || s.name == "b" || s.name == "m"); });
    if (!rows) return false;
  }
  return true;
}

// The op as a byte from memory less a zero point; nullopt where it is something else.
std::optional<ByteOperand> byte_operand(const Point& point, int root) {
  auto op_at = [&](int i) -> const PointOp& { return point.ops[static_cast<size_t>(i)]; };
  ByteOperand out;
  const PointOp* op = &op_at(root);
  const PointOp* guard = nullptr;
  std::optional<int64_t> padding;
  if (op->kind == PointOp::Kind::kGuard) {
    guard = op;
    padding = number_of(point, op->args[1]);
    if (!padding) return std::nullopt;
    op = &op_at(op->args[0]);
  }
  if (op->kind == PointOp::Kind::kMap && (op->op == MapOp::sub || op->op == MapOp::add)) {
    const std::optional<int64_t> number = number_of(point, op->args[1]);
    if (number)
      out.zero_point = op->op == MapOp::sub ? *number : -*number;
    else if (op->op == MapOp::sub && is_of_row(point, op->args[1]))
      out.zero_point_op = op->args[1];
    else
      return std::nullopt;
    op = &op_at(op->args[0]);
  }
  if (op->kind != PointOp::Kind::kMap || op->op != MapOp::cast || op->dtype != Dtype::kI32) return std::nullopt;
  const PointOp& load = op_at(op->args[0]);
  if (load.kind != PointOp::Kind::kLoad || !is_byte(load.dtype)) return std::nullopt;
  out.load = load;
  out.fill = static_cast<int64_t>(scalar_from_bits(load.dtype, load.bits));
  if (guard) {
    // Padding becomes the byte that the zero point makes it of.
    out.fill = *padding + out.zero_point;
    if (out.zero_point_op >= 0 || guard->checks != load.checks || !holds(load.dtype, out.fill)) return std::nullopt;
  }
  return out;
}

// Does each expression of the load name loops of the kernel alone, and is it one word for four neighbours along the variable?
bool is_word(const PointOp& load, const std::string& variable) {
  bool plain = true;
  auto visit = [&](const Symbol& s) {
    const bool loop = s.name == "b" || s.name == "m" || s.name == "n" || s.name == "k" || s.name.front() == 't';
    plain = plain && (!s.extent || loop);
  };
  load.index.visit_symbols(visit);
  for (const RangeCheck& check : load.checks) {
    check.value.visit_symbols(visit);
    check.extent.visit_symbols(visit);
    for (int lane = 1; lane < kBytes; ++lane)
      if (!(at_lane(check.value, variable, kBytes, lane) == at_lane(check.value, variable, kBytes, 0)) ||
          !(at_lane(check.extent, variable, kBytes, lane) == at_lane(check.extent, variable, kBytes, 0)))
        return false;
  }
  return plain && Emitter::contiguous(load.index, variable, kBytes);
}

// The function for these operands on the device; empty where it has none that is fast.
std::string_view function_for(const DeviceInfo& device, Dtype a, Dtype b, bool& turns_signs) {
  turns_signs = false;
  if (a == b) return a == Dtype::kI8 ? "tuff_dot_i8" : "tuff_dot_u8";
  if (device.integer_dot_product_mixed) return a == Dtype::kI8 ? "tuff_dot_i8_u8" : "tuff_dot_u8_i8";
  turns_signs = a == Dtype::kU8;
  return turns_signs ? "tuff_dot_i8" : "";
}

// Four of the byte that is read where a check fails.
std::string fill_word(const ByteOperand& operand) {
  return std::to_string(static_cast<uint32_t>(operand.fill & 255) * 16843009u) + "u";
}

IntegerDotChoice refused(std::string why) { return {std::nullopt, std::move(why)}; }

}  // namespace

Result<IntegerDotChoice> choose_integer_dot(const KernelRequest& request, const Contraction& c, int width) {
  const Graph& graph = request.graph;
  const Node& node = graph.node(request.group.anchor);
  if (graph.value(node.output).dtype != Dtype::kI32) return refused("its sums are not of i32.");
  if (!request.device.integer_dot_product) return refused("the device has no fast dot product of bytes.");
  if (c.depth.is(0) || !divide_exact(c.depth, IntExpr(kBytes)))
    return refused("its sums of " + c.depth.text() + " are not whole words of four bytes.");

  GroupScope group(request);
  PointBuilder a_builder(group.scope), b_builder(group.scope);
  TUFF_ASSIGN(int a_op, a_builder.element(node.inputs[0], c.a));
  TUFF_ASSIGN(int b_op, b_builder.element(node.inputs[1], c.b));
  std::vector<int> b_ops = {b_op};
  for (const auto& [other, at] : c.others) {
    TUFF_ASSIGN(int op, b_builder.element(graph.node(other).inputs[1], at));
    b_ops.push_back(op);
  }
  IntegerDot dot;
  auto a = byte_operand(a_builder.point(), a_op);
  if (!a) return refused("its first operand is not bytes from memory, less one zero point for each row.");
  if (!is_word(a->load, "k")) return refused("four of its first operand's bytes along the sum do not lie in a word.");
  dot.a = *a;
  for (int op : b_ops) {
    auto b = byte_operand(b_builder.point(), op);
    if (!b) return refused("its second operand is not bytes from memory.");
    if (b->zero_point != 0 || b->zero_point_op >= 0) return refused("its second operand has a zero point.");
    const bool along = is_word(b->load, "k");
    if (!along && (width != kBytes || !is_word(b->load, "n")))
      return refused("four of its second operand's bytes lie in a word neither along the sum nor along the columns.");
    if (!dot.b.empty() && (dot.across == along || dot.b[0].load.dtype != b->load.dtype))
      return refused("the products of this kernel differ in how their bytes lie.");
    dot.across = !along;
    dot.b.push_back(*b);
  }
  dot.function = function_for(request.device, dot.a.load.dtype, dot.b[0].load.dtype, dot.turns_signs);
  if (dot.function.empty()) return refused("the device has no fast dot product of signed with unsigned bytes.");
  dot.a_point = std::move(a_builder.point());
  std::string why = std::string(dtype_name(dot.a.load.dtype)) + " by " + std::string(dtype_name(dot.b[0].load.dtype)) +
                    ", four products an instruction";
  if (dot.across) why += "; words of four columns are turned into words of the sum";
  if (dot.turns_signs)
    why += "; the unsigned ones less 128, for which the sums of the others make up";
  else if (dot.has_correction())
    why += "; the zero point is taken away from the sums";
  return IntegerDotChoice{std::move(dot), why + "."};
}

Result<std::string> explain_integer_products(const Graph& graph, const Layouts& layouts, const Fusion& fusion,
                                             const DeviceInfo& device) {
  std::vector<Decision> decisions;
  for (const Group& group : fusion.groups) {
    const bool is_product = group.kind == AnchorKind::kContract ||
                            (group.kind == AnchorKind::kWindow && !is_own_channel_window(graph, group.anchor));
    if (group.members.empty() || !is_product) continue;
    const Node& node = graph.node(group.anchor);
    if (graph.value(node.output).dtype != Dtype::kI32) continue;
    const KernelRequest request{graph, layouts, fusion, group, device};
    const Contraction c = contraction_of(request);
    TUFF_ASSIGN(const IntegerDotChoice choice, choose_integer_dot(request, c, vector_width(c.columns)));
    decisions.push_back({choice.dot.has_value(), choice.dot ? "dot product" : "single products", label(node), choice.why, {}});
  }
  return decisions.empty() ? std::string() : "\nSums of integer products:\n" + explain_decisions(decisions);
}

std::string dot_row(const IntegerDot& dot, Emitter& emitter) {
  const std::string word = emitter.word(dot.a.load, "k", fill_word(dot.a));
  return dot.turns_signs ? word + " ^ 2155905152u" : word;
}

std::string dot_columns(const IntegerDot& dot, Emitter& emitter, size_t product, int width) {
  const ByteOperand& b = dot.b[product];
  std::string words;
  for (int i = 0; i < width; ++i) {
    PointOp load = b.load;
    auto at = [&](const IntExpr& e) { return dot.across ? at_lane(e, "k", kBytes, i) : at_lane(e, "n", width, i); };
    load.index = at(load.index);
    for (RangeCheck& check : load.checks) check = {at(check.value), at(check.extent)};
    words += (i ? ", " : "") + emitter.word(load, dot.across ? "n" : "k", fill_word(b));
  }
  if (dot.across) return "tuff_bytes_across(" + words + ")";
  return width == 1 ? words : construct(glsl(), Register::kUint, width, words);
}

std::string dot_factor(const IntegerDot& dot, Emitter& emitter) {
  if (dot.a.zero_point_op < 0) return "(" + std::to_string(dot.constant_factor()) + ")";
  const std::string zero_point = emitter.emit(dot.a_point, dot.a.zero_point_op, "", 1)[0];
  return dot.turns_signs ? "(" + zero_point + " - 128)" : zero_point;
}

std::string integer_dot_extensions(const std::string& body) {
  return body.find("tuff_dot_") == std::string::npos ? "" : "#extension GL_EXT_spirv_intrinsics : require\n";
}

std::string integer_dot_functions(const std::string& body) {
  std::string out;
  for (const Instruction& i : kInstructions) {
    const std::string name(i.function);
    if (body.find(name + "(") == std::string::npos) continue;
    // Capabilities DotProductInput4x8BitPacked and DotProduct; the literal is PackedVectorFormat4x8Bit.
    out += "spirv_instruction(extensions = [\"SPV_KHR_integer_dot_product\"], capabilities = [6018, 6019], id = " +
           std::to_string(i.opcode) + ")\n" + std::string(i.result) + " " + name +
           "_words(uint a, uint b, spirv_literal int f);\n";
    out += "int " + name + "(uint a, uint b, int sum) { return sum + int(" + name + "_words(" + std::string(i.operands) +
           ", 0)); }\n";
    for (int width : {2, 4}) {
      const std::string size = std::to_string(width);
      std::string lanes;
      for (int lane = 0; lane < width; ++lane) {
        const std::string at = std::string(".") + "xyzw"[lane];
        lanes += (lane ? ", " : "") + name + "(a, b" + at + ", sum" + at + ")";
      }
      out += "ivec" + size + " " + name + "(uint a, uvec" + size + " b, ivec" + size + " sum) { return ivec" + size + "(" +
             lanes + "); }\n";
    }
  }
  if (body.find("tuff_bytes_across(") != std::string::npos)
    out +=
        "uvec4 tuff_bytes_across(uint a, uint b, uint c, uint d) {\n"
        "  uint even_ab = (a & 0x00ff00ffu) | ((b & 0x00ff00ffu) << 8), odd_ab = ((a >> 8) & 0x00ff00ffu) | (b & "
        "0xff00ff00u);\n"
        "  uint even_cd = (c & 0x00ff00ffu) | ((d & 0x00ff00ffu) << 8), odd_cd = ((c >> 8) & 0x00ff00ffu) | (d & "
        "0xff00ff00u);\n"
        "  return uvec4((even_ab & 65535u) | (even_cd << 16), (odd_ab & 65535u) | (odd_cd << 16),\n"
        "               (even_ab >> 16) | (even_cd & 0xffff0000u), (odd_ab >> 16) | (odd_cd & 0xffff0000u));\n"
        "}\n";
  return out;
}

}  // namespace tuff
