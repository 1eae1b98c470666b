#include "device/quirks.h"

#include "device/text_match.h"

namespace tuff {
namespace {

constexpr QuirkRow kQuirkRows[] = {
#define TUFF_QUIRK(name, vendor_id, names, drivers, versions, why, link, ends) \
  {#name, vendor_id, names, drivers, versions, why, link, ends},
#include "device/quirks.def"
#undef TUFF_QUIRK
};

}  // namespace

const QuirkRow& quirk_row(Quirk quirk) { return kQuirkRows[static_cast<size_t>(quirk)]; }

bool has_quirk(const DeviceInfo& info, Quirk quirk) {
  const QuirkRow& row = quirk_row(quirk);
  return info.vendor_id == row.vendor_id && contains_any(info.name, row.names) && contains_any(info.driver_name, row.drivers) &&
         contains_any(info.driver_version, row.versions);
}

std::vector<Quirk> quirks_of(const DeviceInfo& info) {
  std::vector<Quirk> quirks;
  for (size_t i = 0; i < std::size(kQuirkRows); ++i)
    if (has_quirk(info, static_cast<Quirk>(i))) quirks.push_back(static_cast<Quirk>(i));
  return quirks;
}

void apply_quirks(DeviceInfo& info) {
  if (has_quirk(info, Quirk::amd_matrix_emulated) || has_quirk(info, Quirk::intel_matrix_emulated)) info.matrix_shapes.clear();
  if (has_quirk(info, Quirk::llvmpipe_loop_limit)) info.max_loop_rounds = 65535;
}

}  // namespace tuff
