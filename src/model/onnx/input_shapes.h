// The shapes of a model's inputs: fixed sizes, symbols for named and unknown dimensions, and what the options say of both.
#pragma once

#include <map>
#include <set>
#include <string>

#include "graph/builder.h"
#include "model/model.h"
#include "model/onnx/proto.h"

namespace tuff::onnx {

class InputShapes {
 public:
  InputShapes(const LoadOptions& options, GraphBuilder& builder) : options_(options), builder_(builder) {}

  // Applies the options' shapes to the dimensions that the inputs name. Before shape().
  Status read_overrides(const std::vector<const ValueInfoProto*>& inputs);
  Result<Dims> shape(const ValueInfoProto& input);

 private:
  Result<IntExpr> named(const std::string& name);
  std::string identifier(const std::string& name);

  const LoadOptions& options_;
  GraphBuilder& builder_;
  std::map<std::string, IntExpr, std::less<>> sizes_;  // by the name in the file
  std::set<std::string> identifiers_;
};

}  // namespace tuff::onnx
