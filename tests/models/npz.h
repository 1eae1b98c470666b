// Arrays of a .npz file as numpy.savez writes it: a zip archive of .npy members, stored without compression.
#pragma once

#include <map>
#include <string>

#include "base/file.h"
#include "reference/tensor.h"

namespace tuff::test {

// By name, without ".npy". Types that Tuff lacks and Fortran order are UNSUPPORTED.
Result<std::map<std::string, Tensor>> read_npz(const std::string& path);

}  // namespace tuff::test
