// Which products run on matrix units, why or why not, and the kernel that comes out, for devices of tests/devices. No
// compiler is needed: this is what the stages before it say.
#include "fusion/matrix_units.h"
#include "golden.h"
#include "kernel/kernel_build.h"
#include "layout/isolate_stored_values.h"
#include "unit/device_text.h"

namespace tuff {
namespace {

// A product of rows of the dtype `a` with weights of f16, turned; bias and activation.
std::string product_text(const std::string& a, int rows) {
  const std::string m = std::to_string(rows);
  return "graph \"product\" {\n  input %0 \"x\": " + a + "[" + m +
         ", 100]\n  input %1 \"w\": f16[1030, 100]\n  input %2 \"bias\": " + a + "[1, 1030]\n" +
         (a == "f16" ? "  %3: f16[1030, 100] = reshape %1 from \"w\"\n" : "  %3: f32[1030, 100] = map.cast %1 from \"w\"\n") +
         "  %4: " + a + "[" + m +
         ", 1030] = contract %0, %3 {a=[0, 1] b=[2, 1] out=[0, 2] order=serial} from \"product\"\n  %5: " + a + "[" + m +
         ", 1030] = broadcast %2 from \"bias\"\n  %6: " + a + "[" + m + ", 1030] = map.add %4, %5 from \"bias\"\n  %7: " + a +
         "[" + m + ", 1030] = map.tanh %6 from \"tanh\"\n  output %7 \"y\"\n}\n";
}

struct Chosen {
  Graph graph;
  Layouts layouts;
  Fusion fusion;
};

Chosen chosen(const std::string& text, const DeviceInfo& device, const FusionOptions& options) {
  auto parsed = parse_graph(text, "test");
  REQUIRE_MESSAGE(parsed.ok(), parsed.status().message());
  Chosen c;
  c.graph = isolate_stored_values(std::move(*parsed));
  c.layouts = choose_layouts(c.graph, device);
  auto fusion = fuse(c.graph, c.layouts, options, device, {});
  REQUIRE_MESSAGE(fusion.ok(), fusion.status().message());
  c.fusion = std::move(*fusion);
  return c;
}

FusionOptions with_matrices() {
  FusionOptions options;
  options.matrix_units = true;
  return options;
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a product of halves runs on matrix units where they are faster") {
  std::string text;
  for (const char* name : {"rtx_4090", "rx_7900", "arc_a770m"}) {
    const DeviceInfo device = device_text(name);
    const Chosen c = chosen(product_text("f16", 500), device, with_matrices());
    REQUIRE(c.fusion.groups.size() == 1);
    CHECK_MESSAGE(c.fusion.groups[0].matrix.has_value(), name, "\n", explain(c.fusion, c.graph));
    auto kernels = make_kernels({c.graph, c.layouts, c.fusion, c.fusion.groups[0], device, false});
    REQUIRE_MESSAGE(kernels.ok(), kernels.status().message());
    const Kernel& kernel = kernels->back().kernel;
    CHECK(kernel.skeleton == "contract_matrix");
    CHECK(kernel.shared_bytes <= device.max_shared_bytes);
    CHECK(kernel.workgroup[0] % device.subgroup_size == 0);
    const std::string explained = explain(c.fusion, c.graph);
    text += "== " + std::string(name) + "\n" + explained.substr(explained.find("On matrix units")) + kernel.schedule + "\n";
    if (std::string_view(name) == "rtx_4090") text += kernel.source;
  }
  golden::check("kernels/matrix_units", text);
}

TEST_CASE("what is not on matrix units says why") {
  const DeviceInfo nvidia = device_text("rtx_4090");
  auto why = [&](const std::string& text, const DeviceInfo& device, const FusionOptions& options) {
    const Chosen c = chosen(text, device, options);
    CHECK(std::none_of(c.fusion.groups.begin(), c.fusion.groups.end(), [](const Group& g) { return g.matrix.has_value(); }));
    return c.fusion.matrix_decisions.empty() ? std::string() : explain_groups(c.fusion)[0];
  };
  CHECK(contains(why(product_text("f16", 500), nvidia, {}), "this build's GLSL compiler has no cooperative matrices"));
  CHECK(contains(why(product_text("f32", 500), nvidia, with_matrices()), "one of its factors is not f16"));
  CHECK(contains(why(product_text("f16", 5), nvidia, with_matrices()), "as plain multiply-adds it takes"));
  CHECK(contains(why(product_text("f16", 500), device_text("lavapipe_8"), with_matrices()), "not known to be faster"));

  DeviceInfo integers = nvidia;
  std::erase_if(integers.matrix_shapes, [](const MatrixShape& s) { return s.result == "f32"; });
  CHECK(contains(why(product_text("f16", 500), integers, with_matrices()), "do not sum products of f16 in f32"));

  // No word where there is nothing to say: no such units, or exact mode.
  CHECK(why(product_text("f16", 500), device_text("rx_6900"), with_matrices()).empty());
  FusionOptions exact = with_matrices();
  exact.exact = true;
  CHECK(why(product_text("f16", 500), nvidia, exact).empty());
}

TEST_CASE("what matrix units save decides whether rows are normalised in a product") {
  // Rows of f16, each divided by the root of its mean square, before a product with as many columns.
  auto normalised = [](int columns) {
    const std::string n = std::to_string(columns);
    return "graph \"norm\" {\n  input %0 \"x\": f16[500, 1000]\n  input %1 \"w\": f16[1000, " + n +
           "]\n  %2: f32[500, 1000] = map.cast %0 from \"norm\"\n  %3: f32[500, 1000] = map.mul %2, %2 from \"norm\"\n"
           "  %4: f32[500, 1] = reduce.sum %3 {axes=[1] order=tree} from \"norm\"\n"
           "  %5: f32[500, 1] = map.rsqrt %4 from \"norm\"\n  %6: f32[500, 1000] = broadcast %5 from \"norm\"\n"
           "  %7: f32[500, 1000] = map.mul %2, %6 from \"norm\"\n  %8: f16[500, 1000] = map.cast %7 from \"norm\"\n"
           "  %9: f16[500, " +
           n +
           "] = contract %8, %1 {a=[0, 1] b=[1, 2] out=[0, 2] order=serial} from \"product\"\n"
           "  output %9 \"y\"\n}\n";
  };
  const DeviceInfo nvidia = device_text("rtx_4090");
  const Chosen with = chosen(normalised(1030), nvidia, with_matrices()), without = chosen(normalised(1030), nvidia, {});
  CHECK_MESSAGE(with.fusion.groups.size() == 2, explain(with.fusion, with.graph));
  CHECK(with.fusion.groups.back().matrix.has_value());
  CHECK_MESSAGE(without.fusion.groups.size() == 1, explain(without.fusion, without.graph));
}

TEST_CASE("the shape that computes least beyond the edges is taken") {
  const DeviceInfo nvidia = device_text("rtx_4090");  // 16x16x16, 16x8x16, 16x8x8
  auto shape = [&](int rows) {
    const Chosen c = chosen(product_text("f16", rows), nvidia, with_matrices());
    REQUIRE(c.fusion.groups[0].matrix.has_value());
    const MatrixShape& s = *c.fusion.groups[0].matrix;
    return std::array<uint32_t, 3>{s.m, s.n, s.k};
  };
  CHECK(shape(512) == std::array<uint32_t, 3>{16, 8, 16});  // 1030 columns become 1032, not 1040
}

TEST_CASE("a value has f16 elements if it is one, or a view of one made wider") {
  auto parsed = parse_graph(
      "graph \"g\" {\n  input %0 \"x\": f16[2, 3]\n  input %1 \"y\": f32[2, 3]\n"
      "  %2: f32[2, 3] = map.cast %0 from \"a\"\n  %3: f32[3, 2] = transpose %2 {perm=[1, 0]} from \"b\"\n"
      "  %4: f32[2, 3] = map.add %2, %1 from \"c\"\n  output %3 \"u\"\n  output %4 \"v\"\n}\n",
      "test");
  REQUIRE_MESSAGE(parsed.ok(), parsed.status().message());
  CHECK(has_f16_elements(*parsed, ValueId(0)));
  CHECK(!has_f16_elements(*parsed, ValueId(1)));
  CHECK(has_f16_elements(*parsed, ValueId(2)));
  CHECK(has_f16_elements(*parsed, ValueId(3)));
  CHECK(!has_f16_elements(*parsed, ValueId(4)));
}

}  // namespace tuff
