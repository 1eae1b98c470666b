#include "device/quirks.h"

namespace tuff {
namespace {

constexpr QuirkRow kRows[] = {
#define TUFF_QUIRK(name, vendor_id, names, drivers, why, link, ends) {#name, vendor_id, names, drivers, why, link, ends},
#include "device/quirks.def"
#undef TUFF_QUIRK
};

bool contains_any(std::string_view text, std::string_view parts) {
  while (true) {
    const size_t bar = parts.find('|');
    if (text.find(parts.substr(0, bar)) != std::string_view::npos) return true;
    if (bar == std::string_view::npos) return false;
    parts.remove_prefix(bar + 1);
  }
}

}  // namespace

const QuirkRow& quirk_row(Quirk quirk) { return kRows[static_cast<size_t>(quirk)]; }

bool has_quirk(const DeviceInfo& info, Quirk quirk) {
  const QuirkRow& row = quirk_row(quirk);
  return info.vendor_id == row.vendor_id && contains_any(info.name, row.names) &&
         contains_any(info.driver_name, row.drivers);
}

std::vector<Quirk> quirks_of(const DeviceInfo& info) {
  std::vector<Quirk> quirks;
  for (size_t i = 0; i < std::size(kRows); ++i)
    if (has_quirk(info, static_cast<Quirk>(i))) quirks.push_back(static_cast<Quirk>(i));
  return quirks;
}

void apply_quirks(DeviceInfo& info) {
  if (has_quirk(info, Quirk::amd_matrix_emulated) || has_quirk(info, Quirk::intel_matrix_emulated))
    info.matrix_shapes.clear();
}

}  // namespace tuff
