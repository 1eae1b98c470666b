#include <algorithm>

#include "api/session_calls.h"

namespace tuff {
namespace {

static_assert(static_cast<int>(Bound::kMemory) == TUFF_BOUND_MEMORY);
static_assert(static_cast<int>(Bound::kLaunch) == TUFF_BOUND_LAUNCH);

constexpr uint32_t kMostProfiledRuns = 1'000'000;  // each keeps a time a kernel

Result<ProfileOptions> profile_options(const tuff_profile_desc_t* desc) {
  tuff_profile_desc_t d;
  TUFF_TRY(read_desc(desc, d, "tuff_profile_desc_t"));
  for (const uint32_t count : {d.run_count, d.warmup_count})
    if (count > kMostProfiledRuns)
      return limit_exceeded("A profile is of at most " + std::to_string(kMostProfiledRuns) + " runs, not " +
                            std::to_string(count) + ".");
  return ProfileOptions{d.warmup_count, std::max<uint32_t>(d.run_count, 1), d.host_clock != 0};
}

Result<const StepProfile*> step_of(const tuff_profile_t* profile, uint32_t index) {
  TUFF_NOT_NULL(profile);
  const std::vector<StepProfile>& steps = profile->profile.steps;
  if (index >= steps.size())
    return invalid_argument("There is no kernel " + std::to_string(index) + " in a profile of " + std::to_string(steps.size()) +
                            ".");
  return &steps[index];
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

std::string lines(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += text + "\n";
  return all;
}

Result<std::string> kernel_text(const Program& program, const StepProfile& step, tuff_kernel_text_t which) {
  const Kernel& kernel = program.plan.kernels[step.kernel.value];
  switch (which) {
    case TUFF_KERNEL_NAME: return kernel.name;
    case TUFF_KERNEL_NODES: return joined(kernel.origins);
    case TUFF_KERNEL_SKELETON: return kernel.skeleton;
    case TUFF_KERNEL_SCHEDULE: return kernel.schedule;
    case TUFF_KERNEL_SOURCE: return kernel.source;
    case TUFF_KERNEL_DECISIONS:
      return step.step.value < program.decisions.size() ? program.decisions[step.step.value] : std::string();
    case TUFF_KERNEL_TUNING_KEY: return kernel.tuning.key;
    case TUFF_KERNEL_ALTERNATIVES: return lines(kernel.tuning.alternatives);
    default: return invalid_argument("There is no text " + std::to_string(which) + " of a kernel.");
  }
}

}  // namespace
}  // namespace tuff

using namespace tuff;

tuff_status_t tuff_session_profile(tuff_session_t* session, const tuff_profile_desc_t* desc, tuff_profile_t** out_profile,
                                   tuff_error_t** out_error) {
  if (!session) return guarded(out_error, [] { return null_argument("session"); });
  return entered(session->state, out_error, [&]() -> Status {
    TUFF_NOT_NULL(out_profile);
    TUFF_ASSIGN(const ProfileOptions options, profile_options(desc));
    auto profile = std::make_unique<tuff_profile>();
    TUFF_ASSIGN(profile->profile, session->state->session->profile(options));
    profile->program = session->state->program;
    *out_profile = profile.release();
    return ok_status();
  });
}

void tuff_profile_retain(tuff_profile_t* profile) { retain_handle(profile); }
void tuff_profile_release(tuff_profile_t* profile) { release_handle(profile); }

tuff_status_t tuff_profile_get_info(const tuff_profile_t* profile, tuff_profile_info_t* out_info, tuff_error_t** out_error) {
  return guarded(out_error, [&]() -> Status {
    TUFF_NOT_NULL(profile);
    const Profile& p = profile->profile;
    const DeviceRates& rates = profile->program->target.info.rates;
    tuff_profile_info_t info = TUFF_PROFILE_INFO_INIT;
    info.kernel_count = static_cast<uint32_t>(p.steps.size());
    info.run_count = static_cast<uint32_t>(p.run_times_ns.size());
    info.host_clock = p.host_clock;
    info.run_time_ns = median(p.run_times_ns);
    info.kernels_time_ns = median(sums_ns(p));
    info.memory_bytes_per_second = static_cast<uint64_t>(rates.dram_bytes_per_us) * 1'000'000;
    info.flops_per_second = static_cast<uint64_t>(rates.fma_per_us) * 2'000'000;
    info.launch_time_ns = static_cast<uint64_t>(rates.launch_ns);
    return write_info(info, out_info, "out_info");
  });
}

tuff_status_t tuff_profile_kernel(const tuff_profile_t* profile, uint32_t index, tuff_kernel_profile_t* out_kernel,
                                  tuff_error_t** out_error) {
  return guarded(out_error, [&]() -> Status {
    TUFF_ASSIGN(const StepProfile* step, step_of(profile, index));
    const DeviceInfo& device = profile->program->target.info;
    const auto [least, most] = std::minmax_element(step->times_ns.begin(), step->times_ns.end());
    tuff_kernel_profile_t kernel = TUFF_KERNEL_PROFILE_INIT;
    kernel.bound = static_cast<tuff_bound_t>(bound_of(step->work, device));
    kernel.step = step->step.value;
    kernel.kernel = step->kernel.value;
    kernel.time_ns = median(step->times_ns);
    kernel.min_time_ns = *least;
    kernel.max_time_ns = *most;
    kernel.predicted_time_ns = static_cast<uint64_t>(predicted_ns(step->work, device));
    kernel.bytes_read = static_cast<uint64_t>(step->work.bytes_read);
    kernel.bytes_written = static_cast<uint64_t>(step->work.bytes_written);
    kernel.flops = static_cast<uint64_t>(flops(step->work));
    if (const std::vector<KernelUsage>& usages = profile->program->usages; step->kernel.value < usages.size()) {
      const KernelUsage& usage = usages[step->kernel.value];
      kernel.registers = usage.registers.value_or(-1);
      kernel.spills = usage.spills.value_or(-1);
      kernel.occupancy = usage.occupancy.value_or(-1);
      kernel.shared_bytes = usage.shared_bytes.value_or(-1);
    }
    return write_info(kernel, out_kernel, "out_kernel");
  });
}

tuff_status_t tuff_profile_kernel_times(const tuff_profile_t* profile, uint32_t index, uint64_t* times_ns, uint32_t capacity,
                                        uint32_t* out_count, tuff_error_t** out_error) {
  return guarded(out_error, [&]() -> Status {
    TUFF_ASSIGN(const StepProfile* step, step_of(profile, index));
    const std::vector<uint64_t>& times = step->times_ns;
    if (out_count) *out_count = static_cast<uint32_t>(times.size());
    if (times_ns) std::copy_n(times.begin(), std::min<size_t>(times.size(), capacity), times_ns);
    return ok_status();
  });
}

tuff_status_t tuff_profile_kernel_text(const tuff_profile_t* profile, uint32_t index, tuff_kernel_text_t text, char* buffer,
                                       uint64_t capacity, uint64_t* out_length, tuff_error_t** out_error) {
  return guarded(out_error, [&]() -> Status {
    TUFF_ASSIGN(const StepProfile* step, step_of(profile, index));
    TUFF_ASSIGN(const std::string words, kernel_text(*profile->program, *step, text));
    text_out(words, buffer, capacity, out_length);
    return ok_status();
  });
}
