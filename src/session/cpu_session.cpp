// The session of the CPU: the reference interpreter over the program's graph. For checking, not for speed: a submit is the
// whole run.
#include <algorithm>
#include <cstring>

#include "reference/reference.h"
#include "session/session_checks.h"

namespace tuff {
namespace {

class CpuSession : public Session {
 public:
  CpuSession(std::shared_ptr<const Program> program, const SessionOptions& options)
      : program_(std::move(program)), options_(options) {
    options_.in_flight_count = std::max<uint32_t>(options_.in_flight_count, 1);
  }

  Status alias(size_t, size_t) override { return unsupported("Sessions of the CPU keep no state."); }
  const std::vector<int64_t>* growing_shape(size_t) const override { return nullptr; }
  Status reset_state() override { return ok_status(); }
  Result<std::vector<std::byte>> save_state() override { return std::vector<std::byte>(); }
  Status load_state(std::span<const std::byte>) override { return unsupported("Sessions of the CPU keep no state."); }

  Status choose_shape(const SymbolValues& given) override;
  bool choose_kept_shape(std::span<const TensorView> inputs) override;
  const PreparedInfo* prepared() const override { return prepared_ ? &info_ : nullptr; }
  const BoundPlan* bound_plan() const override { return nullptr; }
  Status record(const IoBinding* binding) override { return binding ? no_device_memory() : ok_status(); }
  Status forget_bindings() override { return ok_status(); }

  Status write_input(size_t index, const TensorView& view) override;
  Result<RunId> submit(const RunDesc& desc) override;
  Result<bool> wait(RunId, uint64_t) override { return true; }
  Status cancel(RunId) override { return ok_status(); }  // it has ended
  Status read_output(RunId id, size_t index, const MutableTensorView& view) override;
  void release(RunId id) override;
  Status read_output(size_t index, const MutableTensorView& view) override;
  Result<std::vector<int64_t>> output_shape(size_t index) override { return shape_of(last_, index); }
  Result<std::vector<uint64_t>> dispatch_times_ns() override { return std::vector<uint64_t>(); }
  Result<Profile> profile(const ProfileOptions&) override {
    return unsupported("The CPU interprets the program's graph; it runs no kernels that could be profiled.");
  }
  Status record_into(uint64_t, const IoBinding*) override { return unsupported("The CPU has no command buffers."); }
  DeviceCounters counters() const override { return {}; }

 private:
  struct Run {
    RunId id;
    std::vector<BoundTensor> types;
    std::vector<Tensor> outputs;
  };

  static Status no_device_memory() { return unsupported("The CPU has no device memory; its tensors are the host's."); }
  Status read(const Run& run, size_t index, const MutableTensorView& view) const;
  Result<std::vector<int64_t>> shape_of(const Run& run, size_t index) const;
  Result<BoundTensor> describe(const std::string& name, ValueId id, const SymbolValues& symbols) const;

  bool differs_in_dynamic_ones_alone(const SymbolValues& symbols) const;
  Result<std::vector<Tensor>> current_inputs() const;

  static constexpr int64_t kMaxTensorBytes = int64_t{8} << 30;

