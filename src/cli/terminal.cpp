#include "cli/terminal.h"

#include <cstdio>

#include "base/process.h"

namespace tuff::cli {
namespace {

bool is_terminal() {
  static const bool yes = stderr_is_terminal();
  return yes;
}

void show(const char* stage, uint64_t length, void*) {
  std::fprintf(stderr, "\r\033[Kcompiling: %.*s\0337", static_cast<int>(length), stage);  // the cursor's place is saved
  std::fflush(stderr);
}

void show_kernel(uint32_t done, uint32_t total, void*) {
  std::fprintf(stderr, "\0338 %u of %u", done, total);
  std::fflush(stderr);
}

}  // namespace

tuff_progress_callback_t progress_callback() { return is_terminal() ? show : nullptr; }
tuff_kernel_progress_callback_t kernel_progress_callback() { return is_terminal() ? show_kernel : nullptr; }

void show_progress(const std::string& line) {
  if (!is_terminal()) return;
  std::fprintf(stderr, "\r\033[K%s", line.c_str());
  std::fflush(stderr);
}

void end_progress() {
  if (is_terminal()) std::fputs("\r\033[K", stderr);
}

void log_to_stderr(tuff_severity_t severity, const char* message, uint64_t length, void*) {
  if (severity == TUFF_SEVERITY_INFO) return;
  std::fprintf(stderr, "tuff: %s: %.*s\n", severity == TUFF_SEVERITY_ERROR ? "error" : "warning", static_cast<int>(length),
               message);
}

}  // namespace tuff::cli
