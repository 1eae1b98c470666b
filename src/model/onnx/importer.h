// ModelProto to Graph: inputs and symbols, then each node through the function of its operator.
#pragma once

#include "graph/graph.h"
#include "model/model.h"
#include "model/onnx/proto.h"
#include "model/onnx/tensor_data.h"

namespace tuff::onnx {

Result<Graph> import_model(const ModelProto& model, TensorLoader& loader, const LoadOptions& options);

}  // namespace tuff::onnx
