#include "base/process.h"

#include <unistd.h>

namespace tuff {

int64_t process_id() { return getpid(); }

}  // namespace tuff
