// The bits of every function, as a hash over 2^20 inputs: a change of one bit anywhere shows here, also in a
// processor mode that treats denormals as GPUs do.
#include <doctest/doctest.h>

#include <cstdio>
#include <string>

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

#include "function_table.h"

namespace tuff::numerics_test {
namespace {

struct Golden {
  const char* name;
  std::uint64_t hash;
};

constexpr Golden kGolden[] = {
#include "golden_bits.def"
};

// FNV-1a over words.
std::uint64_t output_hash(const BitFunction& function) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (std::uint32_t i = 0; i < kInputCount; ++i) {
    hash = (hash ^ function.evaluate(comparison_input(i))) * 0x100000001b3u;
  }
  return hash;
}

void check_all_hashes() {
  REQUIRE(std::size(kGolden) == all_functions().size());
  for (std::size_t i = 0; i < std::size(kGolden); ++i) {
    const BitFunction& function = all_functions()[i];
    CHECK(std::string(kGolden[i].name) == function.name);
    const std::uint64_t hash = output_hash(function);
    char row[80];
    std::snprintf(row, sizeof row, "{\"%s\", 0x%016llx},", function.name, static_cast<unsigned long long>(hash));
    INFO("The row of golden_bits.def would be ", std::string(row));
    CHECK(hash == kGolden[i].hash);
  }
}

}  // namespace

TEST_CASE("bits are those of golden_bits.def") { check_all_hashes(); }

#if defined(__SSE2__)
// Results flushed, operands flushed, both: every combination that a GPU may have.
TEST_CASE("bits do not depend on how the processor treats denormals") {
  constexpr unsigned kFlushResults = 0x8000, kFlushOperands = 0x0040;
  for (unsigned mode : {kFlushResults, kFlushOperands, kFlushResults | kFlushOperands}) {
    CAPTURE(mode);
    const unsigned saved = _mm_getcsr();
    _mm_setcsr(saved | mode);
    check_all_hashes();
    _mm_setcsr(saved);
  }
}
#endif

}  // namespace tuff::numerics_test
