// The attributes of one node, with their defaults.
//
// A read never fails; one of another type than the operator's is remembered, and status() then refuses the node. So an
// operator's function reads what it needs without checking each.
#pragma once

#include <string>

#include "base/status.h"
#include "model/onnx/proto.h"

namespace tuff::onnx {

class Attributes {
 public:
  explicit Attributes(const NodeProto& node) : node_(node) {}

  bool has(std::string_view name) const { return find(name) != nullptr; }
  int64_t integer(std::string_view name, int64_t fallback);
  float real(std::string_view name, float fallback);
  std::string_view text(std::string_view name, std::string_view fallback);
  std::vector<int64_t> integers(std::string_view name, std::vector<int64_t> fallback = {});
  std::vector<float> reals(std::string_view name, std::vector<float> fallback = {});
  const TensorProto* tensor(std::string_view name);  // null without one

  Status status() const { return status_; }

 private:
  const AttributeProto* find(std::string_view name) const;
  const AttributeProto* find(std::string_view name, AttributeProto::Type type, std::string_view type_name);

  const NodeProto& node_;
  Status status_;
};

}  // namespace tuff::onnx
