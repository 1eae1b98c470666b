// The border of the library: descs and strings in, statuses and strings out. Nothing thrown passes it.
#pragma once

#include <cstring>
#include <exception>
#include <new>
#include <string>
#include <string_view>

#include "base/status.h"
#include "tuff/tuff.h"

namespace tuff {

tuff_status_t report(tuff_error_t** out_error, const Status& status) noexcept;
// Without allocating: the error is a constant.
tuff_status_t report_out_of_memory(tuff_error_t** out_error) noexcept;

// Every fallible function of tuff.h is guarded(out_error, body): the only place that catches.
template <class Body>
tuff_status_t guarded(tuff_error_t** out_error, Body body) noexcept {
  if (out_error) *out_error = nullptr;
  try {
    Status status = body();
    return status.ok() ? TUFF_OK : report(out_error, status);
  } catch (const std::bad_alloc&) {
    return report_out_of_memory(out_error);
  } catch (const std::exception& e) {
    try {
      return report(out_error, internal_error("An exception reached the API: " + std::string(e.what()) + "."));
    } catch (...) {
      return report_out_of_memory(out_error);
    }
  } catch (...) {
    return report_out_of_memory(out_error);
  }
}

inline Status null_argument(const char* name) { return invalid_argument("The argument '" + std::string(name) + "' is NULL."); }
#define TUFF_NOT_NULL(argument) \
  if (!(argument)) return ::tuff::null_argument(#argument)

inline std::string_view text_in(const char* text, uint64_t length) {
  if (!text) return {};
  return {text, length == TUFF_TEXT_END ? std::strlen(text) : static_cast<size_t>(length)};
}

void text_out(std::string_view text, char* buffer, uint64_t capacity, uint64_t* out_length) noexcept;

// Copies a caller's struct into this library's: fields that the caller does not know are zero, and those that this library
// does not know must be.
Status copy_desc(const void* src, void* dst, size_t dst_size, const char* name);

template <class Desc>
Status read_desc(const Desc* src, Desc& dst, const char* name) {
  std::memset(&dst, 0, sizeof dst);
  dst.struct_size = sizeof dst;
  return src ? copy_desc(src, &dst, sizeof dst, name) : ok_status();
}

// Element i of a caller's array: callers of other versions have elements of another size, which the first one tells.
template <class Desc>
const Desc* desc_element(const Desc* array, uint32_t i) {
  uint32_t stride;
  std::memcpy(&stride, array, sizeof stride);
  return reinterpret_cast<const Desc*>(reinterpret_cast<const char*>(array) + size_t{i} * stride);
}

// Writes an info struct back, as far as the caller knows it.
template <class Info>
Status write_info(const Info& src, Info* dst, const char* name) {
  if (!dst) return null_argument(name);
  uint32_t size = dst->struct_size;
  if (size < sizeof(uint32_t)) return invalid_argument("The struct_size of '" + std::string(name) + "' is not set.");
  std::memcpy(dst, &src, size < sizeof src ? size : sizeof src);
  dst->struct_size = size;
  return ok_status();
}

}  // namespace tuff
