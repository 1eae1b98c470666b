// Halves as kernels read them: each of the 65,536 is widened to the float that it is, by the device's own unpacking where it
// keeps denormal halves, which are small weights.
#include <bit>
#include <numeric>

#include "base/float16.h"
#include "kernels/checked_builder.h"
#include "reference/reference.h"

namespace tuff {
namespace {

// Rows of all halves, in order, from the given one on.
Tensor all_halves(int64_t rows, int64_t columns, uint16_t first) {
  std::vector<uint16_t> bits(static_cast<size_t>(rows * columns));
  std::iota(bits.begin(), bits.end(), first);
  return make_tensor(Dtype::kF16, {rows, columns}, bits);
}

bool is_nan(uint32_t bits) { return (bits & 0x7fffffffu) > 0x7f800000u; }

// The widened halves in f32, bit for bit; NaNs are one in exact mode, and any in fast mode.
void check_widened(int64_t rows, int64_t columns, bool exact) {
  CAPTURE(columns);
  CAPTURE(exact);
  CheckedBuilder b;
  const ValueId x = b.builder.input("x", Dtype::kF16, {IntExpr(rows), IntExpr(columns)});
  b.builder.output(b.take(b.builder.cast(x, Dtype::kF32)), "y");
  const Graph graph = std::move(b.builder).finish();
  auto device = test_device();
  REQUIRE_MESSAGE(device.ok(), device.status().message());
  const Tensor halves = all_halves(rows, columns, 0);
  auto run = run_graph(graph, *device, {exact, true}, {halves}, {});
  REQUIRE_MESSAGE(run.ok(), run.status().message());
  CHECK((run->sources.find("unpackHalf2x16") != std::string::npos) == (keeps_denormal_halves((*device)->info()) && !exact));
  const auto* got = reinterpret_cast<const uint32_t*>(run->outputs[0].bytes.data());
  int64_t wrong = 0, first_wrong = -1;
  for (int64_t i = 0; i < rows * columns; ++i) {
    const uint32_t want = std::bit_cast<uint32_t>(half_to_float(static_cast<uint16_t>(i)));
    if (is_nan(want) ? exact ? got[i] == 0x7fc00000u : is_nan(got[i]) : got[i] == want) continue;
    if (wrong++ == 0) first_wrong = i;
  }
  CHECK_MESSAGE(wrong == 0, wrong, " halves are wrong, the first of them ", first_wrong, "\n", run->sources);
}

}  // namespace

TEST_CASE("all halves are widened as they are, in words and one by one") {
  for (const bool exact : {false, true}) {
    check_widened(256, 256, exact);
    check_widened(65536, 1, exact);
    check_widened(1, 65535, exact);  // no whole words a row
  }
}

TEST_CASE("denormal weights in f16 count in a product") {
  // 2^-24 the least half; 64 of them times 2^10 are 2^-8.
  for (const int64_t columns : {1, 2, 7, 8, 64}) {
    CAPTURE(columns);
    CheckedBuilder b;
    const int64_t depth = 64;
    const ValueId x = b.builder.input("x", Dtype::kF16, {IntExpr(9), IntExpr(depth)});
    const ValueId w = b.builder.input("w", Dtype::kF16, {IntExpr(depth), IntExpr(columns)});
    auto wide = [&](ValueId v) { return b.take(b.builder.cast(v, Dtype::kF32)); };
    ContractAttrs attrs;
    attrs.a = {0, 1};
    attrs.b = {1, 2};
    attrs.out = {0, 2};
    b.builder.output(b.take(b.builder.add(attrs, {wide(x), wide(w)})), "y");
    const Graph graph = simplified(std::move(b.builder).finish());
    auto device = test_device();
    REQUIRE_MESSAGE(device.ok(), device.status().message());
    const Tensor thousands = make_tensor(Dtype::kF16, {9, depth}, std::vector<uint16_t>(9 * 64, float_to_half(1024.0f)));
    const Tensor least =
        make_tensor(Dtype::kF16, {depth, columns}, std::vector<uint16_t>(static_cast<size_t>(depth * columns), 1));
    for (const bool fuse : {true, false}) {
      auto run = run_graph(graph, *device, {false, fuse}, {thousands, least}, {});
      REQUIRE_MESSAGE(run.ok(), run.status().message());
      for (int64_t i = 0; i < run->outputs[0].element_count(); ++i) REQUIRE(run->outputs[0].at(i) == 0x1p-8);
    }
  }
}

}  // namespace tuff
