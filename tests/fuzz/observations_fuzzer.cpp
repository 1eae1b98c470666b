// Whatever bytes come as the text of Observations: an error, or what prints as a text that parses to the same text.
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "device/observations.h"

using namespace tuff;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Result<Observations> parsed = parse_observations({reinterpret_cast<const char*>(data), size}, "fuzz.txt");
  if (!parsed.ok()) return 0;
  const std::string text = print(*parsed);
  Result<Observations> again = parse_observations(text, "printed.txt");
  if (!again.ok() || print(*again) != text) {
    std::fprintf(stderr, "does not parse back: %s\n%s", again.ok() ? "another text" : again.status().message().c_str(),
                 text.c_str());
    std::abort();
  }
  return 0;
}
