// shaders/lib/packed.glsl, compiled as C++: elements come out of a word as they went in.
#include <doctest/doctest.h>

#include "lib/numerics_cpp.h"

#define TUFF_FN [[nodiscard, maybe_unused]] static inline
namespace tuff::numerics {
#include "lib/packed.glsl"
}
#undef TUFF_FN

using namespace tuff::numerics;

TEST_CASE("bytes in a word: the first is lowest, what is above eight bits is cut") {
  const unsigned word = tuff_word_of_8(0x1ffu, 0x80u, 0x7fu, 0xf00u);
  CHECK(word == 0x007f80ffu);
  const unsigned expected[] = {0xff, 0x80, 0x7f, 0};
  for (int i = 0; i < 8; ++i) {
    CHECK(tuff_u8_of(word, i) == expected[i % 4]);
    CHECK(tuff_i8_of(word, i) == static_cast<signed char>(expected[i % 4]));
    CHECK(tuff_u8_to(0x1ffu, i) == 0xffu << (8 * (i % 4)));
  }
}

TEST_CASE("halves of a word") {
  const unsigned word = tuff_word_of_16(0x18000u, 0x7fffu);
  CHECK(word == 0x7fff8000u);
  for (int i = 0; i < 4; ++i) {
    CHECK(tuff_u16_of(word, i) == (i % 2 ? 0x7fffu : 0x8000u));
    CHECK(tuff_i16_of(word, i) == (i % 2 ? 32767 : -32768));
    CHECK(tuff_u16_to(0x1ffffu, i) == (i % 2 ? 0xffff0000u : 0xffffu));
  }
}
