#include "api/session_calls.h"

#include <algorithm>
#include <span>

namespace tuff {
namespace {

// The shape that an input's desc may leave out: the state's, the prepared one, else the model's own where it is plain numbers.
const Shape* default_input_shape(const SessionState& state, size_t index, Shape& storage) {
  if (const Shape* growing = state.session->growing_shape(index)) return growing;
  if (const PreparedInfo* info = state.session->prepared()) return &info->inputs[index].shape;
  const Graph& graph = state.program->plan.graph;
  Result<Shape> shape = evaluate_shape(graph, graph.inputs[index], {});
  if (!shape.ok()) return nullptr;
  storage = std::move(shape).value();
  return &storage;
}

Result<BufferSlice> place_of(SessionState& state, const CallerTensor& tensor, bool is_registering) {
  if (!in_device_memory(tensor)) return BufferSlice();
  const std::shared_ptr<Device>& device = state.program->target.device;
  if (!device) return unsupported("The CPU has no device memory; its tensors are the host's.");
  if (tensor.memory == TUFF_MEMORY_DEVICE) {
    if (tensor.buffer->device != device)
      return invalid_argument("A tensor's buffer belongs to another device than its session.");
    return BufferSlice(tensor.buffer->buffer, tensor.offset_bytes);
  }
  for (const RegisteredVkBuffer& known : state.registered)
    if (known.handle == tensor.vk_buffer && known.buffer->size_bytes() == tensor.size_bytes)
      return BufferSlice(known.buffer, tensor.offset_bytes);
  TUFF_ASSIGN(std::shared_ptr<Buffer> buffer, device->borrow_buffer(tensor.vk_buffer, tensor.size_bytes));
  if (is_registering) state.registered.push_back({tensor.vk_buffer, buffer});
  return BufferSlice(std::move(buffer), tensor.offset_bytes);
}

}  // namespace

const std::vector<BoundTensor>& tensors(const SessionState& state, tuff_direction_t direction) {
  const PreparedInfo& info = *state.session->prepared();
  return direction == TUFF_INPUT ? info.inputs : info.outputs;
}

Status read_inputs(SessionState& state, const tuff_tensor_desc_t* inputs, uint32_t count, bool with_memory) {
  const Graph& graph = state.program->plan.graph;
  if (count != graph.inputs.size())
    return invalid_argument("The model has " + std::to_string(graph.inputs.size()) + " inputs, " + std::to_string(count) +
                            " were given.");
  if (count != 0 && !inputs) return null_argument("inputs");
  state.inputs.resize(count);
  for (uint32_t i = 0; i < count; ++i) {
    Shape storage;
    TUFF_TRY(read_tensor(desc_element(inputs, i), default_input_shape(state, i, storage), graph.value(graph.inputs[i]).name,
                         with_memory, state.inputs[i]));
  }
  return ok_status();
}

Status choose_shape(SessionState& state) {
  state.input_views.resize(state.inputs.size());
  for (size_t i = 0; i < state.inputs.size(); ++i) {
    const MutableTensorView& src = state.inputs[i].view;
    TensorView& dst = state.input_views[i];
    dst.dtype = src.dtype;
    dst.shape = src.shape;
    dst.byte_strides = src.byte_strides;
    dst.data = src.data;
  }
  if (state.session->choose_kept_shape(state.input_views)) return ok_status();
  std::vector<Shape> shapes;
  for (size_t i = 0; i < state.input_views.size(); ++i) {
    const Shape* growing = state.session->growing_shape(i);
    shapes.push_back(growing ? *growing : state.input_views[i].shape);
  }
  TUFF_ASSIGN(SymbolValues symbols, solve_symbols(state.program->plan.graph, shapes));
  return state.session->choose_shape(symbols);
}

Status read_outputs(SessionState& state, const tuff_tensor_desc_t* outputs, uint32_t count) {
  if (count != 0 && !outputs) return null_argument("outputs");
  const std::vector<BoundTensor>& expected = tensors(state, TUFF_OUTPUT);
  if (count > expected.size()) {
    return invalid_argument("The model has " + std::to_string(expected.size()) + " outputs, " + std::to_string(count) +
                            " were asked for.");
  }
  state.outputs.resize(count);
  for (uint32_t i = 0; i < count; ++i) {
    TUFF_TRY(read_tensor(desc_element(outputs, i), &expected[i].shape, expected[i].name, true, state.outputs[i]));
    // Refused now and not after the run.
    const MutableTensorView& view = state.outputs[i].view;
    if (view.dtype != expected[i].dtype || view.shape != expected[i].shape)
      return invalid_argument("Output '" + expected[i].name + "' has another dtype or shape than its tensor.");
  }
  return ok_status();
}

Result<const IoBinding*> binding_of(SessionState& state, bool has_inputs, bool is_registering) {
  const PreparedInfo& info = *state.session->prepared();
  const auto inputs = has_inputs ? std::span<const CallerTensor>(state.inputs) : std::span<const CallerTensor>();
  auto any = [](std::span<const CallerTensor> list) { return std::any_of(list.begin(), list.end(), in_device_memory); };
  if (!any(inputs) && !any(state.outputs)) return static_cast<const IoBinding*>(nullptr);
  auto fill = [&](std::span<const CallerTensor> list, const std::vector<BoundTensor>& expected,
                  std::vector<BufferSlice>& slices) -> Status {
    slices.assign(expected.size(), BufferSlice());
    for (size_t i = 0; i < list.size(); ++i) {
      if (in_device_memory(list[i]) && list[i].view.dtype != expected[i].dtype)
        return invalid_argument("Tensor '" + expected[i].name + "' is " + std::string(dtype_name(expected[i].dtype)) +
                                ", the one in device memory is " + std::string(dtype_name(list[i].view.dtype)) + ".");
      TUFF_ASSIGN(slices[i], place_of(state, list[i], is_registering));
    }
    return ok_status();
  };
  TUFF_TRY(fill(inputs, info.inputs, state.binding.inputs));
  TUFF_TRY(fill(state.outputs, info.outputs, state.binding.outputs));
  return static_cast<const IoBinding*>(&state.binding);
}

Result<const IoBinding*> register_tensors(SessionState& state, const tuff_tensor_desc_t* inputs, uint32_t input_count,
                                          const tuff_tensor_desc_t* outputs, uint32_t output_count) {
  TUFF_TRY(read_inputs(state, inputs, input_count, true));
  TUFF_TRY(choose_shape(state));
  TUFF_TRY(read_outputs(state, outputs, output_count));
  return binding_of(state, true, true);
}

}  // namespace tuff
