// What dequantises weights is neither folded into larger constants nor scaled as if it were.
#include "rule_case.h"

using namespace tuff;

TEST_CASE("what dequantises weights is not folded, small integers are") {
  auto folded = [](const std::string& columns) {
    Graph before = graph_of("input %0 \"x\": f32[2, 16]\n %1: i8[16, " + columns +
                            "] = constant random(seed=1, scale=100) from \"w\"\n %2: f32[16, " + columns +
                            "] = map.cast %1 from \"w\"\n %3: f32[2, " + columns +
                            "] = contract %0, %2 {a=[0, 1] b=[1, 2] out=[0, 2]} from \"c\"\noutput %3 \"y\"\n");
    Graph after = checked(fold_constants(before, folding_options()));
    check_same_truth(before, after);
    return after.nodes.size() == 2;
  };
  CHECK(folded("15"));
  CHECK_FALSE(folded("16"));
}

TEST_CASE("a scale after a product does not go into weights that stay integers") {
  Graph before = graph_of(
      "input %0 \"x\": f32[2, 16]\n %1: i8[16, 32] = constant random(seed=1, scale=100) from \"w\"\n %2: f32[16, 32] = "
      "map.cast %1 from \"w\"\n %3: f32[2, 32] = contract %0, %2 {a=[0, 1] b=[1, 2] out=[0, 2]} from \"c\"\n"
      "%4: f32[1, 1] = constant splat(0.5) from \"s\"\n %5: f32[2, 32] = broadcast %4 from \"s\"\n %6: f32[2, 32] = map.mul "
      "%3, %5 from \"s\"\noutput %6 \"y\"\n");
  CHECK(print(applied(scale_of_product, before)) == print(before));
}

TEST_CASE("weights of 4 bits stay two a byte, and their shifts cost no memory") {
  // As the importer unpacks them: (byte << (4 - 4 j)) >> 4.
  Graph before = graph_of(
      "input %0 \"x\": f32[2, 64]\n %1: i8[32, 16] = constant random(seed=1, scale=100) from \"w\"\n %2: i8[32, 1, 16] = "
      "reshape %1 from \"w\"\n %3: i8[32, 2, 16] = broadcast %2 from \"w\"\n %4: i8[1, 5, 1] = iota {axis=1} from \"w\"\n "
      "%5: i8[1, 2, 1] = slice %4 {starts=[0, 4, 0] steps=[1, -4, 1]} from \"w\"\n %6: i8[32, 2, 16] = broadcast %5 from "
      "\"w\"\n %7: i8[32, 2, 16] = map.shift_left %3, %6 from \"w\"\n %8: i8[1, 1, 1] = constant splat(4) from \"w\"\n "
      "%9: i8[32, 2, 16] = broadcast %8 from \"w\"\n %10: i8[32, 2, 16] = map.shift_right %7, %9 from \"w\"\n %11: f32[32, 2, "
      "16] = map.cast %10 from \"w\"\n %12: f32[64, 16] = reshape %11 from \"w\"\n %13: f32[2, 16] = contract %0, %12 {a=[0, "
      "1] b=[1, 2] out=[0, 2]} from \"c\"\noutput %13 \"y\"\n");
  Graph after = checked(simplify(before, folding_options()));
  check_same_truth(before, after);
  int64_t bytes = 0;
  for (const Node& node : after.nodes)
    if (const auto* constant = std::get_if<ConstantAttrs>(&node.attrs);
        constant && constant->data.kind != ConstantData::Kind::kSplat)
      bytes += product(constant->shape).constant() * dtype_size_bytes(constant->dtype);
  CHECK(bytes == 512);
}
