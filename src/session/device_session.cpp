// The session of a device: bound plans, buffers and recordings, one set a prepared shape.
#include <algorithm>
#include <cstring>

#include "session/elements.h"
#include "session/session_checks.h"

namespace tuff {
namespace {

// An input or output of one shape: where kernels see it, and where the host does. On unified memory both are one buffer.
struct IoBuffer {
  std::shared_ptr<Buffer> device;
  std::shared_ptr<Buffer> host;
  std::vector<int> order;  // row-major, as hosts see it
};

struct PreparedShape {
  PreparedInfo info;
  BoundPlan bound;
  std::vector<IoBuffer> inputs, outputs;
  std::shared_ptr<Buffer> arena, parameters;
  std::shared_ptr<Recording> recording;
  uint64_t last_use = 0;
  bool has_run = false;
};

class DeviceSession : public Session {
 public:
  DeviceSession(std::shared_ptr<const Program> program, const SessionOptions& options)
      : program_(std::move(program)), options_(options) {}

  ~DeviceSession() override {
    // Buffers of a run in flight may not be freed; a device that does not answer has to be waited for all the same.
    if (in_flight_) (void)wait(UINT64_MAX);
  }

  Status prepare(const SymbolValues& given) override;
  const PreparedInfo* prepared() const override { return current_ ? &current_->info : nullptr; }
  const BoundPlan* bound_plan() const override { return current_ ? &current_->bound : nullptr; }
  Status write_input(size_t index, const TensorView& view) override;
  Status submit() override;
  Result<bool> wait(uint64_t timeout_ns) override;
  Status read_output(size_t index, const MutableTensorView& view) override;
  Result<std::vector<uint64_t>> dispatch_times_ns() override;
  DeviceCounters counters() const override { return device().counters(); }

 private:
  Device& device() const { return *program_->target.device; }
  Result<std::unique_ptr<PreparedShape>> make_shape(const SymbolValues& symbols);
  Status check_memory(const BoundPlan& bound, uint64_t& total_bytes) const;
  Result<std::shared_ptr<Buffer>> make_parameters(const BoundPlan& bound);
  Status make_buffers(PreparedShape& shape);
  Status record(PreparedShape& shape);

