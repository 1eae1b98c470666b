// Whatever bytes come as the text of a graph: an error, or a graph that verifies and prints as a text that parses to the
// same text.
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "graph/graph.h"

using namespace tuff;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Result<Graph> graph = parse_graph({reinterpret_cast<const char*>(data), size}, "fuzz.graph");
  if (!graph.ok() || !verify(*graph).ok()) return 0;
  const std::string text = print(*graph, {.full_constants = true});
  Result<Graph> again = parse_graph(text, "printed.graph");
  if (!again.ok() || print(*again, {.full_constants = true}) != text) {
    std::fprintf(stderr, "does not parse back: %s\n%s", again.ok() ? "another text" : again.status().message().c_str(),
                 text.c_str());
    std::abort();
  }
  return 0;
}
