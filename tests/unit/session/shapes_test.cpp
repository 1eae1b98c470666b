// Symbols from shapes and back.
#include <doctest/doctest.h>

#include "session/shapes.h"

namespace tuff {
namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

Graph parsed(const std::string& lines) {
  Result<Graph> graph = parse_graph("graph \"g\" {\n" + lines + "}\n", "test");
  REQUIRE_MESSAGE(graph.ok(), graph.status().message());
  return std::move(graph).value();
}

Graph image_graph() {
  return parsed(
      "  symbol height in 16..512 step 16\n"
      "  symbol width in 8..512 step 1\n"
      "  input %0 \"image\": f32[1, 3, height, width]\n"
      "  input %1 \"half\": f32[height, 2*width + 1]\n"
      "  output %0 \"image_out\"\n");
}

TEST_CASE("the inputs' shapes give the symbols") {
  Graph graph = image_graph();
  Result<SymbolValues> symbols = solve_symbols(graph, {{1, 3, 32, 10}, {32, 21}});
  REQUIRE_MESSAGE(symbols.ok(), symbols.status().message());
  CHECK(*symbols == SymbolValues{{"height", 32}, {"width", 10}});
  Result<Shape> shape = evaluate_shape(graph, graph.inputs[1], *symbols);
  REQUIRE(shape.ok());
  CHECK(*shape == Shape{32, 21});
}

TEST_CASE("a shape that does not fit names the input and the axis") {
  Graph graph = image_graph();
  Status fixed = solve_symbols(graph, {{1, 4, 32, 10}, {32, 21}}).status();
  CHECK(fixed.code() == Code::kInvalidArgument);
  CHECK(contains(fixed.message(),
                 "Input 'image' is [1, 3, height, width], the given shape is [1, 4, 32, 10]: axis 1 must be 3."));
  Status contradictory = solve_symbols(graph, {{1, 3, 32, 10}, {48, 21}}).status();
  CHECK(contains(contradictory.message(), "Input 'half'"));
  CHECK(contains(contradictory.message(), "axis 0 must be 32."));
  CHECK(contains(solve_symbols(graph, {{1, 3, 32, 10}, {32, 22}}).status().message(), "axis 1 must be 21."));
  CHECK(contains(solve_symbols(graph, {{3, 32, 10}, {32, 21}}).status().message(), "[3, 32, 10]"));
  CHECK(contains(solve_symbols(graph, {{1, 3, 32, 10}}).status().message(), "2 inputs, 1 shapes"));
}

TEST_CASE("sizes of planes and of aligned rows give the symbol where only one value fits") {
  Graph graph = parsed(
      "  symbol h in 1..4096 step 1\n  symbol w in 1..4096 step 1\n"
      "  input %0 \"nv12\": u8[h + floor(h + 1, 2), 2*floor(w + 1, 2)]\n  output %0 \"y\"\n");
  for (int64_t h : {1, 2, 5, 480, 4096})
    CHECK(contains(solve_symbols(graph, {{h + (h + 1) / 2, 8}}).status().message(), "a value for the dimensions 'w'."));
  CHECK(contains(solve_symbols(graph, {{4, 8}}).status().message(), "the dimensions 'h', 'w'"));  // no h has 4 rows
  Graph even = parsed("  symbol w in 1..4096 step 2\n  input %0 \"rows\": u8[2*floor(w + 1, 2)]\n  output %0 \"y\"\n");
  Result<SymbolValues> width = solve_symbols(even, {{22}});
  REQUIRE_MESSAGE(width.ok(), width.status().message());
  CHECK(*width == SymbolValues{{"w", 22}});
  Graph tall = parsed("  symbol h in 1..4096 step 1\n  input %0 \"nv12\": u8[h + floor(h + 1, 2)]\n  output %0 \"y\"\n");
  for (int64_t h : {1, 2, 5, 480, 4096}) {
    Result<SymbolValues> symbols = solve_symbols(tall, {{h + (h + 1) / 2}});
    REQUIRE_MESSAGE(symbols.ok(), symbols.status().message());
    CHECK(*symbols == SymbolValues{{"h", h}});
  }
}

TEST_CASE("ranges and divisors hold") {
  Graph graph = image_graph();
  CHECK(contains(solve_symbols(graph, {{1, 3, 528, 10}, {528, 21}}).status().message(), "outside its range 16 to 512"));
  CHECK(contains(solve_symbols(graph, {{1, 3, 40, 10}, {40, 21}}).status().message(), "not a multiple of 16"));
}

TEST_CASE("symbols by name: missing, unknown and fixed ones") {
  Graph graph = parsed(
      "  symbol batch in 4..4 step 1\n  symbol width in 1..9 step 1\n"
      "  input %0 \"x\": f32[batch, width]\n  output %0 \"y\"\n");
  Result<SymbolValues> symbols = complete_symbols(graph, {{"width", 3}});
  REQUIRE(symbols.ok());
  CHECK(*symbols == SymbolValues{{"batch", 4}, {"width", 3}});
  CHECK(contains(complete_symbols(graph, {}).status().message(), "'width'"));
  CHECK(contains(complete_symbols(graph, {{"width", 3}, {"depth", 1}}).status().message(), "no dimension 'depth'"));
}

}  // namespace
}  // namespace tuff
