// The benchmark for one GPU, one workload a process, so that what crashes or hangs ends nothing else (gpu_run):
//
//   gpu pool FOLDER [--small]                 writes the random weights that graphs of full sizes name
//   gpu list                                  the workloads' names
//   gpu head                                  the table's
//   gpu measure NAME --graphs FOLDER OPTIONS  first is it right, then how long does it take
//   gpu report NAME --why TEXT OPTIONS        the row of one that ended without
//
// measure and report append a line to --json and a row to --rows. Exit status: 0 measured or cannot be done, 1 wrong, 2 usage.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "base/float16.h"
#include "gpu_case.h"
#include "gpu_row.h"
#include "gpu_workloads.h"

namespace tuff::bench {
namespace {

struct Options {
  std::string verb, name, graphs, json, rows, device, commit, command, why;
  bool small = false, software = false, mutated = false, check_only = false;
  int run_count = 30;
  uint64_t seed = 1;
};

std::optional<Options> parse(int argc, char** argv) {
  Options o;
  if (argc < 2) return std::nullopt;
  o.verb = argv[1];
  int i = 2;
  if (i < argc && argv[i][0] != '-') o.name = argv[i++];
  for (; i < argc; ++i) {
    const std::string arg = argv[i];
    if (arg == "--small") {
      o.small = true;
    } else if (arg == "--software") {
      o.software = true;
    } else if (arg == "--mutated") {
      o.mutated = true;
    } else if (arg == "--check-only") {
      o.check_only = true;
    } else if (i + 1 == argc) {
      return std::nullopt;
    } else if (arg == "--graphs") {
      o.graphs = argv[++i];
    } else if (arg == "--json") {
      o.json = argv[++i];
    } else if (arg == "--rows") {
      o.rows = argv[++i];
    } else if (arg == "--device") {
      o.device = argv[++i];
    } else if (arg == "--commit") {
      o.commit = argv[++i];
    } else if (arg == "--command") {
      o.command = argv[++i];
    } else if (arg == "--why") {
      o.why = argv[++i];
    } else if (arg == "--runs") {
      o.run_count = std::max(1, atoi(argv[++i]));
    } else if (arg == "--seed") {
      o.seed = strtoull(argv[++i], nullptr, 10);
    } else {
      return std::nullopt;
    }
  }
  return o;
}

const Workload* find(const std::string& name) {
  for (const Workload& w : kWorkloads) {
    if (w.name == name) return &w;
  }
  return nullptr;
}

// ---- Weights of full sizes --------------------------------------------------------------------------------------------

// Halves or bytes, size_bytes of them, written in pieces. `next` makes one 16-bit word of random bits.
template <class Next>
bool write_pool(const std::string& path, uint64_t size_bytes, uint64_t seed, Next next) {
  std::ofstream file(path, std::ios::binary);
  std::mt19937_64 random(seed);
  std::vector<uint16_t> piece(1 << 20);
  for (uint64_t written = 0; written < size_bytes && file; written += 2 * piece.size()) {
    for (size_t i = 0; i < piece.size(); i += 4) {
      const uint64_t bits = random();
      for (size_t part = 0; part < 4; ++part) piece[i + part] = next(static_cast<uint16_t>(bits >> (16 * part)));
    }
    file.write(reinterpret_cast<const char*>(piece.data()), static_cast<std::streamsize>(2 * piece.size()));
  }
  return static_cast<bool>(file.flush());
}

// The largest tensor is a decoder's last one, of 4096 by 128256; each tensor begins 4096 bytes behind the one before.
bool write_pools(const std::string& folder) {
  constexpr uint64_t kLast = uint64_t{4096} * 128256, kBegins = 4096 * 1024;
  // Uniform, with a root mean square of 1/64: a product of 4096 of them with values of size 1 has size 1.
  auto weight = [](uint16_t bits) { return float_to_half((static_cast<float>(bits) / 32768 - 1) * 1.7320508F / 64); };
  // Four bits less 8 have a root mean square of 4.6, which times such a scale is about 1/64.
  auto scale = [](uint16_t bits) { return float_to_half((0.5F + static_cast<float>(bits) / 65536) / (4.6F * 64)); };
  return write_pool(folder + "/weights.bin", 2 * kLast + kBegins, 1, weight) &&
         write_pool(folder + "/bytes.bin", kLast / 2 + kBegins, 2, [](uint16_t bits) { return bits; }) &&
         write_pool(folder + "/scales.bin", 2 * kLast / 128 + kBegins, 3, scale);
}

// ---- One workload -----------------------------------------------------------------------------------------------------

Status check_once(const Options& o, const Workload& w, Case& run, int rows, std::mt19937_64& random, Row& row) {
  if (Status status = run.draw_inputs(random); !status) return status;
  if (Status status = run.run_poisoned(); !status) return status;
  auto found = check_outputs(run, {rows, w.most_error, o.mutated}, random);
  if (!found) return found.error();
  row.bound_share = std::max(row.bound_share, found->bound_share);
  row.error = std::max(row.error, found->error);
  return {};
}

// Twice, each time with other inputs. Of small sizes all of the output is held against doubles, then rows of it; of full sizes
// rows, or where no row is independent of the others a model of one layer stands for the whole, of which it is seen alone
// that every element is written and finite.
Status check(const Options& o, const Workload& w, const std::string& path, Case& run, std::mt19937_64& random, Row& row) {
  const std::string smaller = path.substr(0, path.size() - strlen(".onnx")) + ".check.onnx";
  std::optional<Case> stand_in;
  if (std::filesystem::exists(smaller)) {
    auto loaded = Case::load(run.device, smaller, w.precision);
    if (!loaded) return loaded.error();
    stand_in = std::move(*loaded);
  }
  Case& checked = stand_in ? *stand_in : run;
  for (int round = 0; round < 2; ++round) {
    const int rows = o.small && round == 0 ? 0 : w.checked_rows;
    if (Status status = check_once(o, w, checked, rows, random, row); !status) return status;
  }
  if (!stand_in) return {};
  if (Status status = run.draw_inputs(random); !status) return status;
  return run.run_poisoned();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

// Each kernel's time of each run, added up over the kernels of the run.
void add_device_times(const Profile& profile, std::vector<double>& out_ms) {
  std::vector<double> runs(profile.info().run_count);
  for (uint32_t k = 0; k < profile.info().kernel_count; ++k) {
    const std::vector<uint64_t> times = profile.kernel_times(k);
    for (size_t i = 0; i < times.size(); ++i) runs[i] += static_cast<double>(times[i]) * 1e-6;
  }
  out_ms.insert(out_ms.end(), runs.begin(), runs.end());
}

Status add_host_times(Session& session, int count, std::vector<double>& out_ms) {
  for (int i = 0; i < count; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    if (Status status = session.run(); !status) return status;
    out_ms.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
  }
  return {};
}

void take_kernels(const Profile& profile, Row& row) {
  const tuff_profile_info_t info = profile.info();
  row.clock = info.host_clock != 0 ? "host" : "device";
  row.dispatch_count = static_cast<int>(info.kernel_count);
  for (uint32_t k = 0; k < info.kernel_count; ++k) {
    row.kernels.push_back({profile.kernel_text(k, TUFF_KERNEL_NAME), profile.kernel_text(k, TUFF_KERNEL_SCHEDULE),
                           static_cast<double>(profile.kernel(k).time_ns) * 1e-6});
  }
  std::stable_sort(row.kernels.begin(), row.kernels.end(), [](const Kernel& a, const Kernel& b) { return a.ms > b.ms; });
  if (row.kernels.size() > 8) row.kernels.resize(8);
}

// What was timed has computed the bits that were found right.
Status same_output(const Case& run, Session& session) {
  HostTensor again = empty_tensor(run.outputs[0].dtype, run.outputs[0].shape);
  if (Status status = session.read_output(0, again.view()); !status) return status;
  if (again.bytes != run.outputs[0].bytes) return Error{TUFF_INTERNAL, "The runs that were timed gave other bits."};
  return {};
}

// Two sessions of the same program in turn. Every workload of full size moves more than an L2 cache of 60 MB holds, but for
// the tiny ones, which are meant to stay there: no buffers are rotated.
Status measure(const Options& o, Case& run, Row& row) {
  auto second = run.second_session();
  if (!second) return second.error();
  Session* sessions[2] = {&run.session, &*second};
  std::vector<double> device_ms[2], host_ms[2];
  const int half = (o.run_count + 1) / 2;
  for (int turn = 0; turn < 4; ++turn) {
    Session& session = *sessions[turn % 2];
    auto profile = session.profile({.run_count = static_cast<uint32_t>(half), .warmup_count = o.small ? 1U : 10U});
    if (!profile) return profile.error();
    add_device_times(*profile, device_ms[turn % 2]);
    if (turn == 0) take_kernels(*profile, row);
    if (Status status = same_output(run, session); !status) return status;
    if (Status status = add_host_times(session, half, host_ms[turn % 2]); !status) return status;
  }
  for (int i = 0; i < 2; ++i) {
    row.device_ms.push_back(median(device_ms[i]));
    row.host_ms.push_back(median(host_ms[i]));
  }
  row.run_count = 2 * half;
  return {};
}

Status run_workload(const Options& o, const Workload& w, Row& row) {
  auto device = Device::open({.selector = o.device, .allow_software = o.software});
  if (!device) return device.error();
  row.device = device->name();
  row.driver = device->driver();
  const std::string path = o.graphs + "/" + w.name + ".onnx";
  auto run = Case::load(*device, path, w.precision);
  if (!run) return run.error();
  std::mt19937_64 random(o.seed);
  if (Status status = check(o, w, path, *run, random, row); !status) {
    if (status.error().status == TUFF_INTERNAL) row.status = "wrong";
    return status;
  }
  return o.check_only ? Status() : measure(o, *run, row);
}

bool append(const std::string& path, const std::string& line) {
  if (path.empty()) return true;
  std::ofstream file(path, std::ios::app);
  file << line << '\n';
  return static_cast<bool>(file.flush());
}

Row row_of(const Options& o, const Workload& w) {
  Row row;
  row.workload = w.name;
  row.what = w.what;
  row.small = o.small;
  row.by_host = w.by_host;
  row.floor_ms = w.floor_ms;
  row.commit = o.commit;
  row.command = o.command;
  row.why = o.why;
  return row;
}

// What cannot be done (memory, a precision) is told and is no failure.
bool cannot_be_done(tuff_status_t status) {
  return status == TUFF_UNSUPPORTED || status == TUFF_OUT_OF_MEMORY || status == TUFF_LIMIT;
}

int measure_or_report(const Options& o) {
  const Workload* w = find(o.name);
  if (w == nullptr) return 2;
  Row row = row_of(o, *w);
  int exit_status = o.verb == "report" ? 1 : 0;
  if (o.verb == "measure") {
    row.status = "ok";
    if (Status status = run_workload(o, *w, row); !status) {
      row.why = status.error().message;
      if (row.status == "ok") row.status = cannot_be_done(status.error().status) ? "cannot" : "failed";
      exit_status = row.status == "cannot" ? 0 : 1;
    }
  }
  if (row.status == "ok" && o.check_only) {
    printf("%-13s right: %.2g of the bounds, error %.2g\n", w->name, row.bound_share, row.error);
    return 0;
  }
  if (!append(o.json, json_line(row)) || !append(o.rows, table_row(row))) {
    fprintf(stderr, "gpu: cannot write to %s or %s\n", o.json.c_str(), o.rows.c_str());
    return 1;
  }
  printf("%s\n", table_row(row).c_str());
  return exit_status;
}

int main_of(int argc, char** argv) {
  const std::optional<Options> o = parse(argc, argv);
  if (!o) return 2;
  if (o->verb == "list") {
    for (const Workload& w : kWorkloads) printf("%s\n", w.name);
    return 0;
  }
  if (o->verb == "head") return puts(table_head().c_str()) < 0 ? 1 : 0;
  if (o->verb == "pool") return write_pools(o->name) ? 0 : 1;
  return o->verb == "measure" || o->verb == "report" ? measure_or_report(*o) : 2;
}

}  // namespace
}  // namespace tuff::bench

int main(int argc, char** argv) {
  const int status = tuff::bench::main_of(argc, argv);
  if (status == 2) fputs("usage: gpu VERB [NAME] [options]: see gpu.cpp\n", stderr);
  return status;
}
