// What the one printer writes in each language.
#include <doctest/doctest.h>

#include "kernel/dialect.h"

namespace tuff {

TEST_CASE("an element of a buffer") {
  CHECK(element(glsl(), "b0", "i + 1") == "b0.e[i + 1]");
  CHECK(element(cuda(), "b0", "i + 1") == "b0[i + 1]");
}

TEST_CASE("a texel keeps the bits of its words") {
  CHECK(texel(glsl(), Register::kFloat, 4, "b", "i") == "uintBitsToFloat(texelFetch(b, i))");
  CHECK(texel(glsl(), Register::kFloat, 2, "b", "i") == "uintBitsToFloat(texelFetch(b, i).xy)");
  CHECK(texel(glsl(), Register::kFloat, 1, "b", "i") == "uintBitsToFloat(texelFetch(b, i).x)");
  CHECK(texel(glsl(), Register::kInt, 4, "b", "i") == "ivec4(texelFetch(b, i))");
  CHECK(texel(glsl(), Register::kInt, 1, "b", "i") == "int(texelFetch(b, i).x)");
  CHECK(texel(glsl(), Register::kUint, 2, "b", "i") == "texelFetch(b, i).xy");
  CHECK(texel(cuda(), Register::kFloat, 4, "b", "i") == "tex1Dfetch<float4>(b, i)");
  CHECK(texel(cuda(), Register::kInt, 1, "b", "i") == "tex1Dfetch<int>(b, i)");
}

}  // namespace tuff
