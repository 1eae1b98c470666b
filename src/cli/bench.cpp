// tuff bench: how long a model takes, from its file to its outputs, and what it costs in dispatches and bytes.
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <numeric>

#include "cli/clock.h"
#include "cli/execute.h"
#include "cli/json.h"
#include "cli/made_program.h"
#include "cli/model_inputs.h"

namespace tuff::cli {
namespace {

// Processor time of all threads of the process, and of the calling one. 0 where the system does not tell.
#ifdef CLOCK_PROCESS_CPUTIME_ID
uint64_t cpu_time_ns(clockid_t clock) {
  timespec time{};
  return clock_gettime(clock, &time) == 0
             ? static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec)
             : 0;
}
uint64_t process_cpu_ns() { return cpu_time_ns(CLOCK_PROCESS_CPUTIME_ID); }
uint64_t thread_cpu_ns() { return cpu_time_ns(CLOCK_THREAD_CPUTIME_ID); }
#else
uint64_t process_cpu_ns() { return 0; }
uint64_t thread_cpu_ns() { return 0; }
#endif

// The value that a share of the samples does not exceed (nearest rank).
uint64_t percentile(const std::vector<uint64_t>& sorted, double share) {
  size_t rank = static_cast<size_t>(share * static_cast<double>(sorted.size()) + 0.999999);
  return sorted[std::clamp<size_t>(rank, 1, sorted.size()) - 1];
}

struct Measured {
  std::vector<uint64_t> wall_ns, device_ns;  // sorted
  uint64_t cpu_ns = 0, host_ns = 0;          // processor time a run: of all threads, of the one that asks for it
  uint64_t first_run_ns = 0, prepare_ns = 0, compile_ns = 0;
  tuff_session_info_t session = TUFF_SESSION_INFO_INIT;
  uint64_t submits_a_run = 0;
  tuff_program_info_t program = TUFF_PROGRAM_INFO_INIT;
  std::vector<StageTime> stages;
};

struct Counts {
  int64_t runs = 20, warmup = 3;
};

// Device times come from a session of their own: timestamps cost a little.
Status measure_device(const Program& program, SessionOptions options, std::span<const Tensor> inputs, int64_t runs,
                      Measured& measured) {
  options.timestamps = true;
  Result<Session> session = Session::create(program, options);
  if (!session) return session.error();
  if (Status s = session->prepare_inputs(inputs); !s) return s;
  for (int64_t i = 0; i < runs; ++i) {
    if (Status s = session->run(inputs); !s) return s;
    std::vector<uint64_t> times = session->dispatch_times();
    if (times.empty()) return {};
    measured.device_ns.push_back(std::accumulate(times.begin(), times.end(), uint64_t{0}));
  }
  std::sort(measured.device_ns.begin(), measured.device_ns.end());
  return {};
}

Status measure_wall(const Program& program, const SessionOptions& options, const Model& model, std::span<const Tensor> inputs,
                    const Counts& counts, Measured& measured) {
  Result<Session> session = Session::create(program, options);
  if (!session) return session.error();
  uint64_t start = clock_ns();
  if (Status s = session->prepare_inputs(inputs); !s) return s;
  measured.prepare_ns = clock_ns() - start;
  Result<std::vector<NamedTensor>> outputs = output_tensors(*session, model);
  if (!outputs) return outputs.error();
  std::vector<Tensor> results;
  for (NamedTensor& output : *outputs) results.push_back(output.tensor.view());
  // The first run is counted apart: some drivers compile in it.
  start = clock_ns();
  if (Status s = session->run(inputs, results); !s) return s;
  measured.first_run_ns = clock_ns() - start;
  for (int64_t i = 0; i < counts.warmup; ++i) {
    if (Status s = session->run(inputs, results); !s) return s;
  }
  uint64_t submits = session->info().device_submits;
  const uint64_t cpu_start = process_cpu_ns(), host_start = thread_cpu_ns();
  for (int64_t i = 0; i < counts.runs; ++i) {
    start = clock_ns();
    if (Status s = session->run(inputs, results); !s) return s;
    measured.wall_ns.push_back(clock_ns() - start);
  }
  measured.cpu_ns = (process_cpu_ns() - cpu_start) / static_cast<uint64_t>(counts.runs);
  measured.host_ns = (thread_cpu_ns() - host_start) / static_cast<uint64_t>(counts.runs);
  measured.session = session->info();
  measured.submits_a_run = (measured.session.device_submits - submits) / static_cast<uint64_t>(counts.runs);
  std::sort(measured.wall_ns.begin(), measured.wall_ns.end());
  return {};
}

void write_times(Json& json, const char* name, const std::vector<uint64_t>& sorted) {
  json.key(name);
  json.open('{');
  json.key("min").integer(static_cast<int64_t>(sorted.front()));
  json.key("p50").integer(static_cast<int64_t>(percentile(sorted, 0.5)));
  json.key("p90").integer(static_cast<int64_t>(percentile(sorted, 0.9)));
  json.key("p99").integer(static_cast<int64_t>(percentile(sorted, 0.99)));
  json.close('}');
}

std::string as_json(const Measured& m, const Model& model, const Device& device, const Arguments& arguments) {
  Json json;
  auto number = [&](const char* name, uint64_t v) { json.key(name).integer(static_cast<int64_t>(v)); };
  json.open('{');
  json.key("model").string(arguments.positional()[0]);
  json.key("device").string(device.name());
  json.key("driver").string(device.driver());
  json.key("exact").boolean(m.program.exact != 0);
  if (!arguments.positional()[0].ends_with(".tuff"))
    json.key("fuse").boolean(!arguments.has("--no-fuse"));  // an artifact does not say
  number("runs", m.wall_ns.size());
  write_times(json, "wall_ns", m.wall_ns);
  if (!m.device_ns.empty()) write_times(json, "device_ns", m.device_ns);
  if (m.cpu_ns != 0) number("cpu_ns", m.cpu_ns);
  if (m.host_ns != 0) number("host_ns", m.host_ns);
  number("first_run_ns", m.first_run_ns);
  number("load_ns", model.load_time_ns());
  number("compile_ns", m.compile_ns);
  json.key("stages_ns").open('{');
  for (const StageTime& stage : m.stages) number(stage.stage.c_str(), stage.time_ns);
  json.close('}');
  number("prepare_ns", m.prepare_ns);
  number("kernel_count", m.program.kernel_count);
  number("dispatch_count", m.session.dispatch_count);
  number("submit_count", m.submits_a_run);
  number("barrier_count", m.session.barrier_count);
  number("arena_bytes", m.session.arena_bytes);
  number("buffer_bytes", m.session.buffer_bytes);
  number("weight_bytes", m.program.weight_bytes);
  json.close('}');
  return json.text();
}

void print_table(const Measured& m, const Model& model, const Device& device) {
  auto ms = [](uint64_t ns) { return static_cast<double>(ns) * 1e-6; };
  auto mib = [](uint64_t bytes) { return static_cast<double>(bytes) / 1048576.0; };
  std::printf("device       %s (%s)\n", device.name().c_str(), device.driver().c_str());
  std::printf("run          %.3f ms median of %zu; min %.3f, p90 %.3f, p99 %.3f\n", ms(percentile(m.wall_ns, 0.5)),
              m.wall_ns.size(), ms(m.wall_ns.front()), ms(percentile(m.wall_ns, 0.9)), ms(percentile(m.wall_ns, 0.99)));
  if (!m.device_ns.empty()) {
    std::printf("on device    %.3f ms median; min %.3f\n", ms(percentile(m.device_ns, 0.5)), ms(m.device_ns.front()));
  }
  if (m.cpu_ns != 0)
    std::printf("processor    %.3f ms a run on all threads, %.3f ms on the calling one\n", ms(m.cpu_ns), ms(m.host_ns));
  std::printf("first run    %.3f ms; load %.3f, compile %.3f, prepare %.3f\n", ms(m.first_run_ns), ms(model.load_time_ns()),
              ms(m.compile_ns), ms(m.prepare_ns));
  std::printf("dispatches   %u in %llu submits, %u barriers\n", m.session.dispatch_count,
              static_cast<unsigned long long>(m.submits_a_run), m.session.barrier_count);
  std::printf("memory       weights %.2f MiB, arena %.2f MiB, all buffers of this shape %.2f MiB\n",
              mib(m.program.weight_bytes), mib(m.session.arena_bytes), mib(m.session.buffer_bytes));
}

int bench(const Arguments& arguments) {
  Result<int64_t> runs = arguments.integer("--runs", 20, 1, 1000000);
  if (!runs) return exit_for(runs.error());
  Result<int64_t> warmup = arguments.integer("--warmup", 3, 0, 1000000);
  if (!warmup) return exit_for(warmup.error());
  Result<SessionOptions> options = read_session_options(arguments);
  if (!options) return exit_for(options.error());
  Result<MadeProgram> made = make_program(arguments, true);
  if (!made) return exit_for(made.error());

  Measured measured;
  measured.compile_ns = made->make_ns;
  measured.program = made->program.info();
  measured.stages = made->program.stage_times();
  std::vector<Tensor> views;
  for (HostTensor& input : made->inputs) views.push_back(input.view());
  if (Status s = measure_wall(made->program, *options, made->model, views, {*runs, *warmup}, measured); !s)
    return exit_for(s.error());
  if (made->device.info().has_timestamps) {
    if (Status s = measure_device(made->program, *options, views, std::min<int64_t>(*runs, 10), measured); !s)
      return exit_for(s.error());
  }
  if (arguments.has("--json"))
    std::printf("%s\n", as_json(measured, made->model, made->device, arguments).c_str());
  else
    print_table(measured, made->model, made->device);
  return kExitOk;
}

}  // namespace

const Verb kBenchVerb = {"bench",
                         "MODEL.onnx|M.tuff [--runs N] [--json] [options]",
                         "measure a model, from its file to its outputs",
                         "  tuff bench resnet18.onnx\n"
                         "  tuff bench model.onnx --runs 100 --warmup 10 --json\n"
                         "  tuff bench model.onnx --dim height=480 --dim width=640 --no-fuse\n"
                         "Inputs that are not given are random. A run is timed with its inputs' and outputs' copies.\n",
                         join({{{"--runs", nullptr, "N", "how many runs are timed; default: 20"},
                                {"--warmup", nullptr, "N", "how many go before them; default: 3"},
                                {"--json", nullptr, nullptr, "one JSON object"}},
                               input_options(),
                               model_options(),
                               device_options(),
                               program_options(),
                               session_options()}),
                         bench};

}  // namespace tuff::cli
