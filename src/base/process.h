// The calling process: what a device remembers, to refuse work in a forked child.
#pragma once

#include <cstdint>

namespace tuff {

int64_t process_id();

}  // namespace tuff
