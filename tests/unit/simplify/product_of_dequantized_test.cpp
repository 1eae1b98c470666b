// Products of quantised factors sum integers, and only those whose integers fit.
#include "golden.h"
#include "rule_case.h"

using namespace tuff;

namespace {

int integer_products(const Graph& graph) {
  int count = 0;
  for (const Node& node : graph.nodes)
    count += (std::holds_alternative<ContractAttrs>(node.attrs) || std::holds_alternative<WindowAttrs>(node.attrs)) &&
             graph.value(node.output).dtype == Dtype::kI32;
  return count;
}

// (x - 3) * 0.5 for x: u8, as %x .. %(x + 6) of the shape.
std::string dequantized_input(const std::string& shape, const std::string& ones) {
  return "input %0 \"x\": u8" + shape + "\n %1: f32" + shape + " = map.cast %0 from \"dq\"\n %2: f32" + ones +
         " = constant splat(3) from \"dq\"\n %3: f32" + shape + " = broadcast %2 from \"dq\"\n %4: f32" + shape +
         " = map.sub %1, %3 from \"dq\"\n %5: f32" + ones + " = constant splat(0.5) from \"dq\"\n %6: f32" + shape +
         " = broadcast %5 from \"dq\"\n %7: f32" + shape + " = map.mul %4, %6 from \"dq\"\n";
}

// w * scale for w: i8, as %10 .. %13 of the shape.
std::string dequantized_weights(const std::string& shape, const std::string& scale_shape) {
  return "input %10 \"w\": i8" + shape + "\n %11: f32" + shape + " = map.cast %10 from \"dw\"\n %12: f32" + scale_shape +
         " = constant random(seed=1, scale=1) from \"dw\"\n %13: f32" + shape + " = broadcast %12 from \"dw\"\n %14: f32" +
         shape + " = map.mul %11, %13 from \"dw\"\n";
}

Graph matrix_product(const std::string& depth, const std::string& scale_shape) {
  return graph_of(
      renumbered(dequantized_input("[3, " + depth + "]", "[1, 1]") + dequantized_weights("[" + depth + ", 5]", scale_shape) +
                 "%20: f32[3, 5] = contract %7, %14 {a=[0, 1] b=[1, 2] out=[0, 2]} from \"c\"\noutput %20 \"y\"\n"));
}

}  // namespace

TEST_CASE("a matrix product of dequantised factors sums integers") {
  Graph before = matrix_product("7", "[1, 5]");
  Graph after = applied(product_of_dequantized, before);
  CHECK(integer_products(after) == 1);
  check_same_truth(before, after);
  golden::check("simplify/product_of_dequantized", print(after));
}

TEST_CASE("a convolution of dequantised factors sums integers, with padding that is 0 there, too") {
  Graph before = graph_of(renumbered(
      dequantized_input("[1, 4, 9]", "[1, 1, 1]") + dequantized_weights("[6, 2, 3]", "[6, 1, 1]") +
      "%20: f32[1, 4, 11] = pad %7 {mode=constant low=[0, 0, 1] high=[0, 0, 1] interior=[0, 0, 0] fill=0} from \"c\"\n"
      "%21: f32[1, 6, 9] = window.conv %20, %14 {kernel=[3] strides=[1] dilations=[1] groups=2} from \"c\"\noutput %21 "
      "\"y\"\n"));
  Graph after = applied(product_of_dequantized, before);
  CHECK(integer_products(after) == 1);
  check_same_truth(before, after);
  golden::check("simplify/product_of_dequantized_conv", print(after));
}

TEST_CASE("a product stays one of floats where its integers do not sum") {
  auto stays = [](const Graph& before) { return integer_products(applied(product_of_dequantized, before)) == 0; };
  CHECK_FALSE(stays(matrix_product("7", "[1, 5]")));
  CHECK_FALSE(stays(matrix_product("7", "[1, 1]")));
  CHECK(stays(matrix_product("7", "[7, 1]")));  // a scale for each of what is summed
  // 252 * 128 for each product, at most: 66,576 of them may reach 2^31.
  CHECK_FALSE(stays(matrix_product("66575", "[1, 5]")));
  CHECK(stays(matrix_product("66577", "[1, 5]")));
  // Padding that is not zero.
  CHECK(stays(graph_of(renumbered(
      dequantized_input("[1, 2, 9]", "[1, 1, 1]") + dequantized_weights("[6, 2, 3]", "[6, 1, 1]") +
      "%20: f32[1, 2, 10] = pad %7 {mode=constant low=[0, 0, 1] high=[0, 0, 0] interior=[0, 0, 0] fill=1} from \"c\"\n"
      "%21: f32[1, 6, 8] = window.conv %20, %14 {kernel=[3] strides=[1] dilations=[1] groups=1} from \"c\"\noutput %21 "
      "\"y\"\n"))));
  // A zero point that is no whole number.
  std::string text = print(matrix_product("7", "[1, 5]"));
  text.replace(text.find("splat(3)"), 8, "splat(3.5)");
  auto uneven = parse_graph(text, "test");
  REQUIRE(uneven.ok());
  CHECK(stays(*uneven));
}
