// From a model's file to a Graph: the only interface that knows of file formats (today one: ONNX).
//
// In: a path or the bytes of a model. Out: a Graph that verifies. Weights are not copied: constants point into the mapped
// file or the given bytes, and keep them alive.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "graph/graph.h"
#include "model/image.h"

namespace tuff {

struct LoadOptions {
  // What is known of a named dimension, by its name in the file: range and divisor (the symbol's own name is ignored).
  // Where min and max are equal the dimension becomes that number.
  std::map<std::string, Symbol> symbols;
  // Shapes of inputs instead of the file's. A named dimension that gets another size here gets it everywhere.
  std::map<std::string, Dims> input_shapes;
  // Bytes that the import may allocate for constants which the file does not hold in the form that they are used in.
  int64_t constant_limit_bytes = int64_t{256} << 20;
  // Weights beside the model: gives the bytes of the whole file that the model calls `location`. Without it, files are
  // mapped from the model's folder (load_model_file) or refused (load_model_bytes).
  std::function<Result<Bytes>(std::string_view location)> external_data = {};
  // Inputs and outputs that are pixels; load_model() of compile/ replaces them, after outputs are chosen.
  std::vector<Image> images = {};
};

// Errors: IO (no such file), CORRUPT (damaged, or not a model), UNSUPPORTED (each node that Tuff cannot import, with the
// reason), INVALID_ARGUMENT (a model that contradicts itself, or options that do not fit it), LIMIT.
Result<Graph> load_model_file(const std::string& path, const LoadOptions& options = {});
// `name` stands for the file in messages.
Result<Graph> load_model_bytes(const Bytes& bytes, const std::string& name, const LoadOptions& options = {});

}  // namespace tuff
