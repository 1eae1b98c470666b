// Which products' sums workgroups share, why or why not, and the kernels that come out, for devices of tests/devices.
#include "golden.h"
#include "kernel/kernel_build.h"
#include "layout/isolate_stored_values.h"
#include "unit/device_text.h"

namespace tuff {
namespace {

// x * w, and a bias.
std::string product_text(const std::string& rows, int64_t depth, int64_t columns, const std::string& order = "serial",
                         const std::string& dims = "") {
  const std::string k = std::to_string(depth), n = std::to_string(columns);
  return "graph \"product\" {\n" + dims + "  input %0 \"x\": f32[" + rows + ", " + k + "]\n  input %1 \"w\": f32[" + k + ", " +
         n + "]\n  input %2 \"bias\": f32[1, " + n + "]\n  %3: f32[" + rows + ", " + n +
         "] = contract %0, %1 {a=[0, 1] b=[1, 2] out=[0, 2] order=" + order + "} from \"product\"\n  %4: f32[" + rows + ", " +
         n + "] = broadcast %2 from \"bias\"\n  %5: f32[" + rows + ", " + n +
         "] = map.add %3, %4 from \"bias\"\n  output %5 \"y\"\n}\n";
}

struct Made {
  std::vector<GuardedKernel> kernels;
  std::string explained;
};

Made made_of(const std::string& text, const DeviceInfo& device, bool exact = false) {
  auto parsed = parse_graph(text, "test");
  REQUIRE_MESSAGE(parsed.ok(), parsed.status().message());
  const Graph graph = isolate_stored_values(std::move(*parsed));
  const Layouts layouts = choose_layouts(graph, device);
  auto fusion = fuse(graph, layouts, {true, exact, {}, false}, device, {});
  REQUIRE_MESSAGE(fusion.ok(), fusion.status().message());
  REQUIRE(fusion->groups.size() == 1);
  auto kernels = make_kernels({graph, layouts, *fusion, fusion->groups[0], device, exact});
  REQUIRE_MESSAGE(kernels.ok(), kernels.status().message());
  auto explained = explain_shared_sums(graph, layouts, *fusion, device, exact);
  REQUIRE_MESSAGE(explained.ok(), explained.status().message());
  return {std::move(*kernels), std::move(*explained)};
}

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// The kernels without the shader library.
std::string source_text(const Made& made) {
  std::string out;
  for (const GuardedKernel& k : made.kernels)
    out += k.kernel.schedule + "\n" + k.kernel.source.substr(k.kernel.source.find("layout(")) + "\n";
  return out;
}

}  // namespace

TEST_CASE("workgroups share sums where results keep too few of them busy") {
  std::string text;
  const DeviceInfo device = device_text("rx_6900");
  struct Case {
    const char* name;
    std::string graph;
    bool exact;
  };
  for (const Case& c : {Case{"fast", product_text("49", 4608, 512), false},
                        Case{"exact, one row", product_text("1", 4096, 768, "chunked(128)"), true}}) {
    const Made made = made_of(c.graph, device, c.exact);
    REQUIRE(made.kernels.size() == 1);
    const Kernel& kernel = made.kernels[0].kernel;
    CHECK(kernel.has_scratch());
    CHECK(kernel.grid[2].constant() > 1);
    const int64_t own_bytes = kernel.bytes_read.constant() - kernel.partial_bytes.constant();
    CHECK_MESSAGE(16 * 2 * kernel.partial_bytes.constant() < 2 * own_bytes, "what is left weighs little");
    text += "== " + std::string(c.name) + made.explained + source_text(made);
  }
  golden::check("kernels/split_sums", text);
}

TEST_CASE("a kernel that shares sums is for as many rows as its parts were chosen for") {
  const DeviceInfo device = device_text("rx_6900");
  const Made made = made_of(product_text("rows", 4096, 64, "chunked(128)", "  symbol rows in 1..4096 step 1\n"), device);
  REQUIRE(made.kernels.size() == 3);
  CHECK(made.kernels[0].kernel.skeleton == "gemv");
  CHECK(made.kernels[1].kernel.has_scratch());
  REQUIRE(made.kernels[1].guard.at_most.size() == 1);
  CHECK(made.kernels[1].guard.at_most[0].limit == 256);
  CHECK(made.kernels[1].kernel.partial_bytes.interval().high <= 256 * 64 * 4 * 64);
  CHECK(!made.kernels[2].kernel.has_scratch());
  CHECK(made.kernels[2].guard.always());
}

TEST_CASE("sums that no workgroups share say why") {
  const DeviceInfo amd = device_text("rx_6900");
  auto why = [&](const std::string& graph, const DeviceInfo& device, bool exact = false) {
    const Made made = made_of(graph, device, exact);
    CHECK(
        std::none_of(made.kernels.begin(), made.kernels.end(), [](const GuardedKernel& k) { return k.kernel.has_scratch(); }));
    return made.explained;
  };
  CHECK(says(why(product_text("49", 4608, 512), amd, true), "the sum's order is serial"));
  CHECK(says(why(product_text("49", 1, 512), amd), "how many products a sum has is known late, or it is one"));
  CHECK(says(why(product_text("49", 64, 512), amd), "no longer than shared"));
  CHECK(says(why(product_text("196", 512, 256), amd), "are more than 1 in 16 of the"));
  CHECK(says(why(product_text("9", 4608, 16), device_text("lavapipe_8")), "a workgroup is a subgroup"));
  CHECK_MESSAGE(why(product_text("4096", 512, 512), amd).empty(), "where there are results enough");

  DeviceInfo few_buffers = amd;
  few_buffers.max_storage_buffers = 5;
  CHECK(!made_of(product_text("49", 4608, 512), few_buffers).kernels[0].kernel.has_scratch());
  few_buffers.max_storage_buffers = 6;
  CHECK(made_of(product_text("49", 4608, 512), few_buffers).kernels[0].kernel.has_scratch());
}

}  // namespace tuff
