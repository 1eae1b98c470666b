#include "kernels/run_graph.h"

#include <algorithm>

#include "codegen/codegen.h"
#include "fusion/fusion.h"
#include "kernel/make_kernels.h"
#include "layout/isolate_stored_values.h"
#include "plan/in_place.h"
#include "plan/make_plan.h"
#include "session/session.h"

namespace tuff {

Result<std::shared_ptr<Device>> test_device() {
  static Result<std::shared_ptr<Device>> device = [] {
    OpenOptions options;
    options.allow_software = true;
    return open_device("", options);
  }();
  return device;
}

namespace {

Status write_input(Session& session, size_t index, const Tensor& t) {
  return session.write_input(index, {t.dtype, t.shape, dense_byte_strides(t.dtype, t.shape), t.bytes.data()});
}

Result<Tensor> read_output(Session& session, size_t index) {
  const BoundTensor& output = session.prepared()->outputs[index];
  Tensor t{output.dtype, output.shape, {}};
  t.bytes.resize(static_cast<size_t>(t.element_count() * dtype_size_bytes(t.dtype)));
  TUFF_TRY(session.read_output(index, {t.dtype, t.shape, dense_byte_strides(t.dtype, t.shape), t.bytes.data()}));
  return t;
}

bool is_constant(const Dims& shape) {
  return std::all_of(shape.begin(), shape.end(), [](const IntExpr& size) { return size.is_constant(); });
}

// Outputs that can be written over inputs, each of either once.
std::vector<InPlace> in_place_pairs(const Plan& plan) {
  std::vector<InPlace> pairs;
  std::vector<bool> taken(plan.graph.inputs.size());
  for (size_t output = 0; output < plan.graph.outputs.size(); ++output) {
    for (size_t input = 0; input < plan.graph.inputs.size(); ++input) {
      if (taken[input] || !is_constant(plan.graph.value(plan.graph.inputs[input]).shape) ||
          !can_be_in_place(plan, {output, input}))
        continue;
      taken[input] = true;
      pairs.push_back({output, input});
      break;
    }
  }
  return pairs;
}

// Runs with these pairs as state, three times; what the runs write, and the state after each.
Result<std::vector<Tensor>> run_with_state(const std::shared_ptr<Program>& program, const std::vector<InPlace>& pairs,
                                           bool in_place, const std::vector<Tensor>& inputs,
                                           const std::map<std::string, int64_t>& symbols) {
  SessionOptions options;
  options.cancellable = !in_place;  // then it has two buffers
  TUFF_ASSIGN(auto session, make_session(program, options));
  for (const InPlace& pair : pairs) TUFF_TRY(session->alias(pair.output, pair.input));
  TUFF_TRY(session->prepare(symbols));
  auto is_state = [&](size_t InPlace::*which, size_t index) {
    return std::any_of(pairs.begin(), pairs.end(), [&](const InPlace& pair) { return pair.*which == index; });
  };
  for (size_t i = 0; i < inputs.size(); ++i)
    if (!is_state(&InPlace::input, i)) TUFF_TRY(write_input(*session, i, inputs[i]));
  std::vector<Tensor> out;
  for (int i = 0; i < 3; ++i) {
    TUFF_TRY(run(*session, 60'000'000'000ull));
    for (size_t o = 0; o < session->prepared()->outputs.size(); ++o) {
      if (is_state(&InPlace::output, o)) continue;
      TUFF_ASSIGN(Tensor written, read_output(*session, o));
      out.push_back(std::move(written));
    }
    TUFF_ASSIGN(std::vector<std::byte> state, session->save_state());
    out.push_back({Dtype::kU8, {static_cast<int64_t>(state.size())}, std::move(state)});
  }
  return out;
}

// State that is updated in place has the values of state that is not.
Status check_state_in_place(const std::shared_ptr<Program>& program, const std::vector<InPlace>& pairs,
                            const std::vector<Tensor>& inputs, const std::map<std::string, int64_t>& symbols) {
  const DeviceInfo& info = program->target.info;
  TUFF_ASSIGN(BoundPlan bound, tuff::bind(program->plan, symbols, info, pairs));
  TUFF_TRY(verify(program->plan, bound, info));
  TUFF_ASSIGN(std::vector<Tensor> one, run_with_state(program, pairs, true, inputs, symbols));
  TUFF_ASSIGN(std::vector<Tensor> two, run_with_state(program, pairs, false, inputs, symbols));
  for (size_t i = 0; i < one.size(); ++i)
    if (one[i].bytes != two[i].bytes)
      return internal_error("With state in place, tensor " + std::to_string(i) + " of three runs has other bytes.");
  return ok_status();
}

Result<std::vector<Tensor>> read_outputs(Session& session) {
  std::vector<Tensor> all;
  for (size_t i = 0; i < session.prepared()->outputs.size(); ++i) {
    TUFF_ASSIGN(Tensor t, read_output(session, i));
    all.push_back(std::move(t));
  }
  return all;
}

// What workgroups leave for each other is gone by the next run: the first run's inputs give its bytes again after runs of other
// inputs, whatever order workgroups arrive in.
Status check_repeats(Session& session, const std::vector<Tensor>& inputs) {
  TUFF_ASSIGN(const std::vector<Tensor> first, read_outputs(session));
  for (int round = 0; round < 4; ++round) {
    for (size_t i = 0; i < inputs.size(); ++i) {
      Tensor other = inputs[i];
      if (round % 2 == 0) std::reverse(other.bytes.begin(), other.bytes.end());
      if (other.dtype == Dtype::kF32) TUFF_TRY(write_input(session, i, other));
    }
    TUFF_TRY(run(session, 60'000'000'000ull));
    TUFF_ASSIGN(const std::vector<Tensor> again, read_outputs(session));
    for (size_t i = 0; i < first.size() && round % 2 == 1; ++i)
      if (again[i].bytes != first[i].bytes)
        return internal_error("Output " + std::to_string(i) + " has other bytes when it is computed again.");
  }
  return ok_status();
}

// Nor does it matter how a run is recorded: to be cancelled, in several submits, two at a time, dispatch by dispatch for a
// profile.
Status check_recordings(const std::shared_ptr<Program>& program, const std::vector<Tensor>& inputs,
                        const std::map<std::string, int64_t>& symbols, const std::vector<Tensor>& first) {
  SessionOptions cancellable, split, twice;
  cancellable.cancellable = true;
  split.submit_time_limit_ns = 1;
  twice.in_flight_count = 2;
  for (const SessionOptions& options : {cancellable, split, twice}) {
    TUFF_ASSIGN(auto session, make_session(program, options));
    TUFF_TRY(session->prepare(symbols));
    for (size_t i = 0; i < inputs.size(); ++i) TUFF_TRY(write_input(*session, i, inputs[i]));
    for (int round = 0; round < 3; ++round) {
      if (round == 2) TUFF_TRY(session->profile({}).status());
      TUFF_TRY(run(*session, 60'000'000'000ull));
      TUFF_ASSIGN(const std::vector<Tensor> again, read_outputs(*session));
      for (size_t i = 0; i < first.size(); ++i)
        if (again[i].bytes != first[i].bytes)
          return internal_error("Output " + std::to_string(i) + " has other bytes in a session with other recordings.");
    }
  }
  return ok_status();
}

// The kernels' schedules with sums over so many workgroups, whatever the cost model thinks of it.
Observations shared_sums(const std::vector<GuardedKernel>& kernels, int64_t parts) {
  Observations observations;
  for (const GuardedKernel& guarded : kernels) {
    const Kernel& kernel = guarded.kernel;
    std::string text = kernel.schedule;
    const std::string count = std::to_string(parts);
    if (kernel.tuning.key.starts_with("contract ")) {
      text.insert(text.find(", exchanged") == std::string::npos ? text.size() : text.find(", exchanged"),
                  ", sums over " + count + " workgroups");
    } else if (kernel.tuning.key.starts_with("gemv ")) {
      int64_t lanes = 1;
      while (lanes * parts < std::stoll(text)) lanes *= 2;
      lanes = std::min<int64_t>(lanes, kernel.workgroup[1]);
      const std::string over = " over ";
      text =
          text.substr(0, text.find(over)) + over + std::to_string(lanes) + " invocations of each of " + count + " workgroups";
    } else {
      continue;
    }
    observations.schedules[kernel.tuning.key] = text;
  }
  return observations;
}

DeviceInfo device_in(const RunMode& mode, const DeviceInfo& own) {
  DeviceInfo info = own;
  if (mode.rates) info.rates = *mode.rates;
  if (mode.byte_dots != ByteDots::kOfDevice) {
    info.integer_dot_product = mode.byte_dots != ByteDots::kNone;
    info.integer_dot_product_mixed = mode.byte_dots == ByteDots::kMixed;
  }
  return info;
}

struct MadePlan {
  Plan plan;
  size_t refused_count = 0;  // RunResult's
};

Result<MadePlan> plan_in(const RunMode& mode, const Graph& source, const DeviceInfo& info) {
  TUFF_TRY(verify(source));
  Graph graph = isolate_stored_values(source);
  TUFF_TRY(verify(graph));
  Layouts layouts = choose_layouts(graph, info);
  TUFF_ASSIGN(Fusion fusion, fuse(graph, layouts, {mode.fuse, mode.exact, {}, compiles_cooperative_matrices()}, info, {}));
  for (Group& group : fusion.groups)
    if (mode.winograd && group.kind == AnchorKind::kWindow &&
        std::get<WindowAttrs>(graph.node(group.anchor).attrs).is_plain_3x3())
      group.winograd = true;
  TUFF_TRY(verify(fusion, graph));
  MadePlan made;
  std::vector<std::vector<GuardedKernel>> groups;
  for (const Group& group : fusion.groups) {
    TUFF_ASSIGN(auto kernels, make_kernels({graph, layouts, fusion, group, info, mode.exact}));
    if (mode.parts > 0) {
      const Observations observations = shared_sums(kernels, mode.parts);
      TUFF_ASSIGN(kernels, make_kernels({graph, layouts, fusion, group, info, mode.exact, &observations}));
    }
    for (const GuardedKernel& guarded : kernels)
      made.refused_count += guarded.kernel.tuning.source == KernelTuning::Source::kRefused;
    groups.push_back(std::move(kernels));
  }
  std::vector<std::vector<int>> orders;
  for (const StorageFormat& f : layouts.formats) orders.push_back(f.order);
  TUFF_ASSIGN(made.plan, make_plan(graph, std::move(orders), std::move(groups)));
  TUFF_TRY(verify(made.plan));
  return made;
}

}  // namespace

Result<std::vector<std::string>> kernel_schedules(const Graph& graph, const std::shared_ptr<Device>& device,
                                                  const RunMode& mode) {
  TUFF_ASSIGN(const MadePlan made, plan_in(mode, graph, device_in(mode, device->info())));
  std::vector<std::string> schedules;
  for (const Kernel& kernel : made.plan.kernels) schedules.push_back(kernel.skeleton + ", " + schedule_text(kernel));
  return schedules;
}

Result<RunResult> run_graph(const Graph& source, const std::shared_ptr<Device>& device, const RunMode& mode,
                            const std::vector<Tensor>& inputs, const std::map<std::string, int64_t>& symbols) {
  const DeviceInfo info = device_in(mode, device->info());
  auto program = std::make_shared<Program>();
  program->target = {TargetKind::kDevice, info, device};
  program->exact = mode.exact;
  TUFF_ASSIGN(MadePlan made, plan_in(mode, source, info));
  program->plan = std::move(made.plan);
  RunResult result;
  result.refused_count = made.refused_count;
  result.winograd = winograd_results(program->plan);
  for (const Kernel& k : program->plan.kernels)
    result.sources += "// " + k.name + "\n" + k.source.substr(k.source.find("layout(local")) + "\n";
  CodegenOptions codegen;
  auto compiled = compile_kernels(program->plan.kernels, info, codegen);
  if (!compiled.ok()) return Status(compiled.status().code(), compiled.status().message() + "\n" + result.sources);
  TUFF_ASSIGN(program->pipelines, device->create_pipelines(*compiled, {}));
  TUFF_ASSIGN(program->weights, upload_weights(program->plan, *device));
  TUFF_ASSIGN(BoundPlan bound, tuff::bind(program->plan, symbols, info));
  TUFF_TRY(verify(program->plan, bound, info));
  TUFF_ASSIGN(auto session, make_session(program, {}));
  TUFF_TRY(session->prepare(symbols));
  for (size_t i = 0; i < inputs.size(); ++i) TUFF_TRY(write_input(*session, i, inputs[i]));
  TUFF_TRY(run(*session, 60'000'000'000ull));
  if (bound.counter_bytes > 0) TUFF_TRY(check_repeats(*session, inputs));
  result.counter_bytes = bound.counter_bytes;
  result.dispatch_count = session->prepared()->dispatch_count;
  for (size_t i = 0; i < session->prepared()->outputs.size(); ++i) {
    TUFF_ASSIGN(Tensor t, read_output(*session, i));
    result.outputs.push_back(std::move(t));
  }
  if (bound.counter_bytes > 0) TUFF_TRY(check_recordings(program, inputs, symbols, result.outputs));
  const std::vector<InPlace> pairs = in_place_pairs(program->plan);
  result.in_place_count = pairs.size();
  if (!pairs.empty()) TUFF_TRY(check_state_in_place(program, pairs, inputs, symbols));
  return result;
}

}  // namespace tuff
