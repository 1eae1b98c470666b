// Quirks: what is known to be wrong or slow on particular devices, one row each in quirks.def. A row's consumer asks
// has_quirk(); nothing else in Tuff tests a vendor or a name.
#pragma once

#include "device/device_info.h"

namespace tuff {

enum class Quirk : uint8_t {
#define TUFF_QUIRK(name, ...) name,
#include "device/quirks.def"
#undef TUFF_QUIRK
};

struct QuirkRow {
  std::string_view name;
  uint32_t vendor_id;
  std::string_view names, drivers, versions;  // parts, separated by '|'
  std::string_view why, link, ends;
};

const QuirkRow& quirk_row(Quirk quirk);
bool has_quirk(const DeviceInfo& info, Quirk quirk);
std::vector<Quirk> quirks_of(const DeviceInfo& info);

// Corrects what a driver says of its device. Called once, where a DeviceInfo is made from a driver; a DeviceInfo from a
// text is taken as it is written.
void apply_quirks(DeviceInfo& info);

}  // namespace tuff
