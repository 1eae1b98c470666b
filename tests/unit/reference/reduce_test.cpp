// Reductions against the definition in reference.h, spelled out anew.
#include <array>
#include <cmath>
#include <limits>

#include "graph_text.h"
#include "lib/numerics_cpp.h"

using namespace tuff;
using numerics::tuff_add;

namespace {

float tree_sum(const std::vector<float>& x) {
  std::array<float, 64> lane{};
  for (size_t i = 0; i < x.size(); ++i) lane[i % 64] = tuff_add(lane[i % 64], x[i]);
  for (size_t half = 32; half >= 1; half /= 2)
    for (size_t l = 0; l < half; ++l) lane[l] = tuff_add(lane[l], lane[l + half]);
  return lane[0];
}

Tensor reduced(const std::string& op, const std::string& attrs, const Tensor& x, const std::string& dtype,
               Precision precision = Precision::kFloat) {
  std::string n = std::to_string(x.shape[0]), out = op.starts_with("arg") ? "i64" : dtype;
  return outputs_of(graph_of("input %0 \"x\": " + dtype + "[" + n + "]\n%1: " + out + "[1] = reduce." + op + " %0 {axes=[0]" +
                             attrs + "} from \"r\"\noutput %1 \"y\"\n"),
                    {x}, precision)[0];
}

}  // namespace

TEST_CASE("a tree sum has 64 lanes whatever the length") {
  for (int64_t n : {0, 1, 2, 31, 63, 64, 65, 127, 1000}) {
    Tensor x = float_tensor({n}, static_cast<uint32_t>(n));
    auto e = x.elements<float>();
    CHECK(reduced("sum", " order=tree", x, "f32").elements<float>()[0] == tree_sum({e.begin(), e.end()}));
  }
}

TEST_CASE("serial and chunked sums") {
  Tensor x = float_tensor({300}, 9);
  auto e = x.elements<float>();
  float serial = 0, chunked = 0;
  for (size_t i = 0; i < 300; ++i) serial = tuff_add(serial, e[i]);
  for (size_t first = 0; first < 300; first += 128) {
    float chunk = 0;
    for (size_t i = first; i < std::min<size_t>(300, first + 128); ++i) chunk = tuff_add(chunk, e[i]);
    chunked = tuff_add(chunked, chunk);
  }
  CHECK(reduced("sum", " order=serial", x, "f32").elements<float>()[0] == serial);
  CHECK(reduced("sum", " order=chunked(128)", x, "f32").elements<float>()[0] == chunked);
  CHECK(serial != chunked);
}

TEST_CASE("several axes are read row-major, kept axes stay apart") {
  Graph graph = graph_of(
      "input %0 \"x\": f32[3, 4, 5, 30]\n%1: f32[3, 1, 5, 1] = reduce.sum %0 {axes=[1, 3] order=tree} from "
      "\"r\"\noutput %1 \"y\"\n");
  Tensor x = float_tensor({3, 4, 5, 30}, 11);
  auto y = outputs_of(graph, {x});
  for (size_t i = 0; i < 3; ++i)
    for (size_t j = 0; j < 5; ++j) {
      std::vector<float> elements;
      for (size_t a = 0; a < 4; ++a)
        for (size_t b = 0; b < 30; ++b) elements.push_back(x.elements<float>()[((i * 4 + a) * 5 + j) * 30 + b]);
      CHECK(y[0].elements<float>()[i * 5 + j] == tree_sum(elements));
    }
}

TEST_CASE("f16 sums are rounded once") {
  std::vector<uint16_t> ones(2049, 0x3c00);
  Tensor y = reduced("sum", " order=tree", make_tensor(Dtype::kF16, {2049}, ones), "f16");
  CHECK(y.at(0) == 2048);  // 2049 lies between two halves, and goes to the even one
}

TEST_CASE("products, maxima, minima and their identities") {
  std::vector<int8_t> x = {3, -5, 7, 2};
  Tensor t = make_tensor(Dtype::kI8, {4}, x);
  CHECK(reduced("sum", "", t, "i8").at(0) == 7);
  CHECK(reduced("product", "", t, "i8").at(0) == static_cast<int8_t>(-210));
  CHECK(reduced("max", "", t, "i8").at(0) == 7);
  CHECK(reduced("min", "", t, "i8").at(0) == -5);
  Tensor none = make_tensor(Dtype::kI8, {0}, std::vector<int8_t>{});
  CHECK(reduced("max", "", none, "i8").at(0) == -128);
  CHECK(reduced("product", "", none, "i8").at(0) == 1);
  Tensor no_floats = make_tensor(Dtype::kF32, {0}, std::vector<float>{});
  CHECK(reduced("max", "", no_floats, "f32").at(0) == -INFINITY);
  CHECK(reduced("min", "", no_floats, "f32").at(0) == INFINITY);
  Tensor with_nan = make_tensor(Dtype::kF32, {3}, std::vector<float>{1, NAN, 2});
  for (Precision p : {Precision::kFloat, Precision::kTruth}) {
    CHECK(std::isnan(reduced("max", "", with_nan, "f32", p).at(0)));
    CHECK(std::isnan(reduced("min", "", with_nan, "f32", p).at(0)));
  }
}

TEST_CASE("arg-reductions: NaN first, zeros equal, the first or the last of equals") {
  auto arg = [](const std::string& op, std::vector<float> x, const std::string& attrs = "") {
    int64_t n = static_cast<int64_t>(x.size());
    return reduced(op, attrs, make_tensor(Dtype::kF32, {n}, x), "f32").at(0);
  };
  CHECK(arg("argmax", {1, 3, 3, 2}) == 1);
  CHECK(arg("argmax", {1, 3, 3, 2}, " select_last") == 2);
  CHECK(arg("argmin", {1, 3, 1, 2}) == 0);
  CHECK(arg("argmin", {1, 3, 1, 2}, " select_last") == 2);
  CHECK(arg("argmax", {-0.0f, 0.0f}) == 0);
  CHECK(arg("argmin", {0.0f, -0.0f}) == 0);
  CHECK(arg("argmax", {1, NAN, 5, NAN}) == 1);
  CHECK(arg("argmin", {1, NAN, -5, NAN}) == 1);
  CHECK(arg("argmin", {1, NAN, -5, NAN}, " select_last") == 3);
}

TEST_CASE("any and all, of nothing too") {
  auto flags = [](const std::string& op, std::vector<uint8_t> x) {
    int64_t n = static_cast<int64_t>(x.size());
    return reduced(op, "", make_tensor(Dtype::kBool, {n}, x), "bool").at(0);
  };
  CHECK(flags("any", {0, 1, 0}) == 1);
  CHECK(flags("any", {0, 0}) == 0);
  CHECK(flags("all", {1, 1}) == 1);
  CHECK(flags("all", {1, 0}) == 0);
  CHECK(flags("any", {}) == 0);
  CHECK(flags("all", {}) == 1);
}
