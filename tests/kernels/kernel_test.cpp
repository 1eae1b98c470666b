// Kernels against the reference, on the device that the loader lists first: every skeleton, fused and unfused. Fast mode
// agrees with the truth within a bound, exact mode with the reference's floats bit for bit.
#include <doctest/doctest.h>

#include <cmath>
#include <random>

#include "graph/builder.h"
#include "kernels/run_graph.h"
#include "reference/reference.h"

namespace tuff {
namespace {

Tensor random_tensor(const Value& value, const std::map<std::string, int64_t>& symbols, uint32_t seed) {
  Tensor t{value.dtype, {}, {}};
  for (const IntExpr& d : value.shape)
    t.shape.push_back(*d.evaluate([&](std::string_view n) { return std::optional<int64_t>(symbols.at(std::string(n))); }));
  size_t size = static_cast<size_t>(dtype_size_bytes(t.dtype));
  t.bytes.resize(static_cast<size_t>(t.element_count()) * size);
  std::mt19937 random(seed);
  for (int64_t i = 0; i < t.element_count(); ++i) {
    double v = static_cast<double>(random() % 20001) / 10000.0 - 1.0;
    if (is_integer(t.dtype)) v = static_cast<double>(random() % 7) - (is_signed_integer(t.dtype) ? 3 : 0);
    if (t.dtype == Dtype::kBool) v = random() % 2;
    uint64_t bits = scalar_bits(t.dtype, v);
    std::memcpy(t.bytes.data() + static_cast<size_t>(i) * size, &bits, size);
  }
  return t;
}

// Runs the graph in all four modes and compares. `scale` bounds the fast mode's error relative to the output's largest
// magnitude, in units of 2^-24.
void check(const std::string& text, const std::map<std::string, int64_t>& symbols = {}, double scale = 64) {
  INFO(text);
  auto graph = parse_graph(text, "test");
  REQUIRE_MESSAGE(graph.ok(), graph.status().message());
  auto device = test_device();
  REQUIRE_MESSAGE(device.ok(), device.status().message());
  std::vector<Tensor> inputs;
  for (size_t i = 0; i < graph->inputs.size(); ++i)
    inputs.push_back(random_tensor(graph->value(graph->inputs[i]), symbols, static_cast<uint32_t>(i + 1)));
  EvaluateOptions truth_options;
  truth_options.precision = Precision::kTruth;
  auto truth = evaluate(*graph, inputs, symbols, truth_options);
  REQUIRE_MESSAGE(truth.ok(), truth.status().message());
  auto floats = evaluate(*graph, inputs, symbols);
  REQUIRE_MESSAGE(floats.ok(), floats.status().message());

  for (bool exact : {false, true}) {
    for (bool fuse : {true, false}) {
      CAPTURE(exact);
      CAPTURE(fuse);
      auto run = run_graph(*graph, *device, {exact, fuse}, inputs, symbols);
      REQUIRE_MESSAGE(run.ok(), run.status().message());
      for (size_t o = 0; o < graph->outputs.size(); ++o) {
        const Tensor& got = run->outputs[o];
        const Tensor& want = (*truth)[o];
        REQUIRE(got.shape == (*floats)[o].shape);
        if (exact || !is_float(got.dtype)) {
          bool same = got.bytes == (*floats)[o].bytes;
          int64_t at = 0;
          while (!same && at < got.element_count() && got.at(at) == (*floats)[o].at(at)) ++at;
          CHECK_MESSAGE(same, "element ", at, " is ", at < got.element_count() ? got.at(at) : 0, ", the reference has ",
                        at < got.element_count() ? (*floats)[o].at(at) : 0, "\n", run->sources);
        } else {
          double largest = 1e-30, worst = 0;
          int64_t at = 0;
          for (int64_t i = 0; i < got.element_count(); ++i) largest = std::max(largest, std::fabs(want.at(i)));
          for (int64_t i = 0; i < got.element_count(); ++i) {
            double error = std::fabs(got.at(i) - want.at(i));
            if (!(error <= worst)) {
              worst = error;
              at = i;
            }
          }
          CHECK_MESSAGE(worst <= scale * 0x1p-24 * largest, "element ", at, " is ", got.element_count() ? got.at(at) : 0.0,
                        ", the truth is ", got.element_count() ? want.at(at) : 0.0, "\n", run->sources);
        }
      }
    }
  }
}

}  // namespace

TEST_CASE("map: a chain with broadcasting") {
  for (std::string n : {"1", "3", "4", "7", "63", "64", "65", "257"}) {
    check(
        "graph \"g\" {\n"
        "  input %0 \"x\": f32[3, " +
        n +
        "]\n"
        "  input %1 \"y\": f32[1, " +
        n +
        "]\n"
        "  %2: f32[3, " +
        n +
        "] = broadcast %1 from \"add\"\n"
        "  %3: f32[3, " +
        n +
        "] = map.add %0, %2 from \"add\"\n"
        "  %4: f32[3, " +
        n +
        "] = map.exp %3 from \"exp\"\n"
        "  %5: f32[3, " +
        n +
        "] = map.mul %4, %0 from \"mul\"\n"
        "  output %5 \"z\"\n}\n");
  }
}

TEST_CASE("convolution with bias and activation") {
  for (auto [c, m, k] : {std::array<int, 3>{3, 8, 3}, {4, 5, 1}, {8, 12, 3}, {16, 64, 3}, {1, 1, 5}, {7, 33, 3}}) {
    std::string C = std::to_string(c), M = std::to_string(m), K = std::to_string(k), P = std::to_string(k / 2);
    check(
        "graph \"g\" {\n"
        "  input %0 \"x\": f32[1, " +
        C +
        ", 9, 11]\n"
        "  %1: f32[" +
        M + ", " + C + ", " + K + ", " + K +
        "] = constant random(seed=1, scale=0.5) from \"w\"\n"
        "  %2: f32[1, " +
        M +
        ", 1, 1] = constant random(seed=2, scale=0.5) from \"b\"\n"
        "  %3: f32[1, " +
        C + ", " + std::to_string(9 + 2 * (k / 2)) + ", " + std::to_string(11 + 2 * (k / 2)) +
        "] = pad %0 {mode=constant low=[0, 0, " + P + ", " + P + "] high=[0, 0, " + P + ", " + P +
        "] interior=[0, 0, 0, 0] fill=0} from \"conv\"\n"
        "  %4: f32[1, " +
        M + ", 9, 11] = window.conv %3, %1 {kernel=[" + K + ", " + K +
        "] strides=[1, 1] dilations=[1, 1] groups=1 order=serial} from \"conv\"\n"
        "  %5: f32[1, " +
        M +
        ", 9, 11] = broadcast %2 from \"conv\"\n"
        "  %6: f32[1, " +
        M +
        ", 9, 11] = map.add %4, %5 from \"conv\"\n"
        "  %7: f32[1, " +
        M +
        ", 9, 11] = map.sigmoid %6 from \"act\"\n"
        "  output %7 \"y\"\n}\n");
  }
}

TEST_CASE("softmax rows") {
  for (std::string n : {"1", "5", "64", "65", "1000"}) {
    check(
        "graph \"g\" {\n"
        "  input %0 \"x\": f32[5, " +
        n +
        "]\n"
        "  %1: f32[5, 1] = reduce.max %0 {axes=[1]} from \"softmax\"\n"
        "  %2: f32[5, " +
        n +
        "] = broadcast %1 from \"softmax\"\n"
        "  %3: f32[5, " +
        n +
        "] = map.sub %0, %2 from \"softmax\"\n"
        "  %4: f32[5, " +
        n +
        "] = map.exp %3 from \"softmax\"\n"
        "  %5: f32[5, 1] = reduce.sum %4 {axes=[1]} from \"softmax\"\n"
        "  %6: f32[5, " +
        n +
        "] = broadcast %5 from \"softmax\"\n"
        "  %7: f32[5, " +
        n +
        "] = map.div %4, %6 from \"softmax\"\n"
        "  output %7 \"y\"\n}\n");
  }
}

}  // namespace tuff
