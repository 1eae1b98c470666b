// NumPy's files. In: the bytes of a .npy file. Out: a HostTensor; and back. Every length in the bytes is checked.
#pragma once

#include <span>
#include <string>

#include "cli/host_tensor.h"

namespace tuff::cli {

// name: of the file, for messages. Fortran order is turned; big-endian files are refused.
Result<HostTensor> parse_npy(std::span<const std::byte> bytes, const std::string& name);
// bf16, which NumPy lacks, is written as the f32 values that it stands for.
std::vector<std::byte> format_npy(const HostTensor& tensor);

Result<std::vector<std::byte>> read_file(const std::string& path);
Status write_file(const std::string& path, std::span<const std::byte> bytes);

}  // namespace tuff::cli
