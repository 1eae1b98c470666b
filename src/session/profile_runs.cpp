#include "session/profile_runs.h"

#include <chrono>

namespace tuff {
namespace {

uint64_t since_ns(std::chrono::steady_clock::time_point start) {
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - start).count());
}

Status run_to_end(Recording& recording) {
  TUFF_TRY(recording.submit());
  TUFF_ASSIGN(const bool finished, recording.wait(UINT64_MAX));
  return finished ? ok_status() : internal_error("A run of a profile did not end.");
}

// Some of a run as a submit of its own. Parameters and ranges stay where they are in the buffers.
Result<std::shared_ptr<Recording>> record_part(Device& device, const RecordDesc& whole, std::vector<BoundDispatch> dispatches,
                                               std::vector<BufferCopy> copies) {
  BoundPlan plan;
  plan.dispatches = std::move(dispatches);
  if (plan.dispatches.empty()) plan.counter_bytes = whole.plan->counter_bytes;      // cleared once a run, not in a step's time
  for (BoundDispatch& dispatch : plan.dispatches) dispatch.barrier_before = false;  // a recording begins with one
  RecordDesc desc = whole;
  desc.plan = &plan;
  desc.splits.clear();
  desc.timestamps = false;
  desc.copies_before = std::move(copies);
  desc.copies_after.clear();
  return device.record(desc);
}

// False: the device has no clock.
Result<bool> time_by_device(Device& device, const RecordDesc& desc, const ProfileOptions& options, ProfiledRuns& out) {
  Profile& profile = out.profile;
  TUFF_ASSIGN(out.last, device.record(desc));
  for (uint64_t run = 0; run < uint64_t{options.warmup_count} + options.run_count; ++run) {
    const auto start = std::chrono::steady_clock::now();
    TUFF_TRY(run_to_end(*out.last));
    const uint64_t time_ns = since_ns(start);
    TUFF_ASSIGN(const std::vector<uint64_t> times, out.last->dispatch_times_ns());
    if (times.size() != profile.steps.size()) return false;
    if (run < options.warmup_count) continue;
    profile.run_times_ns.push_back(time_ns);
    for (size_t i = 0; i < times.size(); ++i) profile.steps[i].times_ns.push_back(times[i]);
  }
  return true;
}

Status time_by_host(Device& device, const RecordDesc& desc, const ProfileOptions& options, ProfiledRuns& out) {
  Profile& profile = out.profile;
  profile.host_clock = true;
  TUFF_ASSIGN(const auto copies_before, record_part(device, desc, {}, desc.copies_before));
  TUFF_ASSIGN(const auto copies_after, record_part(device, desc, {}, desc.copies_after));
  std::vector<std::shared_ptr<Recording>> recordings(profile.steps.size());
  for (size_t i = 0; i < recordings.size(); ++i) {
    TUFF_ASSIGN(recordings[i], record_part(device, desc, {desc.plan->dispatches[i]}, {}));
  }
  for (uint64_t run = 0; run < uint64_t{options.warmup_count} + options.run_count; ++run) {
    const auto run_start = std::chrono::steady_clock::now();
    TUFF_TRY(run_to_end(*copies_before));
    for (size_t i = 0; i < recordings.size(); ++i) {
      const auto start = std::chrono::steady_clock::now();
      TUFF_TRY(run_to_end(*recordings[i]));
      if (run >= options.warmup_count) profile.steps[i].times_ns.push_back(since_ns(start));
    }
    TUFF_TRY(run_to_end(*copies_after));
    if (run >= options.warmup_count) profile.run_times_ns.push_back(since_ns(run_start));
  }
  out.last = copies_after;
  return ok_status();
}

}  // namespace

Result<ProfiledRuns> profile_runs(Device& device, const Plan& plan, RecordDesc desc, const ProfileOptions& options) {
  if (options.run_count == 0) return invalid_argument("A profile is of at least one run.");
  const BoundPlan& bound = *desc.plan;
  if (bound.dispatches.empty()) return unsupported("At these sizes the program runs no kernel: there is nothing to profile.");
  ProfiledRuns out;
  for (const BoundDispatch& dispatch : bound.dispatches)
    out.profile.steps.push_back({dispatch.step, dispatch.kernel, work_of(plan, bound, dispatch), {}});
  desc.grids = nullptr;  // nothing cancels it
  desc.timestamps = true;
  if (!options.host_clock) {
    TUFF_ASSIGN(const bool has_clock, time_by_device(device, desc, options, out));
    if (has_clock) return out;
  }
  TUFF_TRY(time_by_host(device, desc, options, out));
  return out;
}

}  // namespace tuff
