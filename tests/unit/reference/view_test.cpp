// Views: each output element is the input element that its definition in graph.h names.
#include "graph_text.h"

using namespace tuff;

namespace {

// 0, 1, 2, ... as i32: an element says where it came from.
Tensor counted(std::vector<int64_t> shape) {
  int64_t count = 1;
  for (int64_t d : shape) count *= d;
  std::vector<int32_t> x(static_cast<size_t>(count));
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<int32_t>(i);
  return make_tensor(Dtype::kI32, std::move(shape), x);
}

std::vector<int32_t> elements_of(const std::string& body, const std::vector<Tensor>& inputs,
                                 const std::map<std::string, int64_t>& symbols = {}) {
  Tensor y = outputs_of(graph_of(body), inputs, Precision::kFloat, symbols)[0];
  auto e = y.elements<int32_t>();
  return {e.begin(), e.end()};
}

using Ints = std::vector<int32_t>;

}  // namespace

TEST_CASE("transpose, then reshape, reads the transposed order") {
  CHECK(elements_of("input %0 \"x\": i32[2, 3]\n%1: i32[3, 2] = transpose %0 {perm=[1, 0]} from \"t\"\n"
                    "%2: i32[6] = reshape %1 from \"r\"\noutput %2 \"y\"\n",
                    {counted({2, 3})}) == Ints{0, 3, 1, 4, 2, 5});
}

TEST_CASE("slices step forwards and backwards") {
  CHECK(elements_of("input %0 \"x\": i32[2, 6]\n%1: i32[2, 3] = slice %0 {starts=[1, 5] steps=[-1, -2]} from "
                    "\"s\"\noutput %1 \"y\"\n",
                    {counted({2, 6})}) == Ints{11, 9, 7, 5, 3, 1});
}

TEST_CASE("a slice out of range is refused once the symbol is known") {
  Graph graph = graph_of(
      "symbol n in 1..9 step 1\ninput %0 \"x\": i32[n]\n%1: i32[4] = slice %0 {starts=[0] steps=[1]} from "
      "\"s\"\noutput %1 \"y\"\n");
  CHECK(evaluate(graph, {counted({4})}, {{"n", 4}}).ok());
  auto y = evaluate(graph, {counted({3})}, {{"n", 3}});
  REQUIRE_FALSE(y.ok());
  CHECK(y.status().message().find("out of the size 3") != std::string::npos);
}

TEST_CASE("padding modes") {
  auto pad = [](const std::string& mode, const std::string& amounts, int64_t n, int64_t out) {
    return elements_of("input %0 \"x\": i32[" + std::to_string(n) + "]\n%1: i32[" + std::to_string(out) +
                           "] = pad %0 {mode=" + mode + " " + amounts + "} from \"p\"\noutput %1 \"y\"\n",
                       {counted({n})});
  };
  CHECK(pad("constant", "low=[2] high=[1] interior=[0] fill=-7", 3, 6) == Ints{-7, -7, 0, 1, 2, -7});
  CHECK(pad("constant", "low=[1] high=[1] interior=[2] fill=9", 3, 9) == Ints{9, 0, 9, 9, 1, 9, 9, 2, 9});
  CHECK(pad("edge", "low=[2] high=[1] interior=[0]", 3, 6) == Ints{0, 0, 0, 1, 2, 2});
  CHECK(pad("reflect", "low=[2] high=[2] interior=[0]", 3, 7) == Ints{2, 1, 0, 1, 2, 1, 0});
  CHECK(pad("reflect", "low=[1] high=[1] interior=[0]", 1, 3) == Ints{0, 0, 0});
  CHECK(pad("wrap", "low=[2] high=[4] interior=[0]", 3, 9) == Ints{1, 2, 0, 1, 2, 0, 1, 2, 0});
  CHECK(pad("constant", "low=[2] high=[1] interior=[0] fill=5", 0, 3) == Ints{5, 5, 5});
}

TEST_CASE("padding of two axes of a transposed value") {
  CHECK(elements_of("input %0 \"x\": i32[2, 3]\n%1: i32[3, 2] = transpose %0 {perm=[1, 0]} from \"t\"\n"
                    "%2: i32[4, 3] = pad %1 {mode=constant low=[1, 0] high=[0, 1] interior=[0, 0] fill=-1} from "
                    "\"p\"\noutput %2 \"y\"\n",
                    {counted({2, 3})}) == Ints{-1, -1, -1, 0, 3, -1, 1, 4, -1, 2, 5, -1});
}

TEST_CASE("broadcast repeats, and a map reads the repeats") {
  CHECK(elements_of("input %0 \"x\": i32[2, 1]\n%1: i32[2, 3] = broadcast %0 from \"b\"\n%2: i32[2, 3] = map.add %1, "
                    "%1 from \"a\"\n"
                    "output %2 \"y\"\n",
                    {counted({2, 1})}) == Ints{0, 0, 0, 2, 2, 2});
}

