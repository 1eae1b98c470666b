// Contractions, convolutions and pooling against loops that know nothing of tables, in the order that the graph states.
#include <algorithm>
#include <cmath>

#include "graph_text.h"
#include "lib/numerics_cpp.h"

using namespace tuff;
using numerics::tuff_flush_inner;

TEST_CASE("a serial contraction adds along k from 0, one product at a time") {
  Graph graph = graph_of(
      "input %0 \"a\": f32[3, 5, 37]\n input %1 \"b\": f32[37, 3, 6]\n"
      "%2: f32[5, 3, 6] = contract %0, %1 {a=[0, 1, 2] b=[2, 0, 3] out=[1, 0, 3] order=serial} from \"c\"\n"
      "output %2 \"y\"\n");
  Tensor a = float_tensor({3, 5, 37}, 1), b = float_tensor({37, 3, 6}, 2);
  auto y = outputs_of(graph, {a, b}), truth = outputs_of(graph, {a, b}, Precision::kTruth);
  for (size_t m = 0; m < 5; ++m)
    for (size_t g = 0; g < 3; ++g)
      for (size_t n = 0; n < 6; ++n) {
        float acc = 0;
        double exact = 0;
        for (size_t k = 0; k < 37; ++k) {
          float p = a.elements<float>()[(g * 5 + m) * 37 + k], q = b.elements<float>()[(k * 3 + g) * 6 + n];
          acc = acc + tuff_flush_inner(p) * tuff_flush_inner(q);
          exact += static_cast<double>(p) * q;
        }
        const size_t at = (m * 3 + g) * 6 + n;
        CHECK(y[0].elements<float>()[at] == acc);
        CHECK(truth[0].elements<double>()[at] == doctest::Approx(exact).epsilon(1e-14));
      }
}

TEST_CASE("a chunked contraction adds the chunks' sums in order") {
  Graph graph = graph_of(
      "input %0 \"a\": f32[1, 700]\n input %1 \"b\": f32[700, 3]\n"
      "%2: f32[1, 3] = contract %0, %1 {a=[0, 1] b=[1, 2] out=[0, 2] order=chunked(256)} from \"c\"\n"
      "output %2 \"y\"\n");
  Tensor a = float_tensor({1, 700}, 3), b = float_tensor({700, 3}, 4);
  auto y = outputs_of(graph, {a, b});
  for (size_t n = 0; n < 3; ++n) {
    float total = 0;
    for (size_t first = 0; first < 700; first += 256) {
      float chunk = 0;
      for (size_t k = first; k < std::min<size_t>(700, first + 256); ++k)
        chunk = chunk + a.elements<float>()[k] * b.elements<float>()[k * 3 + n];
      total = total + chunk;
    }
    CHECK(y[0].elements<float>()[n] == total);
  }
}

TEST_CASE("a label that one factor alone has is summed too") {
  Graph graph = graph_of(
      "input %0 \"a\": i8[2, 3]\n input %1 \"b\": i8[4]\n"
      "%2: i8[2] = contract %0, %1 {a=[0, 1] b=[2] out=[0] order=serial} from \"c\"\n"
      "output %2 \"y\"\n");
  std::vector<int8_t> a = {1, 2, 3, 40, 50, 60}, b = {1, 2, 3, 4};
  auto y = outputs_of(graph, {make_tensor(Dtype::kI8, {2, 3}, a), make_tensor(Dtype::kI8, {4}, b)});
  CHECK(y[0].at(0) == 60);
  CHECK(y[0].at(1) == static_cast<int8_t>(1500));
}

TEST_CASE("an empty contraction is 0") {
  Graph graph = graph_of(
      "input %0 \"a\": f32[2, 0]\n input %1 \"b\": f32[0, 3]\n"
      "%2: f32[2, 3] = contract %0, %1 {a=[0, 1] b=[1, 2] out=[0, 2] order=serial} from \"c\"\n"
      "output %2 \"y\"\n");
  auto y = outputs_of(graph, {float_tensor({2, 0}, 1), float_tensor({0, 3}, 1)});
  for (int64_t i = 0; i < 6; ++i) CHECK(y[0].at(i) == 0);
}

