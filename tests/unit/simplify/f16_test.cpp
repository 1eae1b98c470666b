// What f16 rounds, and what it leaves.
#include <algorithm>

#include "golden.h"
#include "rule_case.h"

using namespace tuff;

namespace {

Lowered lowered(const Graph& graph) { return checked(compute_in_f16(graph)); }

// In f16, whose results are rounded as they come, the output of elements up to `largest` is off by a few roundings.
void check_rounded(const Graph& graph, const std::vector<Tensor>& inputs, double largest) {
  EvaluateOptions truth;
  truth.precision = Precision::kTruth;
  auto expected = evaluate(graph, inputs, {}, truth), got = evaluate(lowered(graph).graph, inputs, {});
  REQUIRE(expected.ok());
  REQUIRE(got.ok());
  for (int64_t i = 0; i < (*got)[0].element_count(); ++i)
    CHECK(std::fabs((*got)[0].at(i) - (*expected)[0].at(i)) < largest * 4 * 0x1p-11);
}

// A norm of rows, a product, and a bias made of positions.
const char kNorm[] = R"(input %0 "x": f32[3, 8]
%1: f32[3, 8] = map.mul %0, %0 from "norm"
%2: f32[3, 1] = reduce.sum %1 {axes=[1] order=tree} from "norm"
%3 "eps": f32[3, 1] = constant splat(0.00001) from "norm"
%4: f32[3, 1] = map.add %2, %3 from "norm"
%5: f32[3, 1] = map.sqrt %4 from "norm"
%6: f32[3, 8] = broadcast %5 from "norm"
%7: f32[3, 8] = map.div %0, %6 from "norm"
%8 "w": f32[8, 8] = constant random(seed=1, scale=1) from "w"
%9: f32[3, 8] = contract %7, %8 {a=[0, 1] b=[1, 2] out=[0, 2]} from "product"
%10: i32[3, 8] = iota {axis=1} from "position"
%11: f32[3, 8] = map.cast %10 from "position"
%12: f32[3, 8] = map.sin %11 from "angle"
%13: f32[3, 8] = map.add %9, %12 from "add"
%14: f32[3, 8] = map.abs %13 from "abs"
output %14 "y"
)";

}  // namespace

TEST_CASE("operators round; reductions, what comes from them or integers alone, and squares for them do not") {
  const Graph graph = graph_of(kNorm);
  const Lowered made = lowered(graph);
  golden::check("simplify/f16", print(made.graph));
  CHECK(made.values == std::vector<std::string>{"norm f32[3, 8] to f16", "w f32[8, 8] to f16", "product f32[3, 8] to f16",
                                                "add f32[3, 8] to f16", "abs f32[3, 8] to f16"});
}

TEST_CASE("numbers whose squares are beyond f16 are normalised as in f32") {
  const Graph graph = graph_of(kNorm);
  std::vector<Tensor> inputs = random_inputs(graph, {}, 7);
  for (int64_t i = 0; i < inputs[0].element_count(); ++i) {
    const uint64_t bits = scalar_bits(Dtype::kF32, 1000 * inputs[0].at(i));
    std::memcpy(inputs[0].bytes.data() + 4 * i, &bits, 4);
  }
  check_rounded(graph, inputs, 8);
}

TEST_CASE("attention's sums before their division may be beyond f16") {
  const Graph graph = graph_of(
      "input %0 \"t\": f32[2, 4096]\n input %1 \"v\": f32[4096, 3]\n"
      "%2: f32[2, 1] = reduce.max %0 {axes=[1]} from \"s\"\n%3: f32[2, 4096] = broadcast %2 from \"s\"\n"
      "%4: f32[2, 4096] = map.sub %0, %3 from \"s\"\n%5: f32[2, 4096] = map.exp %4 from \"s\"\n"
      "%6: f32[2, 3] = contract %5, %1 {a=[0, 1] b=[1, 2] out=[0, 2] order=serial} from \"w\"\n"
      "%7: f32[] = constant splat(1) from \"w\"\n%8: f32[1] = reshape %7 from \"w\"\n%9: f32[4096] = broadcast %8 from \"w\"\n"
      "%10: f32[2] = contract %5, %9 {a=[0, 1] b=[1] out=[0] order=serial} from \"w\"\n"
      "%11: f32[2, 1] = reshape %10 from \"w\"\n%12: f32[2, 3] = broadcast %11 from \"w\"\n"
      "%13: f32[2, 3] = map.div %6, %12 from \"w\"\noutput %13 \"y\"\n");
  std::vector<Tensor> inputs = random_inputs(graph, {}, 3);
  for (Tensor& t : inputs)
    for (int64_t i = 0; i < t.element_count(); ++i) {
      const uint64_t bits = scalar_bits(Dtype::kF32, &t == &inputs[0] ? t.at(i) / 8 : 100 + t.at(i));
      std::memcpy(t.bytes.data() + 4 * i, &bits, 4);
    }
  check_rounded(graph, inputs, 100);
}

