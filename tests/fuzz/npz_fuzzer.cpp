// Whatever bytes come as an archive of tensors, or as one tensor: an error, or tensors whose bytes are as many as their
// shapes say, and which are written and read back as the same.
#include <cstdio>
#include <cstdlib>

#include "cli/npy.h"
#include "cli/zip.h"

using namespace tuff::cli;

namespace {

void check(bool ok, const char* what) {
  if (ok) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

void check_tensor(std::span<const std::byte> bytes) {
  tuff::Result<HostTensor> tensor = parse_npy(bytes, "fuzz.npy");
  if (!tensor) return;
  tuff::Result<uint64_t> size = tensor_bytes(tensor->dtype, tensor->shape);
  check(size && *size == tensor->bytes.size(), "the bytes are not the shape's");
  tuff::Result<HostTensor> again = parse_npy(format_npy(*tensor), "again.npy");
  check(again && again->dtype == tensor->dtype && again->shape == tensor->shape && again->bytes == tensor->bytes,
        "what is written is not what was read");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::span<const std::byte> bytes(reinterpret_cast<const std::byte*>(data), size);
  check_tensor(bytes);
  tuff::Result<std::vector<ZipMember>> members = read_zip(bytes, "fuzz.npz");
  if (!members) return 0;
  for (const ZipMember& member : *members) check_tensor(member.content);
  return 0;
}
