// FAULTS, row 13: allocation N of ours fails, once and from then on, for every N: in the load of a model or an artifact, the
// compile, the prepare and the run. Each call then answers OUT_OF_MEMORY or succeeds, a session goes on once there is memory
// again, and what was made can be released.
//
// A program of its own, since it replaces operator new for the library too.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <new>
#include <string>

#define DOCTEST_CONFIG_IMPLEMENT  // of it onnx_writer.h alone has need
#include "unit/model/onnx_writer.h"

#include "api/handles.h"
#include "backend/null/null_device.h"
#include "temporary_folder.h"

namespace {

std::atomic<long> until_failure = -1;  // -1: none fails
std::atomic<bool> fails_on = false;    // and all later ones
std::atomic<long> failures = 0;

bool fails_now() {
  long left = until_failure.load();
  if (left < 0) return false;
  if (left > 0) {
    until_failure = left - 1;
    return false;
  }
  if (!fails_on) until_failure = -1;
  ++failures;
  return true;
}

}  // namespace

void* operator new(size_t size) {
  void* p = fails_now() ? nullptr : std::malloc(size ? size : 1);
  if (!p) throw std::bad_alloc();
  return p;
}
void* operator new[](size_t size) { return operator new(size); }
void* operator new(size_t size, const std::nothrow_t&) noexcept { return fails_now() ? nullptr : std::malloc(size ? size : 1); }
void* operator new[](size_t size, const std::nothrow_t& tag) noexcept { return operator new(size, tag); }
// Not inlined: GCC warns of a free() that it sees beside a new.
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { operator delete(p); }
void operator delete(void* p, size_t) noexcept { operator delete(p); }
void operator delete[](void* p, size_t) noexcept { operator delete(p); }

namespace {

// What is run, from what, on what.
enum class Source { kGraph, kOnnx, kArtifact };
enum class On {
  kCpu,
  kNull,  // the null device: all that a driver's device is, but for the driver
};

struct Case {
  const char* name;
  Source source;
  On on;
  std::string bytes = {};       // of the ONNX model or the artifact
  std::string graph_path = {};  // of the graph
  tuff_device_t* device = nullptr;
};

constexpr float kInput[4] = {1, 2, 3, 4}, kOutput[4] = {1.25f, 2.5f, 3.75f, 5};

// One life: load, compile, prepare, run. False at the first call that fails; `status` and `error` tell of it.
struct Attempt {
  const Case& what;

  tuff_model_t* model = nullptr;
  tuff_program_t* program = nullptr;
  tuff_session_t* session = nullptr;
  tuff_error_t* error = nullptr;
  tuff_status_t status = TUFF_OK;
  const char* stage = "";
  bool has_output = true;

  bool done(const char* name, tuff_status_t s) {
    stage = name;
    status = s;
    return s == TUFF_OK;
  }

  bool make() {
    if (what.source == Source::kArtifact) {
      if (!done("load artifact",
                tuff_program_load_memory(what.device, what.bytes.data(), what.bytes.size(), nullptr, &program, &error)))
        return false;
    } else {
      const bool is_graph = what.source == Source::kGraph;
      if (!done("load", is_graph
                            ? tuff_model_load_file(what.graph_path.data(), what.graph_path.size(), nullptr, &model, &error)
                            : tuff_model_load_memory(what.bytes.data(), what.bytes.size(), "m", 1, nullptr, &model, &error)))
        return false;
      if (!done("compile", tuff_program_create(what.device, model, nullptr, &program, &error))) return false;
    }
    tuff_session_desc_t desc = TUFF_SESSION_DESC_INIT;
    desc.submit_time_limit_ns = 1;  // the second run records once more
    return done("session", tuff_session_create(program, &desc, &session, &error));
  }

  // Twice: once in one call, once as a run in flight.
  bool run() {
    if (!done("prepare", tuff_session_prepare(session, nullptr, 0, &error))) return false;
    float x[4], y[4] = {}, z[4] = {};
    std::copy(kInput, kInput + 4, x);
    tuff_tensor_desc_t in = TUFF_TENSOR_DESC_INIT, out = TUFF_TENSOR_DESC_INIT;
    in.data = x;
    out.data = y;
    in.size_bytes = out.size_bytes = sizeof x;
    if (!done("run", tuff_session_run(session, &in, 1, &out, 1, &error))) return false;
    out.data = z;
    tuff_run_desc_t desc = TUFF_RUN_DESC_INIT;
    desc.inputs = &in;
    desc.outputs = &out;
    desc.input_count = desc.output_count = 1;
    tuff_run_t* in_flight = nullptr;
    if (!done("submit", tuff_session_submit(session, &desc, &in_flight, &error))) return false;
    const bool waited = done("wait", tuff_run_wait(in_flight, TUFF_WAIT_FOREVER, nullptr, &error));
    tuff_run_release(in_flight);
    if (!waited) return false;
    has_output = what.on == On::kNull || (std::equal(y, y + 4, kOutput) && std::equal(z, z + 4, kOutput));
    return has_output;
  }

