#include "gpu_case.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>

namespace tuff::bench {
namespace {

Error wrong(std::string message) { return {TUFF_INTERNAL, std::move(message)}; }

Result<Program> compiled(const Device& device, const Model& model, tuff_precision_t precision) {
  ProgramOptions options;
  options.precision = precision;
  return Program::create(device, model, options);
}

// The outputs of a run in device memory, poisoned.
class PoisonedOutputs {
 public:
  ~PoisonedOutputs() {
    for (tuff_buffer_t* buffer : buffers_) tuff_buffer_release(buffer);
  }

  Status add(const Device& device, const TensorInfo& info) {
    HostTensor tensor = empty_tensor(info.dtype, info.sizes);
    const std::vector<std::byte> poison(std::max<size_t>((tensor.bytes.size() + 3) / 4 * 4, 16), std::byte{0xff});
    tuff_buffer_t* buffer = nullptr;
    tuff_error_t* error = nullptr;
    tuff_status_t status = tuff_buffer_create(device.get(), poison.size(), &buffer, &error);
    if (status != TUFF_OK) return detail::take(status, error);
    buffers_.push_back(buffer);
    status = tuff_buffer_write(buffer, 0, poison.data(), poison.size(), &error);
    if (status != TUFF_OK) return detail::take(status, error);
    tuff_tensor_desc_t desc = TUFF_TENSOR_DESC_INIT;
    desc.dtype = info.dtype;
    desc.memory = TUFF_MEMORY_DEVICE;
    desc.size_bytes = poison.size();
    desc.buffer = buffer;
    descs_.push_back(desc);
    tensors_.push_back(std::move(tensor));
    return {};
  }

  Status run(Session& session) {
    tuff_error_t* error = nullptr;
    const auto count = static_cast<uint32_t>(descs_.size());
    tuff_status_t status = tuff_session_run(session.get(), nullptr, 0, descs_.data(), count, &error);
    for (size_t i = 0; i < tensors_.size() && status == TUFF_OK; ++i) {
      status = tuff_buffer_read(buffers_[i], 0, tensors_[i].bytes.data(), tensors_[i].bytes.size(), &error);
    }
    if (status != TUFF_OK) return detail::take(status, error);
    return {};
  }

  std::vector<HostTensor> take() { return std::move(tensors_); }

