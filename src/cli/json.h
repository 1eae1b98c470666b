// JSON for --json: members in the order written.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tuff::cli {

class Json {
 public:
  Json& open(char bracket) {  // '{' or '['
    separate();
    text_ += bracket;
    first_ = true;
    return *this;
  }
  Json& close(char bracket) {
    text_ += bracket;
    first_ = false;
    return *this;
  }
  Json& key(std::string_view name) {
    string(name);
    text_ += ": ";
    first_ = true;  // no comma before the value
    return *this;
  }
  Json& string(std::string_view s);
  Json& integer(int64_t v);
  Json& real(double v);  // what is not finite becomes null
  Json& boolean(bool v);
  const std::string& text() const { return text_; }

 private:
  void separate() {
    if (!first_) text_ += ", ";
    first_ = false;
  }
  std::string text_;
  bool first_ = true;
};

}  // namespace tuff::cli
