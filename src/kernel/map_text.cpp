// Map ops as text: ops.def's expressions over register texts, casts, and how narrow dtypes are held in wide registers.
#include <cctype>

#include "graph/builder.h"
#include "kernel/emit.h"

namespace tuff {

std::string narrow(Dtype dtype, const std::string& text) {
  switch (dtype) {
    case Dtype::kF16: return "tuff_f16_bits_to_f32(tuff_f32_to_f16_bits(" + text + "))";
    case Dtype::kBf16: return "tuff_bf16_bits_to_f32(tuff_f32_to_bf16_bits(" + text + "))";
    case Dtype::kI8: return "(((" + text + ") << 24) >> 24)";
    case Dtype::kI16: return "(((" + text + ") << 16) >> 16)";
    case Dtype::kU8: return "((" + text + ") & 255u)";
    case Dtype::kU16: return "((" + text + ") & 65535u)";
    default: return text;
  }
}

namespace {

// A cast from a float ends at the target's range where integers would wrap.
std::string saturate(Dtype dtype, const std::string& text) {
  switch (dtype) {
    case Dtype::kI8: return "max(min(" + text + ", 127), -128)";
    case Dtype::kI16: return "max(min(" + text + ", 32767), -32768)";
    case Dtype::kU8: return "min(" + text + ", 255u)";
    case Dtype::kU16: return "min(" + text + ", 65535u)";
    default: return text;
  }
}

}  // namespace

std::string map_text(const KernelWriter& writer, MapOp op, Dtype operand, Dtype result,
                     const std::vector<std::string>& arguments) {
  const Dialect& d = writer.dialect();
  Register from = register_of(operand), to = register_of(result);
  if (op == MapOp::cast) {
    const std::string& a = arguments[0];
    std::string type(d.types[static_cast<int>(to)]);
    if (to == Register::kBool) return from == Register::kBool ? a : "(" + a + " != " + literal(d, operand, 0) + ")";
    if (from == Register::kBool)
      return "(" + a + " ? " + literal(d, result, scalar_bits(result, 1)) + " : " + literal(d, result, 0) + ")";
    if (from == Register::kFloat && to == Register::kInt) return saturate(result, "tuff_f32_to_i32(" + a + ")");
    if (from == Register::kFloat && to == Register::kUint) return saturate(result, "tuff_f32_to_u32(" + a + ")");
    if (from == Register::kFloat && to == Register::kInt64) return "tuff_f32_to_i64(" + a + ")";
    if (from == Register::kFloat && to == Register::kUint64) return "tuff_f32_to_u64(" + a + ")";
    return narrow(result, from == to ? a : cast_to(type, a));
  }
  const MapOpRow& row = map_op_row(op);
  bool real = from == Register::kFloat || from == Register::kDouble;
  std::string_view pattern = !real ? row.integer : writer.exact() ? row.exact : row.fast;
  std::string text;
  for (size_t i = 0; i < pattern.size();) {
    auto word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; };
    if (!word(pattern[i])) {
      text += pattern[i++];
      continue;
    }
    size_t end = i;
    while (end < pattern.size() && word(pattern[end])) ++end;
    std::string_view name = pattern.substr(i, end - i);
    if (name == "a")
      text += arguments[0];
    else if (name == "b")
      text += arguments[1];
    else if (name == "c")
      text += arguments[2];
    else
      text += name;
    i = end;
  }
  return narrow(result, text);
}

}  // namespace tuff
