// What both kinds of session check before they copy.
#pragma once

#include <algorithm>
#include <span>

#include "session/session.h"

namespace tuff {

inline std::string sizes_text(const std::vector<int64_t>& shape) {
  std::string text;
  for (const int64_t size : shape) text += (text.empty() ? "" : ", ") + std::to_string(size);
  return "[" + text + "]";
}

inline bool has_no_elements(const std::vector<int64_t>& shape) {
  return std::find(shape.begin(), shape.end(), 0) != shape.end();
}

template <class View>
Status check_tensor(const BoundTensor& expected, const View& view, const char* direction) {
  auto name = [&] { return std::string(direction) + " '" + expected.name + "'"; };
  if (view.dtype != expected.dtype)
    return invalid_argument("The " + name() + " is " + std::string(dtype_name(expected.dtype)) + ", the tensor is " +
                            std::string(dtype_name(view.dtype)) + ".");
  if (view.shape == expected.shape) return ok_status();
  return invalid_argument("The " + name() + " is " + sizes_text(expected.shape) + ", the tensor is " + sizes_text(view.shape) +
                          ".");
}

// Of an input that stays as it was written last: it is not of the current sizes any more.
inline Status written_for_other_sizes(const BoundTensor& input, const std::vector<int64_t>& written) {
  return invalid_argument("The input '" + input.name + "' was written last as " + sizes_text(written) + "; it is " +
                          sizes_text(input.shape) + " now and has to be written again.");
}

template <class View>
Status check_tensor(const std::vector<BoundTensor>& tensors, size_t index, const View& view, const char* direction) {
  if (index < tensors.size()) return check_tensor(tensors[index], view, direction);
  return invalid_argument("There is no " + std::string(direction) + " " + std::to_string(index) + "; the model has " +
                          std::to_string(tensors.size()) + ".");
}

// An output's shape by the data: read_count gives the number that one of the outputs holds.
template <class ReadCount>
Result<std::vector<int64_t>> shape_by_data(const Graph& graph, const std::vector<BoundTensor>& outputs, size_t index,
                                           ReadCount read_count) {
  if (index >= outputs.size()) return invalid_argument("There is no output " + std::to_string(index) + ".");
  std::vector<int64_t> shape = outputs[index].shape;
  for (const DataSize& size : graph.data_sizes) {
    if (size.output != index) continue;
    int32_t count = 0;
    TUFF_TRY(read_count(size.count, MutableTensorView{Dtype::kI32, {}, {}, reinterpret_cast<std::byte*>(&count)}));
    int64_t& extent = shape[static_cast<size_t>(size.axis)];
    if (count < 0 || count > extent)
      return internal_error("The output '" + outputs[index].name + "' would have " + std::to_string(count) +
                            " elements of at most " + std::to_string(extent) + ".");
    extent = count;
  }
  return shape;
}

// The view has the output's prepared shape, or the one that it has by the data.
template <class ReadCount>
Status check_output(const Graph& graph, const std::vector<BoundTensor>& outputs, size_t index, const MutableTensorView& view,
                    ReadCount read_count) {
  const bool is_sized =
      std::any_of(graph.data_sizes.begin(), graph.data_sizes.end(), [&](const DataSize& size) { return size.output == index; });
  if (!is_sized || view.shape == outputs[index].shape) return check_tensor(outputs, index, view, "output");
  BoundTensor by_data = outputs[index];
  TUFF_ASSIGN(by_data.shape, shape_by_data(graph, outputs, index, read_count));
  return check_tensor(by_data, view, "output");
}

std::unique_ptr<Session> make_device_session(std::shared_ptr<const Program> program, const SessionOptions& options);
std::unique_ptr<Session> make_cpu_session(std::shared_ptr<const Program> program, const SessionOptions& options);

}  // namespace tuff
