// A view of SPIR-V words as instructions. In: any words. Out: instructions that lie inside them, or the sentence that
// says where they stop making sense. Invariant: no operand that this file hands out lies outside the module.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/status.h"

namespace tuff {

inline constexpr size_t kSpirvHeaderWords = 5;
// Of SPV_KHR_cooperative_matrix, which the oldest supported headers lack.
inline constexpr uint32_t kSpirvCooperativeMatrixCapability = 6022;
inline constexpr uint32_t kSpirvTypeCooperativeMatrix = 4456;  // result, component type, scope, rows, columns, use

struct SpirvInstruction {
  uint32_t opcode = 0;
  uint32_t type = 0;                // id of the result type; 0: none
  uint32_t result = 0;              // id; 0: none
  size_t offset = 0;                // of its first word in the module
  std::span<const uint32_t> words;  // with the opcode word

  uint32_t word(size_t i) const { return i < words.size() ? words[i] : 0; }
};

struct SpirvModule {
  std::span<const uint32_t> words;
  std::vector<SpirvInstruction> instructions;
  std::unordered_map<uint32_t, size_t> definitions;  // result id -> index into instructions

  const SpirvInstruction* definition(uint32_t id) const {
    auto it = definitions.find(id);
    return it == definitions.end() ? nullptr : &instructions[it->second];
  }
  // f16, f32 or f64; or a vector, a matrix or an array of one of them.
  bool is_float_type(uint32_t type_id) const;
  bool has_float_result(const SpirvInstruction& i) const { return i.type != 0 && is_float_type(i.type); }
};

// CORRUPT if the words are not a module of this machine's byte order.
Result<SpirvModule> read_spirv(std::span<const uint32_t> words);

// A string operand that starts at words[first].
std::string spirv_string(const SpirvInstruction& instruction, size_t first);

// Instructions that compute with floats, so that two of them could be fused into one: those that NoContraction is for.
bool is_float_arithmetic(uint32_t opcode);

}  // namespace tuff
