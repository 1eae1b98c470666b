#include "cli/child.h"

#include "base/process.h"
#include "cli/target_options.h"

namespace tuff::cli {
namespace {

constexpr int64_t kLongestLimit = 1'000'000;  // seconds

}  // namespace

std::vector<Option> child_options() {
  return {{"--time-limit", nullptr, "SECONDS", "run in a child process and end it then: a driver's compiler may never end"},
          {"--in-process", nullptr, nullptr, "no child process; a driver that crashes or hangs takes this one along"}};
}

bool wants_child(const Arguments& arguments) { return arguments.has("--time-limit") && !arguments.has("--in-process"); }

int run_in_child(const Arguments& arguments, const std::string& verb, const std::vector<std::string>& words,
                 int64_t default_limit_s) {
  Result<int64_t> limit_s = arguments.integer("--time-limit", default_limit_s, 1, kLongestLimit);
  if (!limit_s) return exit_for(limit_s.error());
  std::vector<std::string> all = {"tuff", verb, "--in-process"};
  all.insert(all.end(), words.begin(), words.end());
  const ProcessEnd end = run_this_program(all, *limit_s);
  if (!end.not_started.empty()) return refused({TUFF_IO, "Cannot start a process to work in: " + end.not_started + "."});
  if (end.timed_out)
    return refused(
        {TUFF_CANCELLED, "'tuff " + verb + "' did not end within " + std::to_string(*limit_s) +
                             " seconds and was ended; a Vulkan driver that hangs does that. VK_ICD_FILENAMES chooses "
                             "which drivers are loaded."});
  if (end.crash.empty()) return end.exit_status;
  return refused({TUFF_DEVICE_LOST, "Most likely a Vulkan driver of this machine crashed (" + end.crash +
                                        "). VK_ICD_FILENAMES chooses which drivers are loaded."});
}

}  // namespace tuff::cli
