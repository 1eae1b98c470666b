// What both kinds of session check before they copy.
#pragma once

#include <span>

#include "session/session.h"

namespace tuff {

template <class View>
Status check_tensor(const std::vector<BoundTensor>& tensors, size_t index, const View& view, const char* direction) {
  if (index >= tensors.size()) {
    return invalid_argument("There is no " + std::string(direction) + " " + std::to_string(index) + "; the model has " +
                            std::to_string(tensors.size()) + ".");
  }
  const BoundTensor& expected = tensors[index];
  if (view.dtype != expected.dtype) {
    return invalid_argument("The " + std::string(direction) + " '" + expected.name + "' is " +
                            std::string(dtype_name(expected.dtype)) + ", the tensor is " + std::string(dtype_name(view.dtype)) +
                            ".");
  }
  if (view.shape != expected.shape) {
    auto text = [](const std::vector<int64_t>& shape) {
      std::string s = "[";
      for (size_t i = 0; i < shape.size(); ++i) s += (i ? ", " : "") + std::to_string(shape[i]);
      return s + "]";
    };
    return invalid_argument("The " + std::string(direction) + " '" + expected.name + "' is " + text(expected.shape) +
                            ", the tensor is " + text(view.shape) + ".");
  }
  return ok_status();
}

std::unique_ptr<Session> make_device_session(std::shared_ptr<const Program> program, const SessionOptions& options);
std::unique_ptr<Session> make_cpu_session(std::shared_ptr<const Program> program, const SessionOptions& options);

}  // namespace tuff
