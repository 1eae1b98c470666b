// tuff tune: times the schedules of the kernels that take the time, and writes those that are faster as observations.
//
// What the driver says of each kernel that is compiled on the way is written, too: its registers, its spills. Where it spills
// those of a predicted schedule, what is compared with is the plan that leaves such schedules, so that one has to be measurably
// faster to be taken all the same.
//
// Each round compiles one program in which every kernel of interest has a schedule next to its own, and times it in turn with
// the program as it is, so that a round tries as many schedules as there are kernels. Where some are faster, the next rounds go
// on from these. What is kept in the end was faster in a comparison of its own, and so was the whole model. Rates come first,
// as they decide which kernels there are: those that were measured are kept if the model that is planned by them is faster.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <optional>
#include <set>

#include "base/native_path.h"
#include "cli/clock.h"
#include "cli/execute.h"
#include "cli/json.h"
#include "cli/made_program.h"
#include "cli/measure_rates.h"
#include "cli/model_inputs.h"
#include "cli/npy.h"
#include "cli/observations_text.h"
#include "cli/paired_times.h"
#include "cli/terminal.h"

namespace tuff::cli {
namespace {

using Schedules = std::map<std::string, std::string>;  // by kernel key

// How much of a kernel's or the model's time has to go before a schedule counts as faster.
constexpr double kKernelGain = 0.03, kModelGain = 0.005;
constexpr uint32_t kPairs = 5, kMostPairs = 40;
// The parts of the budget by whose ends the rates, the search and the comparison of kernels are over; the rest is the model's.
constexpr double kRatesEnd = 0.15, kSearchEnd = 0.7, kKernelsEnd = 0.85;

class Budget {
 public:
  explicit Budget(int64_t seconds) : start_ns_(clock_ns()), budget_ns_(static_cast<uint64_t>(seconds) * 1'000'000'000) {}
  double spent() const { return static_cast<double>(clock_ns() - start_ns_) / static_cast<double>(budget_ns_); }

 private:
  uint64_t start_ns_, budget_ns_;
};

// All dispatches whose kernels have one key.
struct KeyProfile {
  uint64_t time_ns = 0;
  std::string kernel, schedule;  // of the first
  std::vector<std::string> alternatives;
  KernelFigures figures;  // the worst
};
struct RunProfile {
  std::map<std::string, KeyProfile> keys;
  uint64_t time_ns = 0;  // of all kernels, with those that have no other schedule
};

Result<RunProfile> profile_keys(Session& session, uint32_t run_count) {
  ProfileOptions options;
  options.run_count = run_count;
  options.warmup_count = 0;
  Result<Profile> profile = session.profile(options);
  if (!profile) return profile.error();
  RunProfile run;
  for (uint32_t i = 0; i < profile->info().kernel_count; ++i) {
    const tuff_kernel_profile_t kernel = profile->kernel(i);
    run.time_ns += kernel.time_ns;
    const std::string name = profile->kernel_text(i, TUFF_KERNEL_TUNING_KEY);
    if (name.empty()) continue;
    KeyProfile& key = run.keys[name];
    key.time_ns += kernel.time_ns;
    key.figures.take_worse({kernel.registers, kernel.spills, kernel.occupancy, kernel.shared_bytes});
    if (!key.kernel.empty()) continue;
    key.kernel = profile->kernel_text(i, TUFF_KERNEL_NAME);
    key.schedule = profile->kernel_text(i, TUFF_KERNEL_SCHEDULE);
    key.alternatives = lines_of(profile->kernel_text(i, TUFF_KERNEL_ALTERNATIVES));
  }
  return run;
}

struct TunedKernel {
  std::string key, kernel, schedule;
  PairedTimes times;
};

class Tuner {
 public:
  Tuner(MadeProgram& made, ProgramOptions options, Budget budget, double share, bool rates_are_wanted)
      : made_(made), options_(std::move(options)), budget_(budget), share_(share), rates_are_wanted_(rates_are_wanted) {
    options_.progress = nullptr;  // one line of progress is enough
    options_.kernel_progress = nullptr;
  }

