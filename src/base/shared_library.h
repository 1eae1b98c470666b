// Dynamic loading: the only place that asks the operating system for a library at run time.
#pragma once

#include <string>

#include "base/status.h"

namespace tuff {

class SharedLibrary {
 public:
  explicit SharedLibrary(void* handle) : handle_(handle) {}
  void* symbol(const char* name) const;  // null if there is none

 private:
  void* handle_;
};

// The file of a library here: "libvulkan.so.1" or "vulkan-1.dll"; without a version "libvulkan.so" or "vulkan.dll".
std::string shared_library_name(const char* stem, const char* version);

// From where the system looks for libraries. It stays loaded until the process ends, so that a symbol never dangles.
// UNSUPPORTED with the system's reason.
Result<SharedLibrary> open_shared_library(const std::string& name);

}  // namespace tuff
