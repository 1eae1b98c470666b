#include "kernel/access.h"

namespace tuff {
namespace {

// Element i, counted from the word's first one, of a word of packed elements, as a register of the dtype.
std::string unpacked(Dtype dtype, const std::string& word, const std::string& i) {
  switch (dtype) {
    case Dtype::kBool: return "(tuff_u8_of(" + word + ", " + i + ") != 0u)";
    case Dtype::kU8: return "tuff_u8_of(" + word + ", " + i + ")";
    case Dtype::kI8: return "tuff_i8_of(" + word + ", " + i + ")";
    case Dtype::kU16: return "tuff_u16_of(" + word + ", " + i + ")";
    case Dtype::kI16: return "tuff_i16_of(" + word + ", " + i + ")";
    case Dtype::kBf16: return "tuff_bf16_bits_to_f32(tuff_u16_of(" + word + ", " + i + "))";
    // Not by unpackHalf2x16, which takes the smallest halves for zeros on some devices.
    default: return "tuff_f16_bits_to_f32(tuff_u16_of(" + word + ", " + i + "))";
  }
}

// Half i of a word, whose number in it is `known` unless that is -1, by the device's own unpacking.
std::string unpacked_half(Block& block, const std::string& word, const std::string& i, int known) {
  if (known < 0) return block.temporary("float", "unpackHalf2x16(" + word + " >> (16 * ((" + i + ") & 1))).x");
  return block.temporary("vec2", "unpackHalf2x16(" + word + ")") + "." + "xy"[known];
}

// What a packed element's bits are, in the low bits of a uint; those above are undefined.
std::string bits_of(Dtype dtype, const std::string& lane) {
  switch (register_of(dtype)) {
    case Register::kBool: return "(" + lane + " ? 1u : 0u)";
    case Register::kInt: return "uint(" + lane + ")";
    case Register::kFloat: return (dtype == Dtype::kF16 ? "tuff_f32_to_f16_bits(" : "tuff_f32_to_bf16_bits(") + lane + ")";
    default: return lane;
  }
}

// Lanes in one word, the first in the lowest bits.
std::string packed(Dtype dtype, const std::vector<std::string>& lanes, size_t first, size_t count) {
  std::string text = count == 4 ? "tuff_word_of_8(" : "tuff_word_of_16(";
  for (size_t i = 0; i < count; ++i) text += (i ? ", " : "") + bits_of(dtype, lanes[first + i]);
  return text + ")";
}

// How many right shifts divide by a power of two.
std::string halvings(int n) { return std::to_string(n == 4 ? 2 : n == 2 ? 1 : 0); }

// Vector 0 in place of one that is not to be read.
std::string safe_index(Block& block, const std::string& index, const std::string& test) {
  return test.empty() ? index : block.temporary("int", test + " ? " + index + " : 0");
}

}  // namespace

std::string load_word(Block& block, ValueId value, const std::string& index, const std::string& test, const std::string& fill) {
  const std::string loaded = block.temporary("uint", block.writer().load(value, 1, safe_index(block, index, test)));
  return test.empty() ? loaded : block.temporary("uint", test + " ? " + loaded + " : " + fill);
}

std::vector<std::string> load_lanes(Block& block, ValueId value, Dtype as, int width, const std::string& index,
                                    const std::string& test, uint64_t fill) {
  KernelWriter& writer = block.writer();
  const Dialect& dialect = writer.dialect();
  const Register reg = register_of(as);
  const std::string type = type_name(dialect, reg, 1), otherwise = literal(dialect, as, fill);
  const std::string safe = safe_index(block, index, test);
  std::vector<std::string> lanes;
  if (!is_packed(as)) {
    const std::string loaded = block.temporary(type_name(dialect, reg, width), writer.load(value, width, safe));
    std::string checked = loaded;
    if (!test.empty()) {
      const std::string fills = width == 1 ? otherwise : construct(dialect, reg, width, otherwise);
      checked = block.temporary(type_name(dialect, reg, width), test + " ? " + loaded + " : " + fills);
    }
    for (int lane = 0; lane < width; ++lane) lanes.push_back(component(checked, width, lane));
    return lanes;
  }
  const int in_word = static_cast<int>(4 / dtype_size_bytes(as));
  const int words = std::max(width / in_word, 1);
  const int vectors_in_word = std::max(in_word / width, 1);
  const std::string at = vectors_in_word == 1 ? safe : "(" + safe + ") >> " + halvings(vectors_in_word);
  const std::string loaded = block.temporary(type_name(dialect, Register::kUint, words), writer.load(value, words, at));
  const bool unpacks = as == Dtype::kF16 && writer.unpacks_halves();
  for (int lane = 0; lane < width; ++lane) {
    const std::string word = component(loaded, words, lane / in_word);
    const std::string i = vectors_in_word == 1 ? std::to_string(lane % in_word)
                          : width == 1         ? safe
                                               : "2 * (" + safe + ") + " + std::to_string(lane);
    const std::string element = unpacks ? unpacked_half(block, word, i, vectors_in_word == 1 ? lane % in_word : -1)
                                        : block.temporary(type, unpacked(as, word, i));
    lanes.push_back(test.empty() ? element : block.temporary(type, test + " ? " + element + " : " + otherwise));
  }
  return lanes;
}

void store_lanes(Block& block, ValueId value, int width, const std::string& index, const std::vector<std::string>& lanes) {
  KernelWriter& writer = block.writer();
  const Dtype dtype = writer.graph().value(value).dtype;
  if (!is_packed(dtype)) {
    const std::string all = width == 1 ? lanes[0] : construct(writer.dialect(), register_of(dtype), width, listed(lanes));
    block.line(writer.stored(value, width, index) + " = " + all + ";");
    return;
  }
  const size_t in_word = static_cast<size_t>(4 / dtype_size_bytes(dtype));
  if (lanes.size() >= in_word) {
    const int words = static_cast<int>(lanes.size() / in_word);
    std::vector<std::string> each;
    for (size_t first = 0; first < lanes.size(); first += in_word) each.push_back(packed(dtype, lanes, first, in_word));
    const std::string all = words == 1 ? each[0] : construct(writer.dialect(), Register::kUint, words, listed(each));
    block.line(writer.stored(value, words, index) + " = " + all + ";");
    return;
  }
  for (size_t lane = 0; lane < lanes.size(); ++lane) {
    const std::string i = width == 1 ? index : block.temporary("int", "2 * (" + index + ") + " + std::to_string(lane));
    const std::string bits = block.temporary("uint", bits_of(dtype, lanes[lane]));
    if (writer.stores_narrow(dtype)) {
      block.line(writer.narrow_element(value, i) + " = " + cast_to(narrow_type(writer.dialect(), dtype), bits) + ";");
      continue;
    }
    const std::string word = writer.stored(value, 1, "(" + i + ") >> " + halvings(static_cast<int>(in_word)));
    const std::string size = in_word == 4 ? "8" : "16";
    block.line(atomic_and(writer.dialect(), word, "~tuff_u" + size + "_to(4294967295u, " + i + ")") + ";");
    block.line(atomic_or(writer.dialect(), word, "tuff_u" + size + "_to(" + bits + ", " + i + ")") + ";");
  }
}

}  // namespace tuff