 private:
  std::vector<tuff_buffer_t*> buffers_;
  std::vector<tuff_tensor_desc_t> descs_;
  std::vector<HostTensor> tensors_;
};

Status set_inputs(Session& session, std::vector<HostTensor>& inputs) {
  for (uint32_t i = 0; i < inputs.size(); ++i) {
    if (Status status = session.set_input(i, inputs[i].view()); !status) return status;
  }
  return {};
}

std::vector<Tensor> views(std::vector<HostTensor>& tensors) {
  std::vector<Tensor> out;
  for (HostTensor& tensor : tensors) out.push_back(tensor.view());
  return out;
}

std::vector<int64_t> drawn_rows(int64_t size, int count, std::mt19937_64& random) {
  std::set<int64_t> rows;
  if (count > 1) rows = {0, size - 1};
  while (static_cast<int64_t>(rows.size()) < std::min<int64_t>(count, size)) {
    rows.insert(static_cast<int64_t>(random() % static_cast<uint64_t>(size)));
  }
  return {rows.begin(), rows.end()};
}

// The same rows of all inputs and outputs: a run of fewer rows.
struct Slice {
  std::vector<HostTensor> inputs, outputs;
};

Slice slice(const Case& run, int row_count, std::mt19937_64& random) {
  if (row_count == 0) return {run.inputs, run.outputs};
  const std::vector<int64_t>& shape = run.inputs[0].shape;
  const std::vector<int64_t> rows = drawn_rows(shape[row_axis(shape)], row_count, random);
  Slice out;
  for (const HostTensor& t : run.inputs) out.inputs.push_back(rows_of(t, row_axis(t.shape), rows));
  for (const HostTensor& t : run.outputs) out.outputs.push_back(rows_of(t, row_axis(t.shape), rows));
  return out;
}

// A program of the CPU, whose graph the truth is computed by: of the model, with the inputs' sizes.
Result<Program> truth_program(const Case& run, const std::vector<HostTensor>& inputs) {
  auto cpu = Device::open({.selector = "cpu", .allow_software = true});
  if (!cpu) return cpu.error();
  ModelOptions options;
  const std::vector<TensorInfo> infos = run.model.tensors(TUFF_INPUT);
  for (size_t i = 0; i < inputs.size(); ++i) options.input_shapes.push_back({infos[i].name, inputs[i].shape});
  auto model = Model::load_file(run.path, options);
  if (!model) return model.error();
  return compiled(*cpu, *model, run.precision);
}

Result<Found> compare(const HostTensor& output, const HostTensor& truth, const HostTensor& bound) {
  Found found;
  double squares = 0, errors = 0;
  for (int64_t i = 0; i < element_count(output.shape); ++i) {
    const double expected = element(truth, i), distance = std::abs(element(output, i) - expected), most = element(bound, i);
    squares += expected * expected;
    errors += distance * distance;
    if (!(distance <= most))
      return wrong("Element " + std::to_string(i) + " is " + std::to_string(element(output, i)) + ", in doubles " +
                   std::to_string(expected) + ", and may differ by " + std::to_string(most) + ".");
    if (distance > 0) found.bound_share = std::max(found.bound_share, distance / most);
  }
  found.error = errors > 0 ? std::sqrt(errors / squares) : 0;
  return found;
}

}  // namespace

Result<Case> Case::load(const Device& device, const std::string& path, tuff_precision_t precision) {
  auto model = Model::load_file(path);
  if (!model) return model.error();
  auto program = compiled(device, *model, precision);
  if (!program) return program.error();
  auto session = Session::create(*program);
  if (!session) return session.error();
  if (Status status = session->prepare(); !status) return status.error();
  return Case{path, precision, *model, device, *program, *session, {}, {}};
}

Status Case::draw_inputs(std::mt19937_64& random) {
  inputs.clear();
  for (const TensorInfo& info : model.tensors(TUFF_INPUT)) inputs.push_back(random_tensor(info.dtype, info.sizes, random));
  return set_inputs(session, inputs);
}

Result<Session> Case::second_session() {
  auto second = Session::create(program);
  if (!second) return second;
  if (Status status = second->prepare(); !status) return status.error();
  if (Status status = set_inputs(*second, inputs); !status) return status.error();
  return second;
}

Status Case::run_poisoned() {
  PoisonedOutputs poisoned;
  for (const TensorInfo& info : model.tensors(TUFF_OUTPUT)) {
    if (Status status = poisoned.add(device, info); !status) return status;
  }
  if (Status status = poisoned.run(session); !status) return status;
  outputs = poisoned.take();
  for (const HostTensor& output : outputs) {
    for (int64_t i = 0; i < element_count(output.shape); ++i) {
      if (!std::isfinite(element(output, i)))
        return wrong("Element " + std::to_string(i) + " is " + std::to_string(element(output, i)) + ", or was not written.");
    }
  }
  return {};
}

Result<Found> check_outputs(const Case& run, const CheckOptions& options, std::mt19937_64& random) {
  Slice part = slice(run, options.row_count, random);
  if (options.mutated) {
    const int64_t middle = element_count(part.inputs[0].shape) / 2;
    set_element(part.inputs[0], middle, 1 - element(part.inputs[0], middle));
  }
  auto program = truth_program(run, part.inputs);
  if (!program) return program.error();
  std::vector<HostTensor> truths, bounds;
  for (const HostTensor& output : part.outputs) {
    truths.push_back(empty_tensor(TUFF_F64, output.shape));
    bounds.push_back(empty_tensor(TUFF_F64, output.shape));
  }
  const std::vector<Tensor> in = views(part.inputs), out = views(part.outputs), truth = views(truths), bound = views(bounds);
  if (Status status = error_bounds(*program, in, out, truth, bound); !status) return status.error();
  Found found;
  for (size_t i = 0; i < part.outputs.size(); ++i) {
    auto one = compare(part.outputs[i], truths[i], bounds[i]);
    if (!one) return one;
    found = {std::max(found.bound_share, one->bound_share), std::max(found.error, one->error)};
  }
  // The bound of a deep network multiplies worst cases: this one tells there.
  if (!(found.error <= options.most_error))
    return wrong("The error is " + std::to_string(found.error) + " of the truth's size, more than " +
                 std::to_string(options.most_error) + ".");
  return found;
}

}  // namespace tuff::bench
