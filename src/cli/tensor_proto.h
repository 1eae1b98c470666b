// ONNX's tensor files. In: the bytes of one TensorProto, as test_data_set_0/input_0.pb. Out: a NamedTensor. Every length in
// the bytes is checked, and the elements are as many as the shape says.
#pragma once

#include <span>
#include <string>

#include "cli/host_tensor.h"

namespace tuff::cli {

// file: its name, for messages. Strings, 4- and 8-bit floats, and data that lies in other files are UNSUPPORTED.
Result<NamedTensor> parse_tensor_proto(std::span<const std::byte> bytes, const std::string& file);

}  // namespace tuff::cli
