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
