#include "backend/select.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <vector>

namespace tuff {
namespace {

int preference(DeviceKind kind) {
  switch (kind) {
    case DeviceKind::kDiscrete: return 4;
    case DeviceKind::kIntegrated: return 3;
    case DeviceKind::kVirtual: return 2;
    case DeviceKind::kOther: return 1;
    case DeviceKind::kSoftware: return 0;
  }
  return 0;
}

std::string lower(std::string_view s) {
  std::string out(s);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

std::optional<size_t> index_of(std::string_view selector, size_t count) {
  constexpr size_t kMostDigits = 4;  // a UUID may be all digits
  size_t index = 0;
  if (selector.size() > kMostDigits) return std::nullopt;
  const auto [end, error] = std::from_chars(selector.data(), selector.data() + selector.size(), index);
  if (error != std::errc() || end != selector.data() + selector.size() || index >= count) return std::nullopt;
  return index;
}

// All devices that the selector names. A number that is no index may be a part of a name ("4090").
std::vector<size_t> matches(std::span<const DeviceEntry> devices, std::string_view selector) {
  if (const auto index = index_of(selector, devices.size())) return {*index};
  const std::string wanted = lower(selector);
  std::string uuid = wanted;
  uuid.erase(std::remove(uuid.begin(), uuid.end(), '-'), uuid.end());
  std::vector<size_t> found;
  for (size_t i = 0; i < devices.size(); ++i)
    if (uuid.size() == 32 && devices[i].info.device_uuid == uuid) found.push_back(i);
  if (!found.empty()) return found;
  for (size_t i = 0; i < devices.size(); ++i)
    if (lower(devices[i].info.name).find(wanted) != std::string::npos) found.push_back(i);
  return found;
}

std::string names(std::span<const DeviceEntry> devices) {
  std::string text;
  for (size_t i = 0; i < devices.size(); ++i)
    text += (i == 0 ? "" : ", ") + std::to_string(i) + " '" + devices[i].info.name + "'";
  return text;
}

}  // namespace

Result<size_t> select_device(std::span<const DeviceEntry> devices, std::string_view selector, bool allow_software) {
  const std::vector<size_t> candidates = matches(devices, selector);
  if (candidates.empty())
    return invalid_argument("No device matches '" + std::string(selector) + "'; there are " + names(devices) + ".");
  std::optional<size_t> best;
  for (size_t i : candidates) {
    const DeviceKind kind = devices[i].info.kind;
    if (kind == DeviceKind::kSoftware && !allow_software) continue;
    if (!best || preference(kind) > preference(devices[*best].info.kind)) best = i;
  }
  if (best) return *best;
  return unsupported("'" + devices[candidates[0]].info.name +
                     "' is a software driver: it computes on the CPU and is meant for tests. Set allow_software to run "
                     "on it.");
}

}  // namespace tuff
