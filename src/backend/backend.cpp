// The registry: one row a backend, in the order in which their devices are listed.
#include "backend/backend.h"

#include "backend/select.h"
#include "backend/source.h"
#include "backend/vulkan/devices.h"

namespace tuff {
namespace {

struct BackendRow {
  std::string_view name;
  Result<std::unique_ptr<DeviceSource>> (*find)(const OpenOptions& options);
};

// The null backend is not here: it answers success without computing anything, which is for tests to ask for by name.
constexpr BackendRow kBackends[] = {
    {"vulkan", vulkan::find_devices},
};

struct Found {
  DeviceList list;
  // By entry of the list: where it can be opened.
  std::vector<std::pair<DeviceSource*, size_t>> places;
  std::vector<std::unique_ptr<DeviceSource>> sources;
};

Found find_all(const OpenOptions& options) {
  Found found;
  for (const BackendRow& backend : kBackends) {
    Result<std::unique_ptr<DeviceSource>> source = backend.find(options);
    if (!source.ok()) {
      found.list.why_empty += (found.list.why_empty.empty() ? "" : " ") + source.status().message();
      continue;
    }
    const std::vector<DeviceInfo>& infos = (*source)->infos();
    for (size_t i = 0; i < infos.size(); ++i) {
      found.list.devices.push_back({infos[i], std::string(backend.name)});
      found.places.emplace_back(source->get(), i);
    }
    found.sources.push_back(std::move(*source));
  }
  if (!found.list.devices.empty()) found.list.why_empty.clear();
  return found;
}

}  // namespace

DeviceList list_devices() { return find_all({}).list; }

Result<std::shared_ptr<Device>> open_device(std::string_view selector, const OpenOptions& options) {
  const Found found = find_all(options);
  if (found.list.devices.empty()) return unsupported("There is no device to run on. " + found.list.why_empty);
  TUFF_ASSIGN(const size_t index, select_device(found.list.devices, selector, options.allow_software));
  const auto [source, place] = found.places[index];
  return source->open(place, options);
}

}  // namespace tuff