  Status tune() {
    if (Status s = measure_start(); !s) return s;
    if (rates_are_wanted_) {
      if (Status s = try_rates(); !s) return s;
    }
    if (Status s = leave_spills(); !s) return s;
    if (Status s = search(); !s) return s;
    if (best_.empty()) return {};
    if (Status s = keep_faster_kernels(); !s || best_.empty()) return s;
    return keep_faster_model();
  }

  std::string observations() const { return with_learnt(options_.observations, {rates_, best_, compiled_}); }
  const CompiledFigures& compiled() const { return compiled_; }
  const std::optional<MeasuredRates>& measured_rates() const { return measured_; }
  bool rates_are_kept() const { return !rates_.empty(); }
  const PairedTimes& rates_times() const { return with_rates_; }
  const std::vector<TunedKernel>& kernels() const { return kernels_; }
  const PairedTimes& model_times() const { return model_; }
  uint32_t tried_count() const { return tried_count_; }
  uint32_t round_count() const { return round_count_; }
  uint32_t key_count() const { return key_count_; }

 private:
  // The program with these schedules, and the rates that are kept, beside what was given.
  Result<Session> with(const Schedules& schedules) {
    ProgramOptions options = options_;
    options.observations = with_learnt(options_.observations, {rates_, schedules, compiled_});
    Result<Program> program = Program::create(made_.device, made_.model, options);
    if (!program) return program.error();
    return session_with_inputs(*program, made_.inputs, made_.dims);
  }

  // Profiles, and keeps what the driver says of the kernels.
  Result<RunProfile> profile_and_note(Session& session, uint32_t run_count) {
    Result<RunProfile> run = profile_keys(session, run_count);
    if (!run) return run;
    for (const auto& [name, key] : run->keys)
      if (key.figures.are_told()) compiled_[{name, key.schedule}] = key.figures;
    return run;
  }

  // Plans anew from what the driver spills, until it has been read of every schedule that is planned.
  Status leave_spills() {
    for (bool planned_anew = true; planned_anew;) {
      const CompiledFigures before = compiled_;
      Result<RunProfile> run = profile_and_note(start_, 1);
      if (!run) return run.error();
      planned_anew = std::any_of(run->keys.begin(), run->keys.end(), [&](const auto& entry) {
        return entry.second.figures.spills > 0 && !before.contains({entry.first, entry.second.schedule});
      });
      if (!planned_anew) break;
      Result<Session> next = with({});
      if (!next) return next.error();
      start_ = std::move(*next);
    }
    return {};
  }

  // Enough runs a profile that a clock's grain does not show.
  Status measure_start() {
    Result<Session> session = session_with_inputs(made_.program, made_.inputs, made_.dims);
    if (!session) return session.error();
    start_ = std::move(*session);
    Result<RunProfile> first = profile_keys(start_, 1);  // which warms up, too
    if (!first) return first.error();
    constexpr uint64_t kProfileNs = 20'000'000;
    run_count_ = static_cast<uint32_t>(std::clamp<uint64_t>(kProfileNs / std::max<uint64_t>(first->time_ns, 1), 1, 50));
    return {};
  }

  // A device that has no room to measure them on keeps its rates.
  Status try_rates() {
    show(0);
    Result<MeasuredRates> measured = measure_rates(made_.device, options_);
    if (!measured) return measured.error().status == TUFF_CANCELLED ? Status(measured.error()) : Status();
    measured_ = *measured;
    rates_ = {{"dram_bytes_per_us", measured->dram_bytes_per_us},
              {"fma_per_us", measured->fma_per_us},
              {"launch_ns", measured->launch_ns}};
    Result<Session> planned = with({});
    if (!planned) return planned.error();
    if (Status s = compare_models(*planned, kRatesEnd, with_rates_); !s) return s;
    if (with_rates_.is_faster(kModelGain))
      start_ = std::move(*planned);
    else
      rates_.clear();
    return {};
  }

