// A JSON writer: enough for what the stages and the command print. Keys come out in the order written.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tuff {

class JsonWriter {
 public:
  JsonWriter& begin_object();
  JsonWriter& end_object();
  JsonWriter& begin_array();
  JsonWriter& end_array();
  JsonWriter& key(std::string_view name);
  JsonWriter& string(std::string_view s);
  JsonWriter& integer(int64_t v);
  JsonWriter& real(double v);  // NaN and infinities are written as null
  JsonWriter& boolean(bool v);

  const std::string& text() const { return out_; }

 private:
  void separate();

  std::string out_;
  std::vector<int> depth_counts_;  // members written so far, one entry a nesting level
  bool after_key_ = false;
};

std::string json_quote(std::string_view s);

}  // namespace tuff