TEST_CASE("attention's scores stay f32, back to their product, and the weights of a plain softmax do not") {
  const char kSoftmax[] =
      "input %0 \"q\": f32[3, 8]\ninput %1 \"k\": f32[8, 5]\n"
      "%2: f32[3, 5] = contract %0, %1 {a=[0, 1] b=[1, 2] out=[0, 2]} from \"scores\"\n"
      "%3: f32[3, 5] = map.tanh %2 from \"cap\"\n%4: f32[3, 1] = reduce.max %3 {axes=[1]} from \"max\"\n"
      "%5: f32[3, 5] = broadcast %4 from \"max\"\n%6: f32[3, 5] = map.sub %3, %5 from \"shift\"\n"
      "%7: f32[3, 5] = map.exp %6 from \"exp\"\n";
  const Graph attention = graph_of(std::string(kSoftmax) +
                                   "input %8 \"v\": f32[5, 4]\n"
                                   "%9: f32[3, 4] = contract %7, %8 {a=[0, 1] b=[1, 2] out=[0, 2]} from \"sum\"\n"
                                   "%10: f32[3, 4] = map.abs %9 from \"abs\"\noutput %10 \"y\"\n");
  CHECK(lowered(attention).values.empty());
  const Graph plain = graph_of(std::string(kSoftmax) + "%8: f32[3, 5] = map.abs %7 from \"abs\"\noutput %8 \"y\"\n");
  const std::vector<std::string> rounded = lowered(plain).values;
  for (const char* line : {"scores f32[3, 5] to f16", "exp f32[3, 5] to f16"})
    CHECK(std::find(rounded.begin(), rounded.end(), line) != rounded.end());
}

TEST_CASE("exponentials that are no softmax's are rounded, and so is what they are made of") {
  const Graph graph = graph_of(
      "input %0 \"x\": f32[3, 8]\n%1 \"w\": f32[8, 5] = constant random(seed=1, scale=1) from \"w\"\n"
      "%2: f32[3, 5] = contract %0, %1 {a=[0, 1] b=[1, 2] out=[0, 2]} from \"first\"\n"
      "%3: f32[3, 5] = map.exp %2 from \"exp\"\n%4 \"v\": f32[5, 4] = constant random(seed=2, scale=1) from \"v\"\n"
      "%5: f32[3, 4] = contract %3, %4 {a=[0, 1] b=[1, 2] out=[0, 2]} from \"second\"\noutput %5 \"y\"\n");
  const std::vector<std::string> all = lowered(graph).values, kept = checked(store_in_f16(graph)).values;
  for (const char* line : {"w f32[8, 5] to f16", "exp f32[3, 5] to f16"}) {
    CHECK(std::find(all.begin(), all.end(), line) != all.end());
    CHECK(std::find(kept.begin(), kept.end(), line) != kept.end());
  }
}

TEST_CASE("what f16 cannot hold or need not round stays as it is") {
  // A constant beyond f16 makes its reader compute in f32, of an input as it is; its result is rounded, here to infinity.
  const Graph beyond = graph_of(
      "input %0 \"x\": f32[2]\n%1 \"w\": f32[2] = constant list(1, 65536) from \"w\"\n"
      "%2: f32[2] = map.mul %0, %1 from \"m\"\n%3: f32[2] = map.abs %2 from \"abs\"\noutput %3 \"y\"\n");
  CHECK(lowered(beyond).values == std::vector<std::string>{"m f32[2] to f16", "abs f32[2] to f16"});
  // Integers are made of inputs as they are.
  const Graph counts =
      graph_of("input %0 \"x\": f32[2]\n%1: i32[2] = map.cast %0 from \"c\"\noutput %1 \"y\"\noutput %0 \"x\"\n");
  CHECK(lowered(counts).values.empty());
  CHECK(print(lowered(counts).graph) == print(counts));
  // A pad's fill is another number of bits.
  const Graph pad = graph_of(
      "input %0 \"x\": f32[2]\n%1: f32[2] = map.abs %0 from \"a\"\n"
      "%2: f32[4] = pad %1 {mode=constant low=[1] high=[1] interior=[0] fill=1.5} from \"p\"\noutput %2 \"y\"\n");
  auto padded = evaluate(lowered(pad).graph, random_inputs(pad, {}, 3), {});
  REQUIRE(padded.ok());
  CHECK((*padded)[0].at(0) == 1.5);
  // A model in f16 is one.
  const Graph halves = graph_of(
      "input %0 \"x\": f16[2, 2]\n%1 \"w\": f16[2, 2] = constant list(1, 2, 3, 4) from \"w\"\n"
      "%2: f16[2, 2] = contract %0, %1 {a=[0, 1] b=[1, 2] out=[0, 2]} from \"m\"\noutput %2 \"y\"\n");
  CHECK(print(lowered(halves).graph) == print(halves));
}
