// What the one printer writes in each language.
#include <doctest/doctest.h>

#include "kernel/access.h"
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
  KernelWriter writer(*graph, placements, glsl(), false, {1});
  CHECK(writer.load(ValueId(0), 4, "i") == "uintBitsToFloat(texelFetch(b0x4, i))");
  CHECK(writer.load(ValueId(1), 4, "i") == "b1x4.e[i]");
  CHECK(writer.load(ValueId(0), 1, "i") == "b2.e[i]");
  CHECK(writer.load(ValueId(0), 4, "j") == "uintBitsToFloat(texelFetch(b0x4, j))");
  CHECK(writer.stored(ValueId(2), 2, "i") == "b3x2.e[i]");
  std::vector<int> words;
  for (const KernelBinding& b : writer.bindings()) words.push_back(b.texel_words);
  CHECK(words == std::vector<int>{4, 0, 0, 0});
}

namespace {

// What one access writes, with the declarations that it needs.
struct Written {
  std::string graph_text;
  StorageFeatures features = {};

  template <class Use>
  std::string text(Use use) const {
    auto graph = parse_graph(graph_text, "test");
    REQUIRE_MESSAGE(graph.ok(), graph.status().message());
    std::vector<Placement> placements(graph->values.size());
    for (size_t v = 0; v < placements.size(); ++v) placements[v].owner = ValueId(v);
    KernelWriter writer(*graph, placements, glsl(), false, features);
    Block block(writer, nullptr);
    use(block);
    return block.text(0);
  }
};

std::string one_value(const std::string& dtype) {
  return "graph \"one\" {\n  input %0 \"x\": " + dtype + "[8]\n  output %0 \"x\"\n}\n";
}

std::string loaded(const std::string& dtype, int width, StorageFeatures features = {}) {
  std::string lanes;
  std::string text = Written{one_value(dtype), features}.text([&](Block& block) {
    for (const std::string& lane :
         load_lanes(block, ValueId(0), block.writer().graph().value(ValueId(0)).dtype, width, "i", "", 0))
      lanes += lane + " ";
  });
  return text + lanes;
}

std::string stored(const std::string& dtype, int width, StorageFeatures features) {
  const std::vector<std::string> names = {"a", "b", "c", "d"};
  return Written{one_value(dtype), features}.text([&](Block& block) {
    store_lanes(block, ValueId(0), width, "i", {names.begin(), names.begin() + width});
  });
}

}  // namespace

TEST_CASE("packed elements are read as the words around them") {
  CHECK(loaded("u8", 4) ==
        "uint u_0 = b0.e[i];\nuint u_1 = tuff_u8_of(u_0, 0);\nuint u_2 = tuff_u8_of(u_0, 1);\n"
        "uint u_3 = tuff_u8_of(u_0, 2);\nuint u_4 = tuff_u8_of(u_0, 3);\nu_1 u_2 u_3 u_4 ");
  CHECK(loaded("i8", 2) ==
        "uint u_0 = b0.e[(i) >> 1];\nint i_1 = tuff_i8_of(u_0, 2 * (i) + 0);\n"
        "int i_2 = tuff_i8_of(u_0, 2 * (i) + 1);\ni_1 i_2 ");
  CHECK(loaded("bool", 1) == "uint u_0 = b0.e[(i) >> 2];\nbool b_1 = (tuff_u8_of(u_0, i) != 0u);\nb_1 ");
  CHECK(loaded("f16", 4) ==
        "uvec2 u_0 = b0x2.e[i];\nfloat f_1 = tuff_f16_bits_to_f32(tuff_u16_of(u_0.x, 0));\n"
        "float f_2 = tuff_f16_bits_to_f32(tuff_u16_of(u_0.x, 1));\nfloat f_3 = tuff_f16_bits_to_f32(tuff_u16_of(u_0.y, 0));\n"
        "float f_4 = tuff_f16_bits_to_f32(tuff_u16_of(u_0.y, 1));\nf_1 f_2 f_3 f_4 ");
  CHECK(loaded("f16", 1) == "uint u_0 = b0.e[(i) >> 1];\nfloat f_1 = tuff_f16_bits_to_f32(tuff_u16_of(u_0, i));\nf_1 ");
}

TEST_CASE("halves are unpacked a word at a time where the device keeps denormal ones") {
  StorageFeatures features;
  features.unpacks_halves = true;
  CHECK(loaded("f16", 4, features) ==
        "uvec2 u_0 = b0x2.e[i];\nvec2 v_1 = unpackHalf2x16(u_0.x);\nvec2 v_2 = unpackHalf2x16(u_0.y);\n"
        "v_1.x v_1.y v_2.x v_2.y ");
  CHECK(loaded("f16", 1, features) ==
        "uint u_0 = b0.e[(i) >> 1];\nfloat f_1 = unpackHalf2x16(u_0 >> (16 * ((i) & 1))).x;\nf_1 ");
  CHECK(loaded("bf16", 1, features).find("unpackHalf2x16") == std::string::npos);
}

TEST_CASE("a checked load of packed elements gives the fill for each of them") {
  const std::string text =
      Written{one_value("u16"), {}}.text([](Block& block) { load_lanes(block, ValueId(0), Dtype::kU16, 1, "i", "inside", 7); });
  CHECK(text ==
        "int i_0 = inside ? i : 0;\nuint u_1 = b0.e[(i_0) >> 1];\nuint u_2 = tuff_u16_of(u_1, i_0);\n"
        "uint u_3 = inside ? u_2 : 7u;\n");
}

TEST_CASE("packed elements are written as words, else one by one, else atomically") {
  const StorageFeatures none, all{0, true, true};
  for (const StorageFeatures& features : {none, all}) {
    CHECK(stored("u8", 4, features) == "b0.e[i] = tuff_word_of_8(a, b, c, d);\n");
    CHECK(stored("i16", 4, features) ==
          "b0x2.e[i] = uvec2(tuff_word_of_16(uint(a), uint(b)), tuff_word_of_16(uint(c), uint(d)));\n");
    CHECK(stored("f16", 2, features) == "b0.e[i] = tuff_word_of_16(tuff_f32_to_f16_bits(a), tuff_f32_to_f16_bits(b));\n");
  }
  CHECK(stored("bool", 1, all) == "uint u_0 = (a ? 1u : 0u);\nb0n.e[i] = uint8_t(u_0);\n");
  CHECK(stored("u8", 2, all) ==
        "int i_0 = 2 * (i) + 0;\nuint u_1 = a;\nb0n.e[i_0] = uint8_t(u_1);\n"
        "int i_2 = 2 * (i) + 1;\nuint u_3 = b;\nb0n.e[i_2] = uint8_t(u_3);\n");
  CHECK(stored("u8", 1, none) ==
        "uint u_0 = a;\natomicAnd(b0.e[(i) >> 2], ~tuff_u8_to(4294967295u, i));\natomicOr(b0.e[(i) >> 2], tuff_u8_to(u_0, "
        "i));\n");
  CHECK(stored("bf16", 1, none) ==
        "uint u_0 = tuff_f32_to_bf16_bits(a);\natomicAnd(b0.e[(i) >> 1], ~tuff_u16_to(4294967295u, i));\n"
        "atomicOr(b0.e[(i) >> 1], tuff_u16_to(u_0, i));\n");
}

}  // namespace tuff
