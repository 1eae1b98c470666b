// The benchmark for one GPU, one workload a process, so that what crashes or hangs ends nothing else (gpu_run):
//
//   gpu pool FOLDER [--small]                 writes the random weights that graphs of full sizes name
//   gpu list                                  the workloads' names
//   gpu head                                  the table's
//   gpu check NAME --graphs FOLDER OPTIONS    is it right?
//   gpu measure NAME --graphs FOLDER OPTIONS  how long does it take?
//   gpu cublas NAME OPTIONS                   cuBLAS' time of the same product, where it is installed
//   gpu report NAME --why TEXT OPTIONS        the row of one that ended without, or of another engine's --device-ms A,B
//
// The last four append a line to --json and a row to --rows. Exit status: 0 done, 1 wrong or failed, 2 usage, 3 cannot be done
// (memory, a precision), which is no failure.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "base/float16.h"
#include "gpu_case.h"
#include "gpu_cublas.h"
#include "gpu_row.h"
#include "gpu_workloads.h"

namespace tuff::bench {
namespace {

struct Options {
  std::string verb, name, graphs, json, rows, device, commit, command, why;
  std::string engine = "tuff", on, driver, device_ms, host_ms;  // of a report
  bool small = false, software = false, mutated = false;
  int run_count = 30;
  uint64_t seed = 1;
};

std::optional<Options> parse(int argc, char** argv) {
  Options o;
  if (argc < 2) return std::nullopt;
  o.verb = argv[1];
  const std::map<std::string, bool*> flags = {{"--small", &o.small}, {"--software", &o.software}, {"--mutated", &o.mutated}};
  const std::map<std::string, std::string*> texts = {
      {"--graphs", &o.graphs}, {"--json", &o.json},           {"--rows", &o.rows},
      {"--device", &o.device}, {"--commit", &o.commit},       {"--command", &o.command},
      {"--why", &o.why},       {"--engine", &o.engine},       {"--on", &o.on},
      {"--driver", &o.driver}, {"--device-ms", &o.device_ms}, {"--host-ms", &o.host_ms}};
  for (int i = 2; i < argc; ++i) {
    const std::string arg = argv[i];
    if (auto flag = flags.find(arg); flag != flags.end()) {
      *flag->second = true;
      continue;
    }
    if (arg.substr(0, 2) != "--" && o.name.empty()) {
      o.name = arg;
      continue;
    }
    if (++i == argc) return std::nullopt;
    if (auto text = texts.find(arg); text != texts.end()) {
      *text->second = argv[i];
    } else if (arg == "--runs") {
      o.run_count = std::max(1, atoi(argv[i]));
    } else if (arg == "--seed") {
      o.seed = strtoull(argv[i], nullptr, 10);
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

// Of small sizes all of the output is held against doubles, then, with other inputs, rows of it; of full sizes rows.
Status check(const Options& o, const Workload& w, Case& run, std::mt19937_64& random, Row& row) {
  if (o.small) {
    if (Status status = check_once(o, w, run, 0, random, row); !status) return status;
  }
  return check_once(o, w, run, w.checked_rows, random, row);
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

// Where no row is independent of the others, a model of one layer stands for the whole when it is checked.
std::string checked_path(const Options& o, const Workload& w) {
  std::string stand_in = o.graphs + "/" + w.name + ".check.onnx";
  return std::filesystem::exists(stand_in) ? stand_in : o.graphs + "/" + w.name + ".onnx";
}

Status run_check(const Options& o, const Workload& w, const Device& device, std::mt19937_64& random, Row& row) {
  auto run = Case::load(device, checked_path(o, w), w.precision);
  if (!run) return run.error();
  return check(o, w, *run, random, row);
}

// Of what is timed every element is seen to be written and finite first.
Status run_measure(const Options& o, const Workload& w, const Device& device, std::mt19937_64& random, Row& row) {
  auto run = Case::load(device, o.graphs + "/" + w.name + ".onnx", w.precision);
  if (!run) return run.error();
  if (Status status = run->draw_inputs(random); !status) return status;
  if (Status status = run->run_poisoned(); !status) return status;
  return measure(o, *run, row);
}

Status run_workload(const Options& o, const Workload& w, Row& row) {
  auto device = Device::open({.selector = o.device, .allow_software = o.software});
  if (!device) return Error{TUFF_INVALID_ARGUMENT, device.error().message};  // a failure: nothing at all is measured
  row.device = device->name();
  row.driver = device->driver();
  std::mt19937_64 random(o.seed);
  return o.verb == "check" ? run_check(o, w, *device, random, row) : run_measure(o, w, *device, random, row);
}

bool append(const std::string& path, const std::string& line) {
  if (path.empty()) return true;
  std::ofstream file(path, std::ios::app);
  file << line << '\n';
  return static_cast<bool>(file.flush());
}

// "1.5,1.6"
std::vector<double> numbers(const std::string& text) {
  std::vector<double> out;
  for (size_t at = 0; at < text.size(); at = std::min(text.find(',', at), text.size() - 1) + 1) {
    out.push_back(atof(text.c_str() + at));
  }
  return out;
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
  row.seed = o.seed;
  row.engine = o.engine;
  row.device = o.on;
  row.driver = o.driver;
  row.clock = "device";
  row.run_count = o.run_count;
  row.device_ms = numbers(o.device_ms);
  row.host_ms = numbers(o.host_ms);
  if (!row.device_ms.empty()) row.status = "ok";
  return row;
}

bool cannot_be_done(tuff_status_t status) {
  return status == TUFF_UNSUPPORTED || status == TUFF_OUT_OF_MEMORY || status == TUFF_LIMIT;
}

// Adds what was found to the files and prints it. The table has no row of what is merely right.
int report(const Options& o, const Row& row) {
  const bool in_table = row.status != "right";
  if (!append(o.json, json_line(row)) || (in_table && !append(o.rows, table_row(row)))) {
    fprintf(stderr, "gpu: cannot write to %s or %s\n", o.json.c_str(), o.rows.c_str());
    return 1;
  }
  printf("%s\n", table_row(row).c_str());
  if (row.status == "cannot") return 3;
  return row.status == "ok" || row.status == "right" ? 0 : 1;
}

std::string status_of(const Error& error) {
  if (error.status == TUFF_INTERNAL) return "wrong";
  return cannot_be_done(error.status) ? "cannot" : "failed";
}

int check_or_measure(const Options& o, const Workload& w) {
  Row row = row_of(o, w);
  row.status = o.verb == "check" ? "right" : "ok";
  if (Status status = run_workload(o, w, row); !status) {
    row.why = status.error().message;
    row.status = status_of(status.error());
  }
  return report(o, row);
}

// No row where cuBLAS is not installed, only a word.
int cublas_report(const Options& o, const Workload& w) {
  Row row = row_of(o, w);
  row.engine = "cuBLAS";
  if (w.product_size == 0) return 0;
  const std::string missing = measure_cublas(w.product_size, o.run_count, row);
  if (missing.empty()) return report(o, row);
  printf("%s: no row of cuBLAS: %s\n", w.name, missing.c_str());
  return 0;
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
  const Workload* w = find(o->name);
  if (w == nullptr) return 2;
  if (o->verb == "check" || o->verb == "measure") return check_or_measure(*o, *w);
  if (o->verb == "cublas") return cublas_report(*o, *w);
  return o->verb == "report" ? report(*o, row_of(*o, *w)) : 2;
}

}  // namespace
}  // namespace tuff::bench

int main(int argc, char** argv) {
  const int status = tuff::bench::main_of(argc, argv);
  if (status == 2) fputs("usage: gpu VERB [NAME] [options]: see gpu.cpp\n", stderr);
  return status;
}
