#include "base/wide.h"  // before other headers of Windows

#include "base/shared_library.h"

namespace tuff {

void* SharedLibrary::symbol(const char* name) const {
  return reinterpret_cast<void*>(GetProcAddress(static_cast<HMODULE>(handle_), name));
}

std::string shared_library_name(const char* stem, const char* version) {
  return *version ? std::string(stem) + "-" + version + ".dll" : std::string(stem) + ".dll";
}

Result<SharedLibrary> open_shared_library(const std::string& name) {
  // The program's folder and the system's, not the working folder nor PATH, where anyone may have put a file of that name.
  HMODULE handle = LoadLibraryExW(to_wide(name).c_str(), nullptr, LOAD_LIBRARY_SEARCH_DEFAULT_DIRS);
  if (handle == nullptr) return unsupported(name + ": " + system_message(GetLastError()) + ".");
  HMODULE pinned = nullptr;
  GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS,
                     reinterpret_cast<const wchar_t*>(handle), &pinned);
  return SharedLibrary(handle);
}

}  // namespace tuff