  Status search() {
    for (bool improved = true; improved && (budget_.spent() < kSearchEnd || round_count_ == 0);) {
      Result<Session> base = best_.empty() ? Result<Session>(start_) : with(best_);
      if (!base) return base.error();
      Result<RunProfile> profile = profile_keys(*base, run_count_);
      if (!profile) return profile.error();
      Schedules won;
      std::map<std::string, double> ratios;
      double round_share = 0;
      while (budget_.spent() + round_share < kSearchEnd || round_count_ == 0) {
        const double before = budget_.spent();
        const Schedules picks = next_untried(*profile);
        if (picks.empty()) break;
        if (Status s = try_round(*base, picks, won, ratios); !s) return s;
        round_share = budget_.spent() - before;
      }
      for (const auto& [key, schedule] : won) best_[key] = schedule;
      improved = !won.empty();
    }
    return {};
  }

  // For each of the kernels that take most of the time together, one schedule that was not timed yet.
  Schedules next_untried(const RunProfile& profile) {
    std::vector<std::pair<uint64_t, std::string>> by_time;
    for (const auto& [name, key] : profile.keys) by_time.emplace_back(key.time_ns, name);
    std::sort(by_time.rbegin(), by_time.rend());
    Schedules picks;
    uint64_t seen_ns = 0;
    uint32_t keys = 0;
    for (const auto& [time_ns, name] : by_time) {
      // Where times say nothing, each kernel may matter.
      if (profile.time_ns != 0 && static_cast<double>(seen_ns) >= share_ * static_cast<double>(profile.time_ns)) break;
      seen_ns += time_ns;
      ++keys;
      tried_.insert({name, profile.keys.at(name).schedule});
      for (const std::string& schedule : profile.keys.at(name).alternatives) {
        if (!tried_.insert({name, schedule}).second) continue;
        picks[name] = schedule;
        break;
      }
    }
    key_count_ = std::max(key_count_, keys);
    return picks;
  }

  Status try_round(Session& base, const Schedules& picks, Schedules& won, std::map<std::string, double>& ratios) {
    ++round_count_;
    show(best_.size() + won.size());
    Schedules schedules = best_;
    for (const auto& [key, schedule] : picks) schedules[key] = schedule;
    Result<Session> candidate = with(schedules);
    if (!candidate) return candidate.error().status == TUFF_CANCELLED ? Status(candidate.error()) : Status();
    std::map<std::string, PairedTimes> times;
    if (Status s = time_kernels(base, *candidate, picks, times); !s) return s;
    for (const auto& [key, schedule] : picks) {
      ++tried_count_;
      const PairedTimes& pairs = times[key];
      // A spill has to be made up for by more than noise.
      const double ratio = pairs.ratio() * (spills(key, schedule) ? 1 + kKernelGain : 1);
      if (!pairs.is_faster(kKernelGain) || (ratios.contains(key) && ratios[key] <= ratio)) continue;
      ratios[key] = ratio;
      won[key] = schedule;
    }
    return {};
  }

  bool spills(const std::string& key, const std::string& schedule) const {
    const auto found = compiled_.find({key, schedule});
    return found != compiled_.end() && found->second.spills > 0;
  }

  // Of the keys of `schedules`, where the second session has just these.
  Status time_kernels(Session& before, Session& after, const Schedules& schedules, std::map<std::string, PairedTimes>& times) {
    if (Result<RunProfile> warm = profile_and_note(after, 1); !warm) return warm.error();
    for (uint32_t pair = 0; pair < kPairs; ++pair) {
      const bool swapped = pair % 2 != 0;
      Result<RunProfile> first = profile_keys(swapped ? after : before, run_count_);
      if (!first) return first.error();
      Result<RunProfile> second = profile_keys(swapped ? before : after, run_count_);
      if (!second) return second.error();
      const RunProfile& old_run = swapped ? *second : *first;
      const RunProfile& new_run = swapped ? *first : *second;
      for (const auto& [key, schedule] : schedules) {
        const auto was = old_run.keys.find(key), is = new_run.keys.find(key);
        if (was == old_run.keys.end() || is == new_run.keys.end() || is->second.schedule != schedule) continue;
        times[key].add(was->second.time_ns, is->second.time_ns);
        names_[key] = is->second.kernel;
      }
    }
    return {};
  }