  std::shared_ptr<const Program> program_;
  SessionOptions options_;
  bool prepared_ = false;
  PreparedInfo info_;
  std::vector<Tensor> inputs_;
  std::vector<bool> written_;  // by the host, in the shape that the tensor has: not always the current one
  Run last_;
  std::vector<Run> runs_;  // that were not released
  uint32_t run_count_ = 0;
};

void copy(const std::byte* src, const std::vector<int64_t>& src_strides, std::byte* dst,
          const std::vector<int64_t>& dst_strides, const std::vector<int64_t>& shape, size_t element_bytes) {
  for (int64_t size : shape) {
    if (size == 0) return;
  }
  std::vector<int64_t> index(shape.size(), 0);
  while (true) {
    std::memcpy(dst, src, element_bytes);
    size_t axis = shape.size();
    while (axis-- > 0) {
      src += src_strides[axis];
      dst += dst_strides[axis];
      if (++index[axis] < shape[axis]) break;
      src -= src_strides[axis] * shape[axis];
      dst -= dst_strides[axis] * shape[axis];
      index[axis] = 0;
    }
    if (axis == SIZE_MAX) return;
  }
}

Status CpuSession::choose_shape(const SymbolValues& given) {
  const Graph& graph = program_->plan.graph;
  TUFF_ASSIGN(SymbolValues symbols, complete_symbols(graph, given));
  if (prepared_ && info_.symbols == symbols) return ok_status();
  // What was written stays while only dynamic dimensions change.
  const bool stays = prepared_ && differs_in_dynamic_ones_alone(symbols);
  PreparedInfo info;
  info.symbols = symbols;
  std::vector<Tensor> inputs;
  std::vector<bool> written(graph.inputs.size());
  for (size_t i = 0; i < graph.inputs.size(); ++i) {
    TUFF_ASSIGN(BoundTensor tensor, describe(graph.value(graph.inputs[i]).name, graph.inputs[i], symbols));
    written[i] = stays && written_[i];
    inputs.push_back(written[i] ? inputs_[i]
                                : Tensor{tensor.dtype, tensor.shape, std::vector<std::byte>(tensor.storage_bytes)});
    info.inputs.push_back(std::move(tensor));
  }
  for (size_t i = 0; i < graph.outputs.size(); ++i) {
    TUFF_ASSIGN(BoundTensor tensor, describe(graph.output_names[i], graph.outputs[i], symbols));
    info.outputs.push_back(std::move(tensor));
  }
  info_ = std::move(info);
  inputs_ = std::move(inputs);
  written_ = std::move(written);
  last_ = {};
  prepared_ = true;
  return ok_status();
}

bool CpuSession::differs_in_dynamic_ones_alone(const SymbolValues& symbols) const {
  const std::vector<std::string>& dynamic = options_.dynamic_dimensions;
  return std::all_of(symbols.begin(), symbols.end(), [&](const auto& symbol) {
    return info_.symbols.at(symbol.first) == symbol.second ||
           std::find(dynamic.begin(), dynamic.end(), symbol.first) != dynamic.end();
  });
}

bool CpuSession::choose_kept_shape(std::span<const TensorView> inputs) {
  return prepared_ && std::equal(inputs.begin(), inputs.end(), info_.inputs.begin(), info_.inputs.end(),
                                 [](const TensorView& view, const BoundTensor& tensor) { return view.shape == tensor.shape; });
}

Result<BoundTensor> CpuSession::describe(const std::string& name, ValueId id, const SymbolValues& symbols) const {
  const Value& value = program_->plan.graph.value(id);
  BoundTensor tensor;
  tensor.name = name;
  tensor.dtype = value.dtype;
  TUFF_ASSIGN(tensor.shape, evaluate_shape(program_->plan.graph, id, symbols));
  int64_t bytes = dtype_size_bytes(value.dtype);
  for (int64_t size : tensor.shape) {
    if (size != 0 && bytes > kMaxTensorBytes / size) {
      return limit_exceeded("Tensor '" + name + "' has more than " + std::to_string(kMaxTensorBytes) + " bytes.");
    }
    bytes *= size;
  }
  tensor.storage_bytes = static_cast<uint64_t>(bytes);
  return tensor;
}

Status CpuSession::write_input(size_t index, const TensorView& view) {
  TUFF_TRY(check_tensor(info_.inputs, index, view, "input"));
  Tensor& input = inputs_[index];
  input.shape = view.shape;
  input.bytes.resize(info_.inputs[index].storage_bytes);
  written_[index] = true;
  copy(view.data, view.byte_strides, input.bytes.data(), dense_byte_strides(view.dtype, view.shape), view.shape,
       static_cast<size_t>(dtype_size_bytes(view.dtype)));
  return ok_status();
}

Result<RunId> CpuSession::submit(const RunDesc& desc) {
  if (!prepared_) return invalid_argument("A session is prepared before it runs.");
  if (runs_.size() >= options_.in_flight_count)
    return Status(Code::kBusy, "As many runs of this session as may be are in flight.");
  if (desc.binding) return no_device_memory();
  if (!desc.submit.waits.empty() || !desc.submit.signals.empty()) return unsupported("The CPU has no semaphores.");
  for (size_t i = 0; i < desc.inputs.size(); ++i)
    if (desc.inputs[i].data) TUFF_TRY(write_input(i, desc.inputs[i]));
  TUFF_ASSIGN(const std::vector<Tensor> inputs, current_inputs());
  last_ = {};
  TUFF_ASSIGN(std::vector<Tensor> outputs, evaluate(program_->plan.graph, inputs, info_.symbols));
  last_ = {RunId(run_count_++), info_.outputs, std::move(outputs)};
  runs_.push_back(last_);
  return last_.id;
}

// As they were written last, if that was for these sizes.
Result<std::vector<Tensor>> CpuSession::current_inputs() const {
  std::vector<Tensor> inputs = inputs_;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const std::vector<int64_t>& shape = info_.inputs[i].shape;
    if (inputs[i].shape == shape) continue;
    if (!has_no_elements(shape)) return written_for_other_sizes(info_.inputs[i], inputs[i].shape);
    inputs[i] = {inputs[i].dtype, shape, {}};
  }
  return inputs;
}

Status CpuSession::read_output(RunId id, size_t index, const MutableTensorView& view) {
  for (const Run& run : runs_)
    if (run.id == id) return read(run, index, view);
  return invalid_argument("There is no finished run to read from.");
}

void CpuSession::release(RunId id) {
  std::erase_if(runs_, [&](const Run& run) { return run.id == id; });
}

Status CpuSession::read_output(size_t index, const MutableTensorView& view) { return read(last_, index, view); }

Status CpuSession::read(const Run& run, size_t index, const MutableTensorView& view) const {
  if (run.outputs.empty()) return invalid_argument("There is no finished run to read from.");
  TUFF_TRY(check_output(program_->plan.graph, run.types, index, view,
                        [&](size_t count, const MutableTensorView& number) { return read(run, count, number); }));
  const Tensor& tensor = run.outputs[index];
  if (tensor.dtype != view.dtype || tensor.shape != run.types[index].shape) {
    return internal_error("The reference gives output '" + run.types[index].name + "' another type.");
  }
  copy(tensor.bytes.data(), dense_byte_strides(view.dtype, tensor.shape), view.data, view.byte_strides, view.shape,
       static_cast<size_t>(dtype_size_bytes(view.dtype)));
  return ok_status();
}

Result<std::vector<int64_t>> CpuSession::shape_of(const Run& run, size_t index) const {
  return shape_by_data(program_->plan.graph, run.outputs.empty() ? info_.outputs : run.types, index,
                       [&](size_t count, const MutableTensorView& view) { return read(run, count, view); });
}

}  // namespace

std::unique_ptr<Session> make_cpu_session(std::shared_ptr<const Program> program, const SessionOptions& options) {
  return std::make_unique<CpuSession>(std::move(program), options);
}

}  // namespace tuff
