// Whatever words a cache gives back: they are refused, or verified; nothing is read outside them.
#include <cstring>

#include "codegen/codegen.h"
#include "module/verify_spirv.h"

using namespace tuff;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::vector<uint32_t> words(size / 4);
  if (!words.empty()) std::memcpy(words.data(), data, words.size() * 4);
  Kernel kernel;
  kernel.name = "fuzz";
  kernel.workgroup = {8, 1, 1};
  kernel.bindings.resize(3);
  for (bool exact : {false, true}) {
    kernel.exact = exact;
    (void)verify_spirv(words, kernel, DeviceInfo{});
  }
  return 0;
}
