#include "model/model.h"

#include "model/onnx/importer.h"
#include "model/onnx/reader.h"

namespace tuff {
namespace {

Result<Graph> load(const Bytes& bytes, const std::string& source, std::optional<std::string> folder,
                   const LoadOptions& options) {
  TUFF_ASSIGN(onnx::ModelProto model, onnx::read_model(bytes, source));
  onnx::TensorLoader loader(bytes, std::move(folder), options);
  auto graph = onnx::import_model(model, loader, options);
  return graph.ok() ? std::move(graph) : graph.status().with_context(source);
}

}  // namespace

Result<Graph> load_model_file(const std::string& path, const LoadOptions& options) {
  TUFF_ASSIGN(Bytes bytes, map_file(path));
  return load(bytes, "'" + path + "'", folder_of(path), options);
}

Result<Graph> load_model_bytes(const Bytes& bytes, const std::string& name, const LoadOptions& options) {
  return load(bytes, "'" + name + "'", std::nullopt, options);
}

}  // namespace tuff
