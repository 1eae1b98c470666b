#include "session/target.h"

namespace tuff {
namespace {

DeviceInfo cpu_info() {
  DeviceInfo info;
  info.name = "cpu";
  info.kind = DeviceKind::kSoftware;
  info.driver_name = "Tuff reference";
  info.driver_version = "1";
  info.uuid = info.device_uuid = std::string(32, '0');
  info.unified_memory = true;
  info.float64 = info.int8 = info.int16 = info.int64 = true;
  return info;
}

}  // namespace

TargetList list_targets() {
  DeviceList devices = list_devices();
  TargetList list;
  for (DeviceEntry& entry : devices.devices) list.entries.push_back({std::move(entry.info), std::move(entry.backend)});
  if (list.entries.empty()) list.why_no_device = std::move(devices.why_empty);
  list.entries.push_back({cpu_info(), "cpu"});
  return list;
}

Result<Target> open_target(std::string_view selector, const OpenOptions& options) {
  Target target;
  if (selector == "cpu") {
    if (!options.allow_software) return unsupported("The CPU is for checking; it runs only where software is allowed.");
    target.kind = TargetKind::kCpu;
    target.info = cpu_info();
    return target;
  }
  TUFF_ASSIGN(target.device, open_device(selector, options));
  target.kind = TargetKind::kDevice;
  target.info = target.device->info();
  return target;
}

Result<Target> borrowed_target(const BorrowedVulkanDevice& host) {
  Target target;
  TUFF_ASSIGN(target.device, borrow_vulkan_device(host));
  target.kind = TargetKind::kDevice;
  target.info = target.device->info();
  return target;
}

Result<Target> describe_target(std::string_view device_text, const std::string& source_name) {
  Target target;
  TUFF_ASSIGN(target.info, parse_device_info(device_text, source_name));
  return target;
}

}  // namespace tuff
