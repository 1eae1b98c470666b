#include "compile/load.h"

#include <chrono>

namespace tuff {
namespace {

template <class Load>
Result<LoadedModel> timed(const std::string& name, Load load) {
  auto start = std::chrono::steady_clock::now();
  LoadedModel model;
  TUFF_ASSIGN(model.graph, load());
  Status verified = verify(model.graph);
  if (!verified.ok()) return verified.with_context(name);
  model.load_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - start).count();
  return model;
}

Result<Graph> load_graph_text(const std::string& path) {
  TUFF_ASSIGN(std::string text, read_text_file(path));
  return parse_graph(text, path);
}

}  // namespace

Result<LoadedModel> load_model(const std::string& path, const LoadOptions& options) {
  return timed(path, [&] { return path.ends_with(".graph") ? load_graph_text(path) : load_model_file(path, options); });
}

Result<LoadedModel> load_model(const Bytes& bytes, const std::string& name, const LoadOptions& options) {
  return timed(name, [&] { return load_model_bytes(bytes, name, options); });
}

}  // namespace tuff
