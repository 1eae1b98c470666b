#include "base/shared_library.h"

#include <dlfcn.h>

namespace tuff {

void* SharedLibrary::symbol(const char* name) const { return dlsym(handle_, name); }

Result<SharedLibrary> open_shared_library(const char* name) {
  void* handle = dlopen(name, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (handle != nullptr) return SharedLibrary(handle);
  const char* reason = dlerror();
  return unsupported(reason != nullptr ? std::string(reason) + "." : std::string(name) + " could not be opened.");
}

}  // namespace tuff
