// The devices of tests/devices, by their files' names.
#pragma once

#include <doctest/doctest.h>

#include <string>

#include "base/file.h"
#include "device/device_info.h"

namespace tuff {

inline DeviceInfo device_text(const std::string& name) {
  const std::string path = std::string(TUFF_TEST_ROOT) + "/devices/" + name + ".txt";
  Result<std::string> text = read_text_file(path);
  REQUIRE_MESSAGE(text.ok(), text.status().message());
  Result<DeviceInfo> device = parse_device_info(*text, path);
  REQUIRE_MESSAGE(device.ok(), device.status().message());
  return std::move(*device);
}

}  // namespace tuff