  bool live() { return make() && run(); }

  ~Attempt() {
    tuff_error_release(error);
    tuff_session_release(session);
    tuff_program_release(program);
    tuff_model_release(model);
  }
};

bool complain(const Case& what, long n, const Attempt& attempt, const char* wrong) {
  std::printf("%s: allocation %ld failed: %s (%s, status %d)\n", what.name, n, wrong, attempt.stage, attempt.status);
  return false;
}

// The life in which allocation n failed: what it was told, and what it can still do.
bool check(const Case& what, long n, Attempt& attempt, bool lived) {
  if (!attempt.has_output) return complain(what, n, attempt, "success came with a wrong output");
  // A call may do without what it could not have (a cache, a log line); else the status says why.
  if (!lived && attempt.status != TUFF_OUT_OF_MEMORY) return complain(what, n, attempt, "the status is another");
  if (!lived && tuff_error_status(attempt.error) != TUFF_OUT_OF_MEMORY)
    return complain(what, n, attempt, "there is no error of that status");
  if (lived || !attempt.session) return true;
  tuff_error_release(attempt.error);
  attempt.error = nullptr;
  return attempt.run() || complain(what, n, attempt, "its session is not usable any more");
}

bool try_all(const Case& what, bool and_later) {
  for (long n = 0;; ++n) {
    Attempt attempt{what};
    fails_on = and_later;
    failures = 0;
    until_failure = n;
    const bool lived = attempt.live();
    until_failure = -1;
    if (failures == 0) {
      std::printf("%s, %s: each of %ld allocations failed\n", what.name, and_later ? "from N on" : "once", n);
      return lived || complain(what, n, attempt, "no allocation failed");
    }
    if (!check(what, n, attempt, lived)) return false;
    if (n % 64 != 0) continue;
    Attempt again{what};
    if (!again.live()) return complain(what, n, again, "afterwards nothing works any more");
  }
}

// ---- What the cases are made of, with all the memory they want ----

// y = x + (0.25, 0.5, 0.75, 1).
std::string onnx_bytes() {
  return onnx_test::Model()
      .input("x", {1, 4})
      .initializer(onnx_test::floats("w", {4}, {0.25f, 0.5f, 0.75f, 1}))
      .node("Add", {"x", "w"}, {"y"})
      .output("y")
      .bytes();
}

tuff_device_t* cpu() {
  tuff_device_desc_t desc = TUFF_DEVICE_DESC_INIT;
  desc.selector = "cpu";
  desc.allow_software = 1;
  tuff_device_t* device = nullptr;
  return tuff_device_open(&desc, &device, nullptr) == TUFF_OK ? device : nullptr;
}

constexpr const char kDevice[] = "name \"some device\"\n";

// No host can open it: this program is built of the API's own objects.
tuff_device_t* null_device() {
  tuff::Result<tuff::DeviceInfo> info = tuff::parse_device_info(kDevice, "x");
  if (!info.ok()) return nullptr;
  auto* device = new tuff_device();
  device->target = {tuff::TargetKind::kDevice, *info, tuff::open_null_device(*info)};
  return device;
}

std::string artifact_bytes(const std::string& onnx, tuff_device_t* device) {
  tuff_model_t* model = nullptr;
  std::string bytes;
  const TemporaryFolder folder;
  const std::string path = folder.at("m.tuff");
  if (tuff_model_load_memory(onnx.data(), onnx.size(), "m", 1, nullptr, &model, nullptr) == TUFF_OK &&
      tuff_artifact_write_file(model, &device, 1, nullptr, path.c_str(), TUFF_TEXT_END, nullptr) == TUFF_OK) {
    std::ifstream in(path, std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(in), {});
  }
  tuff_model_release(model);
  return bytes;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::string onnx = onnx_bytes(), graph_path = argv[1];
  tuff_device_t *on_cpu = cpu(), *on_null = null_device();
  const std::string artifact = on_null ? artifact_bytes(onnx, on_null) : "";
  if (!on_cpu || artifact.empty()) {
    std::printf("what is needed could not be made\n");
    return 1;
  }
  const Case cases[] = {
      {"a graph on the CPU", Source::kGraph, On::kCpu, {}, graph_path, on_cpu},
      {"an ONNX model on the CPU", Source::kOnnx, On::kCpu, onnx, {}, on_cpu},
      {"an artifact on the CPU", Source::kArtifact, On::kCpu, artifact, {}, on_cpu},
      {"an artifact on the null device", Source::kArtifact, On::kNull, artifact, {}, on_null},
      {"an ONNX model on the null device", Source::kOnnx, On::kNull, onnx, {}, on_null},
  };
  bool ok = true;
  for (const Case& what : cases)
    for (bool and_later : {false, true}) ok = try_all(what, and_later) && ok;
  for (tuff_device_t* device : {on_cpu, on_null}) tuff_device_release(device);
  return ok ? 0 : 1;
}