TEST_CASE("concat along an inner axis") {
  CHECK(elements_of("input %0 \"x\": i32[2, 2]\ninput %1 \"z\": i32[2, 1]\n%2: i32[2, 5] = concat %0, %1, %0 {axis=1} "
                    "from \"c\"\n"
                    "output %2 \"y\"\n",
                    {counted({2, 2}), counted({2, 1})}) == Ints{0, 1, 0, 0, 1, 2, 3, 1, 2, 3});
}

TEST_CASE("gather counts from the end and clamps") {
  std::vector<int64_t> indices = {-1, 0, 7, -9};
  CHECK(elements_of("input %0 \"x\": i32[2, 3, 2]\ninput %1 \"i\": i64[2, 2]\n%2: i32[2, 2, 2, 2] = gather %0, %1 "
                    "{axis=1} from \"g\"\n"
                    "output %2 \"y\"\n",
                    {counted({2, 3, 2}), make_tensor(Dtype::kI64, {2, 2}, indices)}) ==
        Ints{4, 5, 0, 1, 4, 5, 0, 1, 10, 11, 6, 7, 10, 11, 6, 7});
}

TEST_CASE("iota, dimension and symbols") {
  CHECK(elements_of("symbol n in 1..9 step 1\n%0: i32[2, n] = iota {axis=1} from \"i\"\n%1: i32[] = dimension "
                    "{value=2*n} from \"d\"\n"
                    "%2: i32[1, 1] = reshape %1 from \"d\"\n%3: i32[2, n] = broadcast %2 from \"d\"\n%4: i32[2, n] = "
                    "map.add %0, %3 from \"a\"\n"
                    "output %4 \"y\"\n",
                    {}, {{"n", 3}}) == Ints{6, 7, 8, 6, 7, 8});
  Graph graph = graph_of("symbol n in 2..8 step 2\n%0: i32[n] = iota {axis=0} from \"i\"\noutput %0 \"y\"\n");
  CHECK(evaluate(graph, {}, {{"n", 4}}).ok());
  for (int64_t n : {3, 10, 0}) CHECK(evaluate(graph, {}, {{"n", n}}).status().code() == Code::kInvalidArgument);
  CHECK(evaluate(graph, {}, {}).status().code() == Code::kInvalidArgument);
}

TEST_CASE("constants: bytes, splats and random ones") {
  CHECK(elements_of("%0: i32[2] = constant list(3, -4) from \"c\"\n%1: i32[2] = constant splat(10) from \"c\"\n"
                    "%2: i32[2] = map.add %0, %1 from \"a\"\noutput %2 \"y\"\n",
                    {}) == Ints{13, 6});
  Graph graph = graph_of("%0: f32[1000] = constant random(seed=5, scale=0.5) from \"c\"\noutput %0 \"y\"\n");
  Tensor y = outputs_of(graph, {})[0];
  auto bytes = constant_bytes(std::get<ConstantAttrs>(graph.nodes[0].attrs));
  REQUIRE(bytes.ok());
  CHECK(std::equal(y.bytes.begin(), y.bytes.end(), bytes->data.begin(), bytes->data.end()));
}

TEST_CASE("a value beyond the memory limit is refused, with the numbers") {
  Graph graph =
      graph_of("%0: i64[1000000] = iota {axis=0} from \"i\"\n%1: i64[1000000] = map.neg %0 from \"n\"\noutput %1 \"y\"\n");
  EvaluateOptions options;
  options.memory_limit_bytes = 12000000;
  auto y = evaluate(graph, {}, {}, options);
  REQUIRE_FALSE(y.ok());
  CHECK(y.status().code() == Code::kLimit);
  options.memory_limit_bytes = 16000000;
  CHECK(evaluate(graph, {}, {}, options).ok());
}

TEST_CASE("truth keeps doubles where the graph says f32") {
  Graph graph = graph_of(
      "input %0 \"x\": f32[1]\n%1: f16[1] = map.cast %0 from \"c\"\n%2: f32[1] = map.cast %1 from \"c\"\n"
      "%3: f32[1] = map.mul %2, %2 from \"m\"\noutput %3 \"y\"\n");
  Tensor x = make_tensor(Dtype::kF64, {1}, std::vector<double>{1.0 / 3});
  CHECK(outputs_of(graph, {x}, Precision::kTruth)[0].at(0) == (1.0 / 3) * (1.0 / 3));
  CHECK_FALSE(evaluate(graph, {x}, {}).ok());
}

TEST_CASE("extra values come after the outputs, and inputs may be outputs") {
  Graph graph = graph_of(
      "input %0 \"x\": i32[2]\n%1: i32[2] = map.neg %0 from \"n\"\n%2: i32[2] = map.neg %1 from \"n\"\noutput %2 "
      "\"y\"\noutput %0 \"x2\"\n");
  EvaluateOptions options;
  options.extra_values = {graph.nodes[0].output};
  auto y = evaluate(graph, {counted({2})}, {}, options);
  REQUIRE(y.ok());
  REQUIRE(y->size() == 3);
  CHECK((*y)[2].at(1) == -1);
  CHECK((*y)[1].at(1) == 1);
}
