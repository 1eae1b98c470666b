// Prints the DeviceInfo of every device that the loader lists, as the texts in tests/devices.
#include <cstdio>

#include "backend/backend.h"

int main() {
  const tuff::DeviceList list = tuff::list_devices();
  if (list.devices.empty()) {
    std::fprintf(stderr, "%s\n", list.why_empty.c_str());
    return 1;
  }
  for (const tuff::DeviceEntry& entry : list.devices) std::fputs(tuff::print(entry.info).c_str(), stdout);
  return 0;
}
