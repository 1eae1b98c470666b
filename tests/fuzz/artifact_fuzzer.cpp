// Whatever bytes come as an artifact: a status, or a plan that binds and whose bound plan verifies, or a status. The hash is
// written anew for each input, as somebody would who makes a file to harm.
#include <cstdio>
#include <cstdlib>

#include "artifact/artifact.h"
#include "artifact/format.h"

using namespace tuff;

namespace {

constexpr uint32_t kNumerics = 1;

void use(const Bytes& bytes, const DeviceInfo* device) {
  Result<LoadedArtifact> loaded = load_artifact(bytes, device, kNumerics);
  if (!loaded.ok() || !device) return;
  std::map<std::string, int64_t> symbols;
  for (const Symbol& symbol : loaded->plan.graph.symbols) symbols[symbol.name] = symbol.min;
  Result<BoundPlan> bound = tuff::bind(loaded->plan, symbols, *device);
  if (bound.ok()) (void)verify(loaded->plan, *bound, *device);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto* first = reinterpret_cast<const std::byte*>(data);
  std::vector<std::byte> content(first, first + size);
  static const DeviceInfo device = fallback_device();
  use({content, nullptr}, &device);
  if (size < kHeadBytes) return 0;
  for (size_t i = 0; i < 4; ++i) {  // the versions, too, so that the corpus outlives them
    content[8 + i] = static_cast<std::byte>(kArtifactFormatVersion >> (8 * i));
    content[12 + i] = static_cast<std::byte>(kNumerics >> (8 * i));
  }
  seal_artifact(content);
  use({content, nullptr}, &device);
  use({content, nullptr}, nullptr);
  return 0;
}
