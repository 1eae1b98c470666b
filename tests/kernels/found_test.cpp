// What fuzz_kernels and people have found: each once broke a kernel, and its first line says how.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

#include "kernels/check_graph.h"

namespace tuff {

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
    CHECK_MESSAGE(verdict.kind == Verdict::Kind::kAgrees, mode_text(verdict.mode), ": ", verdict.what, "\n", verdict.sources);
  }
}

}  // namespace tuff
