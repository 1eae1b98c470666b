// What fuzz_kernels and people have found: each once broke a kernel, and its first line says how.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

#include "kernels/check_graph.h"

namespace tuff {
namespace {

// Why the device may refuse the graph; empty: it may not.
std::string refusal(const Graph& graph, const DeviceInfo& device) {
  for (const Value& v : graph.values)
    if ((v.dtype == Dtype::kI64 || v.dtype == Dtype::kU64) && !device.int64) return "64-bit integers";
  return "";
}

}  // namespace

TEST_CASE("graphs that once failed") {
  auto device = test_device();
  REQUIRE_MESSAGE(device.ok(), device.status().message());
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(TUFF_TEST_ROOT) + "/golden/found"))
    paths.push_back(entry.path().string());
  std::sort(paths.begin(), paths.end());
  REQUIRE(paths.size() > 10);
  for (const std::string& path : paths) {
    CAPTURE(path);
    auto text = read_text_file(path);
    REQUIRE_MESSAGE(text.ok(), text.status().message());
    auto c = parse_case(*text, path);
    REQUIRE_MESSAGE(c.ok(), c.status().message());
    Verdict verdict = check_graph(*c, *device);
    const std::string reason = refusal(c->graph, (*device)->info());
    if (verdict.kind == Verdict::Kind::kRefused && !reason.empty()) {
      CHECK_MESSAGE(verdict.what.find(reason) != std::string::npos, verdict.what);
      continue;
    }
    CHECK_MESSAGE(verdict.kind == Verdict::Kind::kAgrees, mode_text(verdict.mode), ": ", verdict.what, "\n", verdict.sources);
  }
}

}  // namespace tuff
