// What a person at a terminal sees besides results: one progress line on stderr, and messages of the library.
#pragma once

#include <string>

#include <tuff/tuff.hpp>

namespace tuff::cli {

// Progress of a compile; nothing is written unless stderr is a terminal.
tuff_progress_callback_t progress_callback();
tuff_kernel_progress_callback_t kernel_progress_callback();
// The progress line of what is not a compile, which replaces the one before.
void show_progress(const std::string& line);
void end_progress();

// Warnings and errors of the library, on stderr.
void log_to_stderr(tuff_severity_t severity, const char* message, uint64_t length, void* user_data);

}  // namespace tuff::cli
