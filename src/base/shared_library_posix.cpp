#include <dlfcn.h>

#include "base/shared_library.h"

namespace tuff {

void* SharedLibrary::symbol(const char* name) const { return dlsym(handle_, name); }

std::string shared_library_name(const char* stem, const char* version) {
  const std::string name = std::string("lib") + stem + ".so";
  return *version ? name + "." + version : name;
}

Result<SharedLibrary> open_shared_library(const std::string& name) {
  void* handle = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (handle != nullptr) return SharedLibrary(handle);
  const char* reason = dlerror();
  return unsupported(reason != nullptr ? std::string(reason) + "." : name + " could not be opened.");
}

}  // namespace tuff
