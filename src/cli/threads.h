// The threads that the command lends to a compile: one a processor.
#pragma once

#include <tuff/tuff.hpp>

namespace tuff::cli {

// A tuff_parallel_for_callback_t.
void parallel_for_threads(uint32_t count, tuff_task_callback_t task, void* task_data, void* user_data);

}  // namespace tuff::cli