TEST_CASE("small operands of an inner product count as 0") {
  Graph graph = graph_of(
      "input %0 \"a\": f32[1]\n input %1 \"b\": f32[1]\n"
      "%2: f32[] = contract %0, %1 {a=[0] b=[0] out=[] order=serial} from \"c\"\n"
      "output %2 \"y\"\n");
  auto product = [&](float a, float b) {
    return outputs_of(graph, {make_tensor(Dtype::kF32, {1}, std::vector{a}), make_tensor(Dtype::kF32, {1}, std::vector{b})})[0]
        .elements<float>()[0];
  };
  CHECK(product(0x1p-51f, 1) == 0x1p-51f);
  CHECK(product(0x1.8p-52f, 1) == 0);
  CHECK(product(1, -0x1.8p-52f) == 0);
}

TEST_CASE("convolution: kernel axes, then channels of the group") {
  for (size_t groups : {1, 2}) {
    const size_t group_inputs = 4 / groups;
    Graph graph = graph_of("input %0 \"x\": f32[2, 4, 9, 11]\n input %1 \"w\": f32[6, " + std::to_string(group_inputs) +
                           ", 3, 2]\n"
                           "%2: f32[2, 6, 4, 9] = window.conv %0, %1 {kernel=[3, 2] strides=[2, 1] dilations=[1, 2] groups=" +
                           std::to_string(groups) + " order=serial} from \"c\"\noutput %2 \"y\"\n");
    Tensor x = float_tensor({2, 4, 9, 11}, 5), w = float_tensor({6, static_cast<int64_t>(group_inputs), 3, 2}, 6);
    auto y = outputs_of(graph, {x, w});
    CHECK(outputs_of(graph, {x, w}, Precision::kFloat, {}, 2)[0].bytes == y[0].bytes);
    size_t at = 0;
    for (size_t n = 0; n < 2; ++n)
      for (size_t m = 0; m < 6; ++m)
        for (size_t oy = 0; oy < 4; ++oy)
          for (size_t ox = 0; ox < 9; ++ox, ++at) {
            float acc = 0;
            for (size_t ky = 0; ky < 3; ++ky)
              for (size_t kx = 0; kx < 2; ++kx)
                for (size_t c = 0; c < group_inputs; ++c) {
                  const size_t channel = m / (6 / groups) * group_inputs + c;
                  float p = x.elements<float>()[((n * 4 + channel) * 9 + 2 * oy + ky) * 11 + ox + 2 * kx];
                  float q = w.elements<float>()[((m * group_inputs + c) * 3 + ky) * 2 + kx];
                  acc = acc + p * q;
                }
            CHECK(y[0].elements<float>()[at] == acc);
          }
  }
}

TEST_CASE("pooling sums and takes maxima over the window") {
  Graph graph = graph_of(
      "input %0 \"x\": f32[1, 2, 7]\n"
      "%1: f32[1, 2, 3] = window.sum %0 {kernel=[3] strides=[2] dilations=[1] groups=1 order=serial} from \"s\"\n"
      "%2: f32[1, 2, 3] = window.max %0 {kernel=[3] strides=[2] dilations=[1] groups=1} from \"m\"\n"
      "output %1 \"sum\"\noutput %2 \"max\"\n");
  Tensor x = float_tensor({1, 2, 7}, 7);
  auto y = outputs_of(graph, {x});
  auto e = x.elements<float>();
  for (size_t c = 0; c < 2; ++c)
    for (size_t i = 0; i < 3; ++i) {
      size_t from = c * 7 + 2 * i;
      CHECK(y[0].elements<float>()[c * 3 + i] == (e[from] + e[from + 1]) + e[from + 2]);
      CHECK(y[1].elements<float>()[c * 3 + i] == std::max({e[from], e[from + 1], e[from + 2]}));
    }
}

TEST_CASE("a window larger than the input is refused once the symbol is known") {
  Graph graph = graph_of(
      "symbol h in 1..64 step 1\n input %0 \"x\": f32[1, 1, h]\n"
      "%1: f32[1, 1, h - 4] = window.max %0 {kernel=[5] strides=[1] dilations=[1] groups=1} from \"m\"\noutput %1 "
      "\"y\"\n");
  auto y = evaluate(graph, {float_tensor({1, 1, 3}, 1)}, {{"h", 3}});
  REQUIRE_FALSE(y.ok());
  CHECK(y.status().code() == Code::kInvalidArgument);
}
