// Tensors from what a person names on the command line. In: a path. Out: its tensors, by name.
#pragma once

#include <span>
#include <string>

#include "cli/host_tensor.h"

namespace tuff::cli {

// A path that may bring several tensors: an .npz file or a folder.
bool holds_many(const std::string& path);

// One tensor from NAME.npy, or from an ONNX .pb file, by the name that it holds or else by the file's; all of an .npz file
// by their names; of a folder as ONNX's test_data_set_0 those in PREFIX_0.pb, PREFIX_1.pb, ..., which are `names` in order.
Result<std::vector<NamedTensor>> read_tensor_file(const std::string& path, const std::string& prefix,
                                                  std::span<const std::string> names);

}  // namespace tuff::cli
