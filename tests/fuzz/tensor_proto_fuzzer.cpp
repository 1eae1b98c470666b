// Whatever bytes come as one of ONNX's tensor files: an error, or a tensor whose bytes are as many as its shape says.
#include <cstdio>
#include <cstdlib>

#include "cli/tensor_proto.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tuff::cli;
  tuff::Result<NamedTensor> named = parse_tensor_proto({reinterpret_cast<const std::byte*>(data), size}, "fuzz.pb");
  if (!named) return 0;
  const HostTensor& tensor = named->tensor;
  tuff::Result<uint64_t> bytes = tensor_bytes(tensor.dtype, tensor.shape);
  if (!bytes || *bytes != tensor.bytes.size()) {
    std::fprintf(stderr, "the bytes are not the shape's\n");
    std::abort();
  }
  return 0;
}
