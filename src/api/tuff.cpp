// Version, errors, and what every other file of the API goes through.
#include <algorithm>

#include "api/guard.h"
#include "api/handles.h"

namespace tuff {
namespace {

// Short enough for std::string to hold without allocating.
tuff_error_t& out_of_memory_error() {
  static tuff_error_t error{Status(Code::kOutOfMemory, "Out of memory.")};
  return error;
}
// Made when the library is loaded, when there is memory.
[[maybe_unused]] const tuff_error_t& kMadeEarly = out_of_memory_error();

}  // namespace

tuff_status_t report(tuff_error_t** out_error, const Status& status) noexcept {
  if (out_error) {
    try {
      *out_error = new tuff_error_t{status};
    } catch (...) {
      *out_error = &out_of_memory_error();
    }
  }
  return static_cast<tuff_status_t>(status.code());
}

tuff_status_t report_out_of_memory(tuff_error_t** out_error) noexcept {
  if (out_error) *out_error = &out_of_memory_error();
  return TUFF_OUT_OF_MEMORY;
}

void text_out(std::string_view text, char* buffer, uint64_t capacity, uint64_t* out_length) noexcept {
  if (out_length) *out_length = text.size();
  if (!buffer || capacity == 0) return;
  size_t count = static_cast<size_t>(std::min<uint64_t>(text.size(), capacity - 1));
  if (count != 0) std::memcpy(buffer, text.data(), count);
  buffer[count] = '\0';
}

Status copy_desc(const void* src, void* dst, size_t dst_size, const char* name) {
  uint32_t src_size;
  std::memcpy(&src_size, src, sizeof src_size);
  if (src_size < sizeof src_size || src_size > (1u << 16)) {
    return invalid_argument("The struct_size of a " + std::string(name) + " is " + std::to_string(src_size) +
                            "; use its INIT macro.");
  }
  const unsigned char* bytes = static_cast<const unsigned char*>(src);
  for (size_t i = dst_size; i < src_size; ++i) {
    if (bytes[i] == 0) continue;
    return unsupported("A " + std::string(name) + " sets a field that this version of Tuff does not know.");
  }
  std::memcpy(dst, src, std::min<size_t>(src_size, dst_size));
  return ok_status();
}

}  // namespace tuff

using namespace tuff;

uint32_t tuff_version(void) { return TUFF_VERSION; }
uint32_t tuff_numerics_version(void) { return TUFF_NUMERICS_VERSION; }

void tuff_status_name(tuff_status_t status, char* buffer, uint64_t capacity, uint64_t* out_length) {
  text_out(code_name(static_cast<Code>(status)), buffer, capacity, out_length);
}

tuff_status_t tuff_error_status(const tuff_error_t* error) {
  return error ? static_cast<tuff_status_t>(error->status.code()) : TUFF_OK;
}

void tuff_error_message(const tuff_error_t* error, char* buffer, uint64_t capacity, uint64_t* out_length) {
  text_out(error ? std::string_view(error->status.message()) : std::string_view(), buffer, capacity, out_length);
}

void tuff_error_release(tuff_error_t* error) {
  if (error != &out_of_memory_error()) delete error;
}
