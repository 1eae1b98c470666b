// Whatever bytes come as an ONNX model: a graph that verifies, prints and simplifies, or one sentence; never a crash, a
// hang or a large allocation.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "model/model.h"
#include "simplify/simplify.h"

using namespace tuff;

namespace {

void require(const Status& status, const char* what) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s: %s\n", what, status.message().c_str());
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  LoadOptions options;
  options.constant_limit_bytes = int64_t{1} << 20;
  Bytes bytes{{reinterpret_cast<const std::byte*>(data), size}, nullptr};
  Result<Graph> graph = load_model_bytes(bytes, "fuzz.onnx", options);
  if (!graph.ok()) return 0;
  require(verify(*graph), "the imported graph does not verify");
  Result<Graph> simple = simplify(*graph, {});
  if (!simple.ok()) {
    // Sizes that only show when rewrites meet may be refused; a defect of our own may not.
    if (simple.status().code() == Code::kInternal) require(simple.status(), "simplify");
    return 0;
  }
  require(verify(*simple), "the simplified graph does not verify");
  return 0;
}
