#include "base/json.h"

#include <charconv>
#include <cmath>
#include <cstdio>

namespace tuff {

std::string json_quote(std::string_view s) {
  std::string out = "\"";
  for (unsigned char c : s) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\t': out += "\\t"; break;
      case '\r': out += "\\r"; break;
      default:
        if (c < 0x20) {
          char escaped[8];
          std::snprintf(escaped, sizeof escaped, "\\u%04x", c);
          out += escaped;
        } else {
          out += static_cast<char>(c);
        }
    }
  }
  return out + "\"";
}

void JsonWriter::separate() {
  if (after_key_) {
    after_key_ = false;
    return;
  }
  if (depth_counts_.empty()) return;
  if (depth_counts_.back()++ > 0) out_ += ",";
  out_ += "\n" + std::string(2 * depth_counts_.size(), ' ');
}

JsonWriter& JsonWriter::begin_object() {
  separate();
  out_ += "{";
  depth_counts_.push_back(0);
  return *this;
}

JsonWriter& JsonWriter::end_object() {
  bool empty = depth_counts_.back() == 0;
  depth_counts_.pop_back();
  if (!empty) out_ += "\n" + std::string(2 * depth_counts_.size(), ' ');
  out_ += "}";
  return *this;
}

JsonWriter& JsonWriter::begin_array() {
  separate();
  out_ += "[";
  depth_counts_.push_back(0);
  return *this;
}

JsonWriter& JsonWriter::end_array() {
  bool empty = depth_counts_.back() == 0;
  depth_counts_.pop_back();
  if (!empty) out_ += "\n" + std::string(2 * depth_counts_.size(), ' ');
  out_ += "]";
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  out_ += json_quote(name) + ": ";
  after_key_ = true;
  return *this;
}

JsonWriter& JsonWriter::string(std::string_view s) {
  separate();
  out_ += json_quote(s);
  return *this;
}

JsonWriter& JsonWriter::integer(int64_t v) {
  separate();
  out_ += std::to_string(v);
  return *this;
}

JsonWriter& JsonWriter::real(double v) {
  separate();
  if (!std::isfinite(v)) {
    out_ += "null";
    return *this;
  }
  char buffer[40];
  out_.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, v).ptr);  // shortest, and no locale's comma
  return *this;
}

JsonWriter& JsonWriter::boolean(bool v) {
  separate();
  out_ += v ? "true" : "false";
  return *this;
}

}  // namespace tuff
