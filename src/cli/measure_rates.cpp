#include "cli/measure_rates.h"

#include <algorithm>
#include <string>
#include <vector>

#include "cli/clock.h"
#include "cli/execute.h"
#include "cli/host_tensor.h"
#include "cli/paired_times.h"

namespace tuff::cli {
namespace {

// A message of protobuf's as it is written.
class WrittenMessage {
 public:
  WrittenMessage& number(uint64_t field, uint64_t v) {
    varint(field << 3);
    varint(v);
    return *this;
  }
  WrittenMessage& text(uint64_t field, const std::string& v) {
    varint(field << 3 | 2);
    varint(v.size());
    bytes_ += v;
    return *this;
  }
  WrittenMessage& message(uint64_t field, const WrittenMessage& m) { return text(field, m.bytes_); }
  const std::string& bytes() const { return bytes_; }

 private:
  void varint(uint64_t v) {
    for (; v >= 0x80; v >>= 7) bytes_ += static_cast<char>((v & 0x7f) | 0x80);
    bytes_ += static_cast<char>(v);
  }
  std::string bytes_;
};

// An ONNX file of operators without attributes on floats; the numbers are those of onnx.proto's fields.
class SmallModel {
 public:
  SmallModel() { graph_.text(2, "rates"); }

  void node(const std::string& op, const std::vector<std::string>& inputs, const std::string& output) {
    WrittenMessage node;
    for (const std::string& input : inputs) node.text(1, input);
    graph_.message(1, node.text(2, output).text(3, output).text(4, op));
  }
  void input(const std::string& name, const std::vector<int64_t>& shape) {
    graph_.message(11, value(name, shape));
    HostTensor zeros{TUFF_F32, shape, {}};
    uint64_t count = 1;
    for (const int64_t size : shape) count *= static_cast<uint64_t>(size);
    zeros.bytes.resize(count * sizeof(float));
    inputs_.push_back(std::move(zeros));
  }
  void output(const std::string& name, const std::vector<int64_t>& shape) { graph_.message(12, value(name, shape)); }

  Result<Session> session(const Device& device, const ProgramOptions& options) {
    constexpr uint64_t kOperatorSet = 13;
    WrittenMessage model;
    model.number(1, 8).message(7, graph_).message(8, WrittenMessage().number(2, kOperatorSet));
    Result<Model> loaded = Model::load_memory(std::as_bytes(std::span(model.bytes())), "rates");
    if (!loaded) return loaded.error();
    Result<Program> program = Program::create(device, *loaded, options);
    if (!program) return program.error();
    return session_with_inputs(*program, inputs_, {});
  }

 private:
  static WrittenMessage value(const std::string& name, const std::vector<int64_t>& shape) {
    WrittenMessage dims;
    for (const int64_t size : shape) dims.message(1, WrittenMessage().number(1, static_cast<uint64_t>(size)));
    return WrittenMessage().text(1, name).message(2,
                                                  WrittenMessage().message(1, WrittenMessage().number(1, 1).message(2, dims)));
  }

  WrittenMessage graph_;
  std::vector<HostTensor> inputs_;
};

// The only kernel's time. The shortest: what disturbs it makes it longer.
Result<uint64_t> kernel_ns(SmallModel& model, const Device& device, const ProgramOptions& options) {
  Result<Session> session = model.session(device, options);
  if (!session) return session.error();
  ProfileOptions runs;
  runs.run_count = 5;
  runs.warmup_count = 1;
  Result<Profile> profile = session->profile(runs);
  if (!profile) return profile.error();
  return std::max<uint64_t>(profile->kernel(0).min_time_ns, 1);
}

// Twice the 128 MiB that Vulkan promises of a buffer: more than most caches hold.
Result<int64_t> measure_memory(const Device& device, const ProgramOptions& options) {
  constexpr int64_t kCount = int64_t{1} << 25;
  SmallModel model;
  model.input("x", {kCount});
  model.node("Neg", {"x"}, "y");
  model.output("y", {kCount});
  Result<uint64_t> time_ns = kernel_ns(model, device, options);
  if (!time_ns) return time_ns.error();
  return 2 * kCount * int64_t{sizeof(float)} * 1000 / static_cast<int64_t>(*time_ns);
}

Result<int64_t> measure_arithmetic(const Device& device, const ProgramOptions& options) {
  constexpr int64_t kSize = 1024;
  SmallModel model;
  model.input("a", {kSize, kSize});
  model.input("b", {kSize, kSize});
  model.node("MatMul", {"a", "b"}, "y");
  model.output("y", {kSize, kSize});
  Result<uint64_t> time_ns = kernel_ns(model, device, options);
  if (!time_ns) return time_ns.error();
  return kSize * kSize * kSize * 1000 / static_cast<int64_t>(*time_ns);
}

// What each kernel of a chain adds to a run, beyond the first.
Result<int64_t> measure_launch(const Device& device, ProgramOptions options) {
  constexpr uint64_t kMore = 64, kPairs = 21;
  options.fuse = false;
  auto chain = [&](uint64_t length) {
    SmallModel model;
    model.input("x0", {64});
    for (uint64_t i = 0; i < length; ++i) model.node("Sigmoid", {"x" + std::to_string(i)}, "x" + std::to_string(i + 1));
    model.output("x" + std::to_string(length), {64});
    return model.session(device, options);
  };
  Result<Session> one = chain(1), many = chain(1 + kMore);
  if (!one) return one.error();
  if (!many) return many.error();
  PairedTimes times;
  for (uint64_t pair = 0; pair <= kPairs; ++pair) {
    const uint64_t start_ns = clock_ns();
    if (Status s = one->run(); !s) return s.error();
    const uint64_t middle_ns = clock_ns();
    if (Status s = many->run(); !s) return s.error();
    if (pair != 0) times.add(middle_ns - start_ns, clock_ns() - middle_ns);  // the first one warms up
  }
  return static_cast<int64_t>((times.after_ns() - std::min(times.before_ns(), times.after_ns())) / kMore);
}

}  // namespace

Result<MeasuredRates> measure_rates(const Device& device, ProgramOptions options) {
  options.observations.clear();
  Result<int64_t> memory = measure_memory(device, options);
  if (!memory) return memory.error();
  Result<int64_t> arithmetic = measure_arithmetic(device, options);
  if (!arithmetic) return arithmetic.error();
  Result<int64_t> launch = measure_launch(device, options);
  if (!launch) return launch.error();
  return MeasuredRates{std::max<int64_t>(*memory, 1), std::max<int64_t>(*arithmetic, 1), std::max<int64_t>(*launch, 1)};
}

}  // namespace tuff::cli
