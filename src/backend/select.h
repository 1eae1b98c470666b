// select_device: which device of a list a person means. Pure.
#pragma once

#include <span>
#include <string_view>

#include "backend/backend.h"

namespace tuff {

// selector: "" (the best), an index of the list, a UUID (32 hex digits, dashes allowed), or a part of a name in any case.
// Best is discrete, then integrated, virtual, other, software; the first of equals. INVALID_ARGUMENT with the list where
// nothing matches; UNSUPPORTED naming allow_software where only software does and it is off.
Result<size_t> select_device(std::span<const DeviceEntry> devices, std::string_view selector, bool allow_software);

}  // namespace tuff