  // Winners of many comparisons are in part the luckiest: they have to win once more, against the start.
  Status keep_faster_kernels() {
    show(best_.size());
    Result<Session> tuned = with(best_);
    if (!tuned) return tuned.error();
    std::map<std::string, PairedTimes> times;
    uint32_t pairs = 0;
    do {
      if (Status s = time_kernels(start_, *tuned, best_, times); !s) return s;
      pairs += kPairs;
    } while (budget_.spent() < kKernelsEnd && pairs < kMostPairs);
    for (auto it = best_.begin(); it != best_.end();) {
      const auto& [key, schedule] = *it;
      if (times[key].is_faster(kKernelGain)) {
        kernels_.push_back({key, names_[key], schedule, times[key]});
        ++it;
      } else {
        it = best_.erase(it);
      }
    }
    return {};
  }

  Status keep_faster_model() {
    Result<Session> tuned = with(best_);
    if (!tuned) return tuned.error();
    if (Status s = compare_models(*tuned, 1, model_); !s) return s;
    if (!model_.is_faster(kModelGain)) {
      best_.clear();
      kernels_.clear();
    }
    return {};
  }

  // Whole runs, until so much of the budget is spent.
  Status compare_models(Session& after, double budget_end, PairedTimes& times) {
    if (Status s = after.run(); !s) return s;  // warm
    auto run_ns = [](Session& session, uint64_t& time_ns) {
      const uint64_t begin = clock_ns();
      Status s = session.run();
      time_ns = clock_ns() - begin;
      return s;
    };
    while (times.count() < 2 * kPairs || (budget_.spent() < budget_end && times.count() < kMostPairs)) {
      show(best_.size());
      const bool swapped = times.count() % 2 != 0;
      uint64_t first_ns = 0, second_ns = 0;
      if (Status s = run_ns(swapped ? after : start_, first_ns); !s) return s;
      if (Status s = run_ns(swapped ? start_ : after, second_ns); !s) return s;
      times.add(swapped ? second_ns : first_ns, swapped ? first_ns : second_ns);
    }
    return {};
  }

  void show(size_t faster_count) const {
    const int done = static_cast<int>(std::min(budget_.spent(), 1.0) * 30);
    show_progress("tuning: [" + std::string(static_cast<size_t>(done), '#') + std::string(static_cast<size_t>(30 - done), '.') +
                  "] round " + std::to_string(round_count_) + ", faster: " + std::to_string(faster_count) + " kernels");
  }