  std::shared_ptr<const Program> program_;
  SessionOptions options_;
  std::vector<std::unique_ptr<PreparedShape>> shapes_;
  PreparedShape* current_ = nullptr;
  uint64_t use_count_ = 0;
  bool in_flight_ = false;
};

Status busy() { return Status(Code::kBusy, "A run of this session is still in flight."); }

Status DeviceSession::prepare(const SymbolValues& given) {
  TUFF_ASSIGN(SymbolValues symbols, complete_symbols(program_->plan.graph, given));
  if (current_ && current_->info.symbols == symbols) return ok_status();
  if (in_flight_) return busy();
  auto found = std::find_if(shapes_.begin(), shapes_.end(), [&](const auto& s) { return s->info.symbols == symbols; });
  if (found == shapes_.end()) {
    // The oldest goes first, so that its memory is there for the new one.
    while (!shapes_.empty() && shapes_.size() >= std::max<uint64_t>(options_.prepared_shape_count, 1)) {
      auto oldest = std::min_element(shapes_.begin(), shapes_.end(),
                                     [](const auto& a, const auto& b) { return a->last_use < b->last_use; });
      if (oldest->get() == current_) current_ = nullptr;
      shapes_.erase(oldest);
    }
    TUFF_ASSIGN(std::unique_ptr<PreparedShape> made, make_shape(symbols));
    shapes_.push_back(std::move(made));
    found = std::prev(shapes_.end());
  }
  current_ = found->get();
  current_->last_use = ++use_count_;
  return ok_status();
}

Result<std::unique_ptr<PreparedShape>> DeviceSession::make_shape(const SymbolValues& symbols) {
  auto shape = std::make_unique<PreparedShape>();
  TUFF_ASSIGN(shape->bound, tuff::bind(program_->plan, symbols, program_->target.info));
  PreparedInfo& info = shape->info;
  info.symbols = symbols;
  info.inputs = shape->bound.inputs;
  info.outputs = shape->bound.outputs;
  info.dispatch_count = static_cast<uint32_t>(shape->bound.dispatches.size());
  info.barrier_count = shape->bound.barrier_count;
  info.arena_bytes = shape->bound.arena_bytes;
  TUFF_TRY(check_memory(shape->bound, info.buffer_bytes));
  TUFF_TRY(make_buffers(*shape));
  TUFF_TRY(record(*shape));
  return shape;
}

Status DeviceSession::check_memory(const BoundPlan& bound, uint64_t& total_bytes) const {
  uint64_t copies = program_->target.info.unified_memory ? 1 : 2;
  total_bytes = bound.arena_bytes + bound.parameters.size() * sizeof(int32_t);
  for (const BoundTensor& t : bound.inputs) total_bytes += t.storage_bytes * copies;
  for (const BoundTensor& t : bound.outputs) total_bytes += t.storage_bytes * copies;
  if (options_.memory_limit_bytes != 0 && total_bytes > options_.memory_limit_bytes) {
    return out_of_memory("This shape needs " + std::to_string(total_bytes) + " bytes of device memory beside the weights; " +
                         "the session may use " + std::to_string(options_.memory_limit_bytes) + ".");
  }
  return ok_status();
}

Result<std::shared_ptr<Buffer>> DeviceSession::make_parameters(const BoundPlan& bound) {
  std::span<const std::byte> words = std::as_bytes(std::span(bound.parameters));
  TUFF_ASSIGN(std::shared_ptr<Buffer> buffer, device().allocate(MemoryUse::kDevice, words.size()));
  if (buffer->mapped()) {
    std::memcpy(buffer->mapped(), words.data(), words.size());
    TUFF_TRY(buffer->flush());
  } else {
    TUFF_TRY(device().upload(*buffer, 0, words));
  }
  return buffer;
}

Status DeviceSession::make_buffers(PreparedShape& shape) {
  auto make_io = [&](const BoundTensor& tensor, MemoryUse staging) -> Result<IoBuffer> {
    IoBuffer io;
    TUFF_ASSIGN(io.device, device().allocate(MemoryUse::kDevice, tensor.storage_bytes));
    for (size_t axis = 0; axis < tensor.shape.size(); ++axis) io.order.push_back(static_cast<int>(axis));
    if (io.device->mapped()) {
      io.host = io.device;
    } else {
      TUFF_ASSIGN(io.host, device().allocate(staging, tensor.storage_bytes));
    }
    // An input that is never written reads as zero, not as what another program left there.
    if (io.host->mapped()) std::memset(io.host->mapped(), 0, tensor.storage_bytes);
    return io;
  };
  for (const BoundTensor& tensor : shape.bound.inputs) {
    TUFF_ASSIGN(IoBuffer io, make_io(tensor, MemoryUse::kUpload));
    TUFF_TRY(io.host->flush());
    shape.inputs.push_back(std::move(io));
  }
  for (const BoundTensor& tensor : shape.bound.outputs) {
    TUFF_ASSIGN(IoBuffer io, make_io(tensor, MemoryUse::kReadback));
    shape.outputs.push_back(std::move(io));
  }
  if (shape.bound.arena_bytes > 0) {
    TUFF_ASSIGN(shape.arena, device().allocate(MemoryUse::kDevice, shape.bound.arena_bytes));
  }
  if (!shape.bound.parameters.empty()) {
    TUFF_ASSIGN(shape.parameters, make_parameters(shape.bound));
  }
  return ok_status();
}

Status DeviceSession::record(PreparedShape& shape) {
  RecordDesc desc;
  desc.plan = &shape.bound;
  desc.pipelines = program_->pipelines;
  desc.weights = program_->weights;
  desc.arena = shape.arena;
  desc.parameters = shape.parameters;
  desc.timestamps = options_.timestamps;
  for (size_t i = 0; i < shape.inputs.size(); ++i) {
    const IoBuffer& io = shape.inputs[i];
    desc.inputs.push_back(io.device);
    if (io.host == io.device) continue;
    desc.copies_before.push_back({io.host.get(), io.device.get(), shape.bound.inputs[i].storage_bytes});
    desc.keep_alive.push_back(io.host);
  }
  for (size_t i = 0; i < shape.outputs.size(); ++i) {
    const IoBuffer& io = shape.outputs[i];
    desc.outputs.push_back(io.device);
    if (io.host == io.device) continue;
    desc.copies_after.push_back({io.device.get(), io.host.get(), shape.bound.outputs[i].storage_bytes});
    desc.keep_alive.push_back(io.host);
  }
  TUFF_ASSIGN(shape.recording, device().record(desc));
  return ok_status();
}

Status DeviceSession::write_input(size_t index, const TensorView& view) {
  if (!current_) return invalid_argument("A session is prepared before its inputs are written.");
  if (in_flight_) return busy();
  TUFF_TRY(check_tensor(current_->bound.inputs, index, view, "input"));
  Buffer& host = *current_->inputs[index].host;
  if (!host.mapped()) return internal_error("An input's staging buffer is not mapped.");
  store_elements(view, current_->inputs[index].order, host.mapped());
  return host.flush();
}

Status DeviceSession::submit() {
  if (!current_) return invalid_argument("A session is prepared before it runs.");
  if (in_flight_) return busy();
  current_->has_run = false;
  current_->last_use = ++use_count_;
  TUFF_TRY(current_->recording->submit());
  in_flight_ = true;
  return ok_status();
}

Result<bool> DeviceSession::wait(uint64_t timeout_ns) {
  if (!in_flight_) return true;
  Result<bool> finished = current_->recording->wait(timeout_ns);
  if (finished.ok() && !*finished) return false;
  in_flight_ = false;  // finished or failed: either way nothing is awaited any more
  if (!finished.ok()) return finished.status();
  current_->has_run = true;
  return true;
}

Status DeviceSession::read_output(size_t index, const MutableTensorView& view) {
  if (in_flight_) return busy();
  if (!current_ || !current_->has_run) return invalid_argument("There is no finished run to read from.");
  TUFF_TRY(check_tensor(current_->bound.outputs, index, view, "output"));
  Buffer& host = *current_->outputs[index].host;
  if (!host.mapped()) return internal_error("An output's read-back buffer is not mapped.");
  TUFF_TRY(host.invalidate());
  load_elements(host.mapped(), view);
  return ok_status();
}

Result<std::vector<uint64_t>> DeviceSession::dispatch_times_ns() {
  if (in_flight_) return busy();
  if (!current_ || !current_->has_run) return invalid_argument("There is no finished run that was timed.");
  return current_->recording->dispatch_times_ns();
}

}  // namespace

std::unique_ptr<Session> make_device_session(std::shared_ptr<const Program> program, const SessionOptions& options) {
  return std::make_unique<DeviceSession>(std::move(program), options);
}

}  // namespace tuff
