// What binding and binding again share.
#pragma once

#include "plan/plan.h"

namespace tuff {

// INVALID_ARGUMENT for a size outside the dimension's range.
Status check_size(const Symbol& dimension, int64_t size);

// From dtype and shape; LIMIT where 64 bits do not count them.
Status set_storage_bytes(BoundTensor& tensor);

}  // namespace tuff
