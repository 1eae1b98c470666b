// Whatever bytes come as the text of DeviceInfo: an error, or what prints as a text that parses to the same text.
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "device/device_info.h"

using namespace tuff;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Result<DeviceInfo> parsed = parse_device_info({reinterpret_cast<const char*>(data), size}, "fuzz.txt");
  if (!parsed.ok()) return 0;
  const std::string text = print(*parsed);
  Result<DeviceInfo> again = parse_device_info(text, "printed.txt");
  if (!again.ok() || print(*again) != text) {
    std::fprintf(stderr, "does not parse back: %s\n%s", again.ok() ? "another text" : again.status().message().c_str(),
                 text.c_str());
    std::abort();
  }
  return 0;
}