  MadeProgram& made_;
  ProgramOptions options_;
  Budget budget_;
  double share_;
  bool rates_are_wanted_;
  Session start_;  // what schedules are compared with
  std::optional<MeasuredRates> measured_;
  std::map<std::string, int64_t> rates_;  // those that are kept
  PairedTimes with_rates_;
  uint32_t run_count_ = 1;
  Schedules best_;
  std::set<std::pair<std::string, std::string>> tried_;
  std::map<std::string, std::string> names_;
  CompiledFigures compiled_;
  std::vector<TunedKernel> kernels_;
  PairedTimes model_;
  uint32_t tried_count_ = 0, round_count_ = 0, key_count_ = 0;
};

double milliseconds(uint64_t ns) { return static_cast<double>(ns) * 1e-6; }

void print_rates(const Tuner& tuner) {
  const MeasuredRates& rates = *tuner.measured_rates();
  std::printf("rates        %.1f GB/s, %.1f GFLOP/s, %.1f us a launch: %s, ratio %.3f\n",
              static_cast<double>(rates.dram_bytes_per_us) * 1e-3, static_cast<double>(rates.fma_per_us) * 2e-3,
              static_cast<double>(rates.launch_ns) * 1e-3, tuner.rates_are_kept() ? "kept" : "no faster, not kept",
              tuner.rates_times().ratio());
}

void print_compiled(const CompiledFigures& compiled) {
  const auto spilled =
      std::count_if(compiled.begin(), compiled.end(), [](const auto& entry) { return entry.second.spills > 0; });
  if (compiled.empty())
    std::printf("compiled     the driver says nothing of registers\n");
  else
    std::printf("compiled     %zu schedules, of which the driver spills %td\n", compiled.size(), spilled);
}

void print_tuned(const Tuner& tuner, const std::string& path) {
  if (tuner.measured_rates()) print_rates(tuner);
  std::printf("timed        %u schedules of %u kinds of kernels in %u rounds\n", tuner.tried_count(), tuner.key_count(),
              tuner.round_count());
  print_compiled(tuner.compiled());
  const PairedTimes& model = tuner.model_times();
  if (model.count() != 0)
    std::printf("model        %.3f ms before, %.3f after: ratio %.3f (median of %zu pairs)\n", milliseconds(model.before_ns()),
                milliseconds(model.after_ns()), model.ratio(), model.count());
  if (tuner.kernels().empty()) {
    std::printf("kept         nothing: no schedule is measurably faster\n");
  } else {
    std::printf("\n%10s %10s %7s  %s\n", "before ms", "after ms", "ratio", "kernel: schedule");
    for (const TunedKernel& k : tuner.kernels())
      std::printf("%10.3f %10.3f %7.3f  %s: %s\n", milliseconds(k.times.before_ns()), milliseconds(k.times.after_ns()),
                  k.times.ratio(), k.kernel.c_str(), k.schedule.c_str());
    std::printf("\n");
  }
  std::printf("written      %s\n", path.c_str());
}

void write_pairs(Json& json, const PairedTimes& times) {
  json.key("before_ns").integer(static_cast<int64_t>(times.before_ns()));
  json.key("after_ns").integer(static_cast<int64_t>(times.after_ns()));
  json.key("ratio").real(times.ratio());
  json.key("pairs").integer(static_cast<int64_t>(times.count()));
}

// Those that the driver tells.
void write_figures(Json& json, const KernelFigures& figures) {
  if (figures.registers >= 0) json.key("registers").integer(figures.registers);
  if (figures.spills >= 0) json.key("spills").integer(figures.spills);
  if (figures.occupancy >= 0) json.key("occupancy").integer(figures.occupancy);
  if (figures.shared_bytes >= 0) json.key("shared_bytes").integer(figures.shared_bytes);
}

std::string tune_json(const Tuner& tuner, const MadeProgram& made, const std::string& model, const std::string& path) {
  Json json;
  json.open('{');
  json.key("model").string(model);
  json.key("device").string(made.device.name());
  json.key("driver").string(made.device.driver());
  json.key("observations").string(path);
  json.key("rounds").integer(tuner.round_count());
  json.key("schedules_timed").integer(tuner.tried_count());
  if (const std::optional<MeasuredRates>& rates = tuner.measured_rates()) {
    json.key("rates").open('{');
    json.key("dram_bytes_per_us").integer(rates->dram_bytes_per_us);
    json.key("fma_per_us").integer(rates->fma_per_us);
    json.key("launch_ns").integer(rates->launch_ns);
    json.key("kept").boolean(tuner.rates_are_kept());
    write_pairs(json, tuner.rates_times());
    json.close('}');
  }
  if (tuner.model_times().count() != 0) {
    json.key("run").open('{');
    write_pairs(json, tuner.model_times());
    json.close('}');
  }
  json.key("kernels").open('[');
  for (const TunedKernel& k : tuner.kernels()) {
    json.open('{');
    json.key("kernel").string(k.kernel).key("key").string(k.key).key("schedule").string(k.schedule);
    write_pairs(json, k.times);
    json.close('}');
  }
  json.close(']');
  json.key("compiled").open('[');
  for (const auto& [kernel, figures] : tuner.compiled()) {
    json.open('{');
    json.key("key").string(kernel.first).key("schedule").string(kernel.second);
    write_figures(json, figures);
    json.close('}');
  }
  json.close(']').close('}');
  return json.text();
}

// Readers see the file that was there or the whole new one.
Status replace_file(const std::string& path, const std::string& text) {
  const std::string temporary = path + ".part";
  if (Status s = write_file(temporary, std::as_bytes(std::span(text))); !s) return s;
  std::error_code failed;
  std::filesystem::rename(native_path(temporary), native_path(path), failed);
  if (!failed) return {};
  std::error_code ignored;
  std::filesystem::remove(native_path(temporary), ignored);
  return Error{TUFF_IO, "Cannot write '" + path + "': " + failed.message() + "."};
}

// Before minutes are spent on what cannot be written.
Status check_writable(const std::string& path) {
  const std::string temporary = path + ".part";
  if (Status s = write_file(temporary, {}); !s) return s;
  std::error_code ignored;
  std::filesystem::remove(native_path(temporary), ignored);
  return {};
}

int tune(const Arguments& arguments) {
  const std::string path(arguments.value("--output"));
  if (path.empty()) return usage_error("Say with '-o FILE' where the observations should be.");
  Result<int64_t> budget_s = arguments.integer("--budget", 60, 1, 1'000'000);
  if (!budget_s) return exit_for(budget_s.error());
  Result<int64_t> share = arguments.integer("--share", 95, 1, 100);
  if (!share) return exit_for(share.error());
  Result<bool> artifact = is_artifact(arguments);
  if (!artifact) return exit_for(artifact.error());
  if (*artifact) return usage_error("An artifact's schedules are compiled; tune the model that it was made of.");
  Result<ProgramOptions> options = read_program_options(arguments);
  if (!options) return exit_for(options.error());
  if (Status s = check_writable(path); !s) return exit_for(s.error());

  const Budget budget(*budget_s);
  Result<MadeProgram> made = make_program(arguments, true, true);
  if (!made) return exit_for(made.error());
  Tuner tuner(*made, *options, budget, static_cast<double>(*share) / 100, !arguments.has("--no-rates"));
  if (Status s = tuner.tune(); !s) return exit_for(s.error());
  end_progress();
  const std::string text = "# tuff tune: " + made->device.name() + ", " + made->device.driver() + "\n" + tuner.observations();
  if (Status s = replace_file(path, text); !s) return exit_for(s.error());
  if (arguments.has("--json"))
    std::printf("%s\n", tune_json(tuner, *made, arguments.positional()[0], path).c_str());
  else
    print_tuned(tuner, path);
  return kExitOk;
}

}  // namespace

const Verb kTuneVerb = {
    "tune",
    "MODEL.onnx -o OBSERVATIONS.txt [--budget SECONDS] [options]",
    "time schedules of the kernels that matter, and write those that are faster",
    "  tuff tune model.onnx -o gpu.txt\n"
    "  tuff run model.onnx -i input=x.npy -o out/ --observations gpu.txt\n"
    "  tuff tune model.onnx -o gpu.txt --observations gpu.txt --budget 600 --dim height=480 --dim width=640\n"
    "What is written holds for such a device and driver. A schedule is kept if its kernel and the whole model are\n"
    "measurably faster with it, in turn with the schedule before; the device's rates are measured, too, and kept if the model\n"
    "that is planned by them is faster. Inputs that are not given are random.\n"
    "Where the driver tells registers, spills and occupancy, each schedule that was compiled has a line\n"
    "  compiled \"KEY\" \"SCHEDULE\" registers N spills N occupancy N shared_bytes N\n"
    "with its figures, in the driver's units. A predicted schedule that spills gives way to the next that takes fewer\n"
    "registers, unless the one that spills is measurably faster.\n",
    join({{{"--output", "-o", "FILE", "where the observations are written, with what --observations brought"},
           {"--budget", nullptr, "SECONDS", "about how long tuning may take; default: 60"},
           {"--share", nullptr, "PERCENT", "of the time: the longest kernels that take so much are tuned; default: 95"},
           {"--no-rates", nullptr, nullptr, "leave the rates of the cost model as they are"},
           {"--json", nullptr, nullptr, "one JSON object, with times in nanoseconds"}},
          input_options(),
          model_options(),
          device_options(),
          program_options()}),
    tune};

}  // namespace tuff::cli
