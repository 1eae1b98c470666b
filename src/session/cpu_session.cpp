// The session of the CPU: the reference interpreter over the program's graph. For checking, not for speed.
#include <cstring>

#include "reference/reference.h"
#include "session/elements.h"
#include "session/session_checks.h"

namespace tuff {
namespace {

class CpuSession : public Session {
 public:
  explicit CpuSession(std::shared_ptr<const Program> program) : program_(std::move(program)) {}

  Status prepare(const SymbolValues& given) override {
    const Graph& graph = program_->plan.graph;
    TUFF_ASSIGN(SymbolValues symbols, complete_symbols(graph, given));
    if (prepared_ && info_.symbols == symbols) return ok_status();
    PreparedInfo info;
    info.symbols = symbols;
    std::vector<Tensor> inputs;
    for (ValueId id : graph.inputs) {
      TUFF_ASSIGN(BoundTensor tensor, describe(graph.value(id).name, id, symbols));
      inputs.push_back({tensor.dtype, tensor.shape, std::vector<std::byte>(tensor.storage_bytes)});
      info.inputs.push_back(std::move(tensor));
    }
    for (size_t i = 0; i < graph.outputs.size(); ++i) {
      TUFF_ASSIGN(BoundTensor tensor, describe(graph.output_names[i], graph.outputs[i], symbols));
      info.outputs.push_back(std::move(tensor));
    }
    info_ = std::move(info);
    inputs_ = std::move(inputs);
    outputs_.clear();
    prepared_ = true;
    return ok_status();
  }

  const PreparedInfo* prepared() const override { return prepared_ ? &info_ : nullptr; }
  const BoundPlan* bound_plan() const override { return nullptr; }

  Status write_input(size_t index, const TensorView& view) override {
    TUFF_TRY(check_tensor(info_.inputs, index, view, "input"));
    Tensor& tensor = inputs_[index];
    copy(view.data, view.byte_strides, tensor.bytes.data(), dense_byte_strides(view.dtype, view.shape), view.shape,
         static_cast<size_t>(dtype_size_bytes(view.dtype)));
    return ok_status();
  }

  Status submit() override {
    if (!prepared_) return invalid_argument("A session is prepared before it runs.");
    outputs_.clear();
    TUFF_ASSIGN(outputs_, evaluate(program_->plan.graph, inputs_, info_.symbols));
    return ok_status();
  }
  Result<bool> wait(uint64_t) override { return true; }

  Status read_output(size_t index, const MutableTensorView& view) override {
    TUFF_TRY(check_tensor(info_.outputs, index, view, "output"));
    if (index >= outputs_.size()) return invalid_argument("There is no finished run to read from.");
    const Tensor& tensor = outputs_[index];
    if (tensor.dtype != view.dtype || tensor.shape != view.shape) {
      return internal_error("The reference gives output '" + info_.outputs[index].name + "' another type.");
    }
    copy(tensor.bytes.data(), dense_byte_strides(view.dtype, view.shape), view.data, view.byte_strides, view.shape,
         static_cast<size_t>(dtype_size_bytes(view.dtype)));
    return ok_status();
  }

  Result<std::vector<uint64_t>> dispatch_times_ns() override { return std::vector<uint64_t>(); }
  DeviceCounters counters() const override { return {}; }

 private:
  Result<BoundTensor> describe(const std::string& name, ValueId id, const SymbolValues& symbols) const {
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

  static void copy(const std::byte* src, const std::vector<int64_t>& src_strides, std::byte* dst,
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

  static constexpr int64_t kMaxTensorBytes = int64_t{8} << 30;

  std::shared_ptr<const Program> program_;
  bool prepared_ = false;
  PreparedInfo info_;
  std::vector<Tensor> inputs_, outputs_;
};

}  // namespace

std::unique_ptr<Session> make_cpu_session(std::shared_ptr<const Program> program) {
  return std::make_unique<CpuSession>(std::move(program));
}

}  // namespace tuff
