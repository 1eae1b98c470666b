#include "compile/load.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <set>

namespace tuff {
namespace {

Status choose_outputs(Graph& graph, const std::vector<std::string>& names) {
  std::map<std::string_view, ValueId> values;
  for (size_t i = 0; i < graph.outputs.size(); ++i) values[graph.output_names[i]] = graph.outputs[i];
  for (size_t v = 0; v < graph.values.size(); ++v)
    if (!graph.values[v].name.empty()) values.emplace(graph.values[v].name, ValueId(v));
  std::vector<ValueId> outputs;
  std::set<std::string_view> chosen;
  for (const std::string& name : names) {
    auto found = values.find(name);
    if (found == values.end())
      return invalid_argument("There is no value '" + name + "' to be an output; constants that were folded are none.");
    if (!chosen.insert(name).second) return invalid_argument("The output '" + name + "' is asked for twice.");
    outputs.push_back(found->second);
  }
  std::vector<std::string> chosen_names = names;
  auto place_of = [&](ValueId v) {
    return static_cast<size_t>(std::find(outputs.begin(), outputs.end(), v) - outputs.begin());
  };
  std::vector<DataSize> data_sizes;
  for (const DataSize& size : graph.data_sizes) {
    const size_t output = place_of(graph.outputs[size.output]), count = place_of(graph.outputs[size.count]);
    if (output == outputs.size()) continue;
    if (count == outputs.size()) {
      outputs.push_back(graph.outputs[size.count]);
      chosen_names.push_back(graph.output_names[size.count]);
    }
    data_sizes.push_back({output, size.axis, count});
  }
  graph.outputs = std::move(outputs);
  graph.output_names = std::move(chosen_names);
  graph.data_sizes = std::move(data_sizes);
  return ok_status();
}

template <class Load>
Result<LoadedModel> timed(const std::string& name, const LoadOptions& options, const std::vector<std::string>& outputs,
                          Load load) {
  auto start = std::chrono::steady_clock::now();
  LoadedModel model;
  TUFF_ASSIGN(model.graph, load());
  if (!outputs.empty()) {
    Status chosen = choose_outputs(model.graph, outputs);
    if (!chosen.ok()) return chosen.with_context(name);
  }
  if (!options.images.empty()) {
    Result<Graph> with = with_images(model.graph, options.images);
    if (!with.ok()) return with.status().with_context(name);
    model.graph = std::move(with).value();
  }
  model.named = named_values(model.graph);
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

Result<LoadedModel> load_model(const std::string& path, const LoadOptions& options, const std::vector<std::string>& outputs) {
  return timed(path, options, outputs,
               [&] { return path.ends_with(".graph") ? load_graph_text(path) : load_model_file(path, options); });
}

Result<LoadedModel> load_model(const Bytes& bytes, const std::string& name, const LoadOptions& options,
                               const std::vector<std::string>& outputs) {
  return timed(name, options, outputs, [&] { return load_model_bytes(bytes, name, options); });
}

}  // namespace tuff
