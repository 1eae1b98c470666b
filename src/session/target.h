// Target: what a program is compiled for. A GPU that a backend opened; the CPU, which runs the reference interpreter; or a
// description of a device that is not in this machine, for which every stage but running can be looked at.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backend/backend.h"
#include "backend/borrowed_device.h"
#include "device/device_info.h"

namespace tuff {

enum class TargetKind : uint8_t { kDevice, kCpu, kDescription };

struct Target {
  TargetKind kind = TargetKind::kDescription;
  DeviceInfo info;
  std::shared_ptr<Device> device;  // kDevice only
};

struct TargetEntry {
  DeviceInfo info;
  std::string backend;  // "vulkan", "cpu"
};

struct TargetList {
  std::vector<TargetEntry> entries;  // the backends' devices in their order, the CPU last
  std::string why_no_device;         // empty if there is one besides the CPU
};
TargetList list_targets();

// selector: "cpu", or what open_device() takes. The CPU is chosen by name only; like a software driver it runs only with
// allow_software.
Result<Target> open_target(std::string_view selector, const OpenOptions& options);
// A device that a host lends.
Result<Target> borrowed_target(const BorrowedVulkanDevice& host);
Result<Target> describe_target(std::string_view device_text, const std::string& source_name);

}  // namespace tuff
