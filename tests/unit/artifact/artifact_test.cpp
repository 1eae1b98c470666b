// Artifacts: what is saved loads as the same plan and modules, and no damage is more than a status. FAULTS, rows 1 and 18.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <random>

#include "artifact/artifact.h"
#include "artifact/format.h"
#include "artifact/plan_bytes.h"
#include "base/byte_stream.h"
#include "compile/compile.h"
#include "tuff/tuff.h"
#include "unit/device_text.h"

namespace tuff {
namespace {

constexpr uint32_t kNumerics = TUFF_NUMERICS_VERSION;

// A constant long enough not to be listed in the graph's text, a symbol, and a softmax.
std::string model_text() {
  std::string bytes;
  for (int i = 0; i < 64; ++i) bytes += "0000803f";
  return "graph \"g\" {\n"
         "  symbol n in 1..64 step 1\n"
         "  input %0 \"x\": f32[n, 64]\n"
         "  %1: f32[1, 64] = constant bytes(\"" +
         bytes +
         "\") from \"scale\"\n"
         "  %2: f32[n, 64] = broadcast %1 from \"scale\"\n"
         "  %3: f32[n, 64] = map.mul %0, %2 from \"scale\"\n"
         "  %4: f32[n, 1] = reduce.max %3 {axes=[1]} from \"softmax\"\n"
         "  %5: f32[n, 64] = broadcast %4 from \"softmax\"\n"
         "  %6: f32[n, 64] = map.sub %3, %5 from \"softmax\"\n"
         "  %7: f32[n, 64] = map.exp %6 from \"softmax\"\n"
         "  output %7 \"y\"\n"
         "}\n";
}

const std::vector<DeviceInfo>& devices() {
  static const std::vector<DeviceInfo> list = {device_text("lavapipe_debian12"), device_text("swiftshader"),
                                               device_text("rtx_3090")};
  return list;
}

Graph model() {
  Result<Graph> graph = parse_graph(model_text(), "test");
  REQUIRE_MESSAGE(graph.ok(), graph.status().message());
  return *graph;
}

std::vector<std::byte> compiled(bool exact) {
  CompileOptions options;
  options.exact = exact;
  Result<std::vector<std::byte>> bytes = compile_artifact(model(), devices(), options, kNumerics);
  REQUIRE_MESSAGE(bytes.ok(), bytes.status().message());
  return *bytes;
}

const std::vector<std::byte>& artifact() {
  static const std::vector<std::byte> bytes = compiled(false);
  return bytes;
}

Result<LoadedArtifact> load(std::span<const std::byte> bytes, const DeviceInfo& device) {
  return load_artifact({bytes, nullptr}, &device, kNumerics);
}

bool is_refusal(const Status& status) {
  return (status.code() == Code::kCorrupt || status.code() == Code::kUnsupported) && status.message().ends_with('.');
}

TEST_CASE("each device gets its own plan and modules back") {
  for (bool exact : {false, true}) {
    const std::vector<std::byte> bytes = compiled(exact);
    std::vector<DeviceInfo> list = devices();
    list.push_back(fallback_device());
    for (const DeviceInfo& device : list) {
      CAPTURE(device.name);
      Result<LoadedArtifact> loaded = load(bytes, device);
      REQUIRE_MESSAGE(loaded.ok(), loaded.status().message());
      CHECK(loaded->entry_name == device.name);
      CHECK(loaded->exact == exact);
      CompileOptions options;
      options.exact = exact;
      Target target;
      target.kind = TargetKind::kDescription;
      target.info = device;
      auto program = compile_model(model(), target, options);
      REQUIRE_MESSAGE(program.ok(), program.status().message());
      const Plan& plan = (*program)->plan;
      CHECK(print(loaded->plan) == print(plan));
      CHECK(print(loaded->plan.graph, {true}) == print(plan.graph, {true}));
      CHECK(loaded->plan.orders == plan.orders);
      CHECK(loaded->plan.weight_bytes == plan.weight_bytes);
      REQUIRE(loaded->modules.kernels.size() == plan.kernels.size());
      for (int64_t n : {1, 64}) {
        auto bound = bind(plan, {{"n", n}}, device), again = bind(loaded->plan, {{"n", n}}, device);
        REQUIRE(bound.ok());
        REQUIRE_MESSAGE(again.ok(), again.status().message());
        CHECK(print(*again) == print(*bound));
        CHECK(again->parameters == bound->parameters);
      }
    }
  }
}

TEST_CASE("a kernel whose workgroups share results has its scratch again") {
  Target target;
  target.kind = TargetKind::kDescription;
  target.info = devices().front();
  auto program = compile_model(model(), target, {});
  REQUIRE_MESSAGE(program.ok(), program.status().message());
  Plan plan = (*program)->plan;
  for (Kernel& kernel : plan.kernels) {
    kernel.partial_bytes = kernel.grid[0] * IntExpr(96);
    kernel.counter_count = kernel.grid[0];
  }
  ByteWriter out;
  write_plan(plan, out);
  const std::vector<std::byte> bytes = out.bytes();
  ByteReader in(bytes);
  auto again = read_plan(in, plan.graph);
  REQUIRE_MESSAGE(again.ok(), again.status().message());
  for (size_t k = 0; k < plan.kernels.size(); ++k) {
    CHECK(again->kernels[k].partial_bytes == plan.kernels[k].partial_bytes);
    CHECK(again->kernels[k].counter_count == plan.kernels[k].counter_count);
  }
}

TEST_CASE("the same inputs give the same bytes") { CHECK(compiled(false) == artifact()); }

TEST_CASE("constants are borrowed from the bytes") {
  Result<LoadedArtifact> loaded = load(artifact(), devices()[0]);
  REQUIRE(loaded.ok());
  size_t borrowed = 0;
  for (const Node& node : loaded->plan.graph.nodes) {
    const auto* constant = std::get_if<ConstantAttrs>(&node.attrs);
    if (!constant || constant->data.kind != ConstantData::Kind::kBytes) continue;
    const std::byte* data = constant->data.bytes.data.data();
    CHECK(data >= artifact().data());
    CHECK(data + constant->data.bytes.data.size() <= artifact().data() + artifact().size());
    ++borrowed;
  }
  CHECK(borrowed == 1);
}

TEST_CASE("another device takes the first entry whose needs it meets; one that meets none is told why") {
  DeviceInfo other = fallback_device();
  other.name = "another";
  other.max_shared_bytes *= 2;
  Result<LoadedArtifact> loaded = load(artifact(), other);
  REQUIRE_MESSAGE(loaded.ok(), loaded.status().message());
  CHECK(loaded->entry_name == fallback_device().name);
  DeviceInfo least = fallback_device();
  least.max_workgroup_invocations = 64;
  Status refused = load(artifact(), least).status();
  CHECK(refused.code() == Code::kUnsupported);
  CHECK(refused.message().find("max_workgroup_invocations is 64") != std::string::npos);
}

TEST_CASE("the CPU takes the graph alone") {
  Result<LoadedArtifact> loaded = load_artifact({artifact(), nullptr}, nullptr, kNumerics);
  REQUIRE(loaded.ok());
  CHECK(loaded->plan.steps.empty());
  CHECK(loaded->plan.graph.output_names == std::vector<std::string>{"y"});
}

TEST_CASE("other versions are refused by their numbers") {
  Status numerics = load_artifact({artifact(), nullptr}, &devices()[0], kNumerics + 1).status();
  CHECK(numerics.code() == Code::kUnsupported);
  CHECK(numerics.message().find("numerics version " + std::to_string(kNumerics)) != std::string::npos);
  std::vector<std::byte> newer = artifact();
  newer[8] = std::byte{kArtifactFormatVersion + 1};
  Status format = load(newer, devices()[0]).status();
  CHECK(format.code() == Code::kUnsupported);
  CHECK(format.message().find("version 5") != std::string::npos);
}

// At each percent, and as if it had been made so short.
void check_truncations(std::vector<std::byte> bytes) {
  const size_t whole = bytes.size();
  for (size_t percent = 100; percent-- > 0;) {
    bytes.resize(whole * percent / 100);
    CAPTURE(percent);
    CHECK(is_refusal(load(bytes, devices()[0]).status()));
    if (bytes.size() < kHeadBytes) continue;
    seal_artifact(bytes);
    CHECK(is_refusal(load(bytes, devices()[0]).status()));
  }
}

// A thousand bits in the first `range` bytes: noticed by the hash, and with a hash that fits a plan that binds, or a status.
// How many of the latter were refused.
int check_flipped_bits(std::vector<std::byte> bytes, size_t range) {
  const std::vector<std::byte> head(bytes.begin(), bytes.begin() + kHeadBytes);
  std::mt19937 random(1);
  int refused = 0;
  for (int i = 0; i < 1000; ++i) {
    const size_t at = random() % range;
    const std::byte bit = std::byte{1} << (random() % 8);
    bytes[at] ^= bit;
    CAPTURE(at);
    CHECK(is_refusal(load(bytes, devices()[0]).status()));
    if (at >= kHeadBytes) {
      seal_artifact(bytes);
      Result<LoadedArtifact> loaded = load(bytes, devices()[0]);
      if (!loaded.ok()) {
        CHECK(is_refusal(loaded.status()));
        ++refused;
      } else {
        std::map<std::string, int64_t> symbols;
        for (const Symbol& symbol : loaded->plan.graph.symbols) symbols[symbol.name] = std::max<int64_t>(symbol.min, 5);
        auto bound = tuff::bind(loaded->plan, symbols, devices()[0]);
        if (bound.ok()) (void)verify(loaded->plan, *bound, devices()[0]);
      }
    }
    bytes[at] ^= bit;
    std::copy(head.begin(), head.end(), bytes.begin());
  }
  return refused;
}

TEST_CASE("every truncation is a status") { check_truncations(artifact()); }

TEST_CASE("every flipped bit is noticed, and with a hash that fits it is a plan that binds, or a status") {
  // That many of the bits are read: a tenth, less what the dice decide.
  CHECK(check_flipped_bits(artifact(), artifact().size()) > 50);
}

TEST_CASE("so it is with the artifact that TUFF_TEST_ARTIFACT names, of a whole network") {
  const char* path = std::getenv("TUFF_TEST_ARTIFACT");
  if (!path) return;
  Result<Bytes> file = map_file(path);
  REQUIRE_MESSAGE(file.ok(), file.status().message());
  const std::vector<std::byte> bytes(file->data.begin(), file->data.end());
  const Result<LoadedArtifact> whole = load(bytes, devices()[0]);
  REQUIRE_MESSAGE(whole.ok(), whole.status().message());
  check_truncations(bytes);
  size_t constant_bytes = 0;
  for (const Node& node : whole->plan.graph.nodes)
    if (const auto* constant = std::get_if<ConstantAttrs>(&node.attrs)) constant_bytes += constant->data.bytes.data.size();
  // Before the weights, whose bits only the hash tells apart. Most of what is there is for other devices, and not read.
  CHECK(check_flipped_bits(bytes, bytes.size() - constant_bytes) > 0);
}

}  // namespace
}  // namespace tuff
