#include "backend/vulkan/loader.h"

#include "base/shared_library.h"

namespace tuff::vulkan {

Result<PFN_vkGetInstanceProcAddr> open_loader() {
  // The second name is the one that Android has, and a development package's.
  std::string reason;
  for (const std::string& name : {shared_library_name("vulkan", "1"), shared_library_name("vulkan", "")}) {
    Result<SharedLibrary> library = open_shared_library(name);
    if (!library.ok()) {
      if (reason.empty()) reason = library.status().message();
      continue;
    }
    void* symbol = library->symbol("vkGetInstanceProcAddr");
    if (symbol != nullptr) return reinterpret_cast<PFN_vkGetInstanceProcAddr>(symbol);
    reason = name + " has no vkGetInstanceProcAddr.";
  }
  return unsupported("There is no Vulkan loader on this machine (Debian: apt-get install libvulkan1): " + reason);
}

}  // namespace tuff::vulkan
