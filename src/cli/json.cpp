#include "cli/json.h"

#include <cmath>
#include <cstdio>

namespace tuff::cli {

Json& Json::string(std::string_view s) {
  separate();
  text_ += '"';
  for (char c : s) {
    if (c == '"' || c == '\\') {
      text_ += '\\';
      text_ += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(c));
      text_ += escape;
    } else {
      text_ += c;
    }
  }
  text_ += '"';
  return *this;
}

Json& Json::integer(int64_t v) {
  separate();
  text_ += std::to_string(v);
  return *this;
}

Json& Json::real(double v) {
  separate();
  char number[32];
  std::snprintf(number, sizeof number, "%.17g", v);
  text_ += std::isfinite(v) ? number : "null";
  return *this;
}

Json& Json::boolean(bool v) {
  separate();
  text_ += v ? "true" : "false";
  return *this;
}

}  // namespace tuff::cli
