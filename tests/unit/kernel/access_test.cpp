// What the one printer writes in each language.
#include <doctest/doctest.h>

#include "kernel/dialect.h"
#include "kernel/emit.h"

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

TEST_CASE("a kernel reads storage buffers once it has as many texel buffers as the device allows") {
  auto graph = parse_graph(R"(graph "two" {
  input %0 "x": f32[8]
  input %1 "y": f32[8]
  %2: f32[8] = map.add %0, %1 from "add"
  output %2 "z"
}
)",
                           "test");
  REQUIRE_MESSAGE(graph.ok(), graph.status().message());
  std::vector<Placement> placements(graph->values.size());
  for (size_t v = 0; v < placements.size(); ++v) placements[v].owner = ValueId(v);
  KernelWriter writer(*graph, placements, glsl(), false, 1);
  CHECK(writer.load(ValueId(0), 4, "i") == "uintBitsToFloat(texelFetch(b0x4, i))");
  CHECK(writer.load(ValueId(1), 4, "i") == "b1x4.e[i]");
  CHECK(writer.load(ValueId(0), 1, "i") == "b2.e[i]");
  CHECK(writer.load(ValueId(0), 4, "j") == "uintBitsToFloat(texelFetch(b0x4, j))");
  CHECK(writer.stored(ValueId(2), 2, "i") == "b3x2.e[i]");
  std::vector<int> words;
  for (const KernelBinding& b : writer.bindings()) words.push_back(b.texel_words);
  CHECK(words == std::vector<int>{4, 0, 0, 0});
}

}  // namespace tuff
