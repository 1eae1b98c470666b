// What a run may differ from the truth by, for hosts.
#include <algorithm>
#include <cstring>

#include "api/guard.h"
#include "api/handles.h"
#include "compile/run_bounds.h"

namespace tuff {
namespace {

const std::vector<int64_t> kScalar;

Status read_host_tensor(const tuff_tensor_desc_t& desc, const std::string& name, CallerTensor& tensor) {
  TUFF_TRY(read_tensor(&desc, &kScalar, name, true, tensor));
  if (tensor.memory != TUFF_MEMORY_HOST) return invalid_argument("Tensor '" + name + "' is not in host memory.");
  if (tensor.view.byte_strides != dense_byte_strides(tensor.view.dtype, tensor.view.shape))
    return unsupported("Tensor '" + name + "' has gaps or another order than row-major.");
  const std::vector<int64_t>& shape = tensor.view.shape;
  const bool is_empty = std::find(shape.begin(), shape.end(), 0) != shape.end();
  return tensor.view.data || is_empty ? ok_status() : null_argument("tensor->data");
}

Result<std::vector<Tensor>> copy_tensors(const tuff_tensor_desc_t* descs, uint32_t count, const char* what) {
  if (count != 0 && !descs) return null_argument(what);
  std::vector<Tensor> tensors;
  for (uint32_t i = 0; i < count; ++i) {
    CallerTensor caller;
    TUFF_TRY(read_host_tensor(*desc_element(descs, i), std::string(what) + "[" + std::to_string(i) + "]", caller));
    Tensor tensor{caller.view.dtype, caller.view.shape, {}};
    if (caller.view.data)
      tensor.bytes.assign(caller.view.data, caller.view.data + tensor.element_count() * dtype_size_bytes(tensor.dtype));
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

// Where doubles go, one tensor an output.
Status write_doubles(const tuff_tensor_desc_t& desc, const std::string& name, const std::vector<int64_t>& shape,
                     const std::vector<double>& elements) {
  CallerTensor caller;
  TUFF_TRY(read_host_tensor(desc, name, caller));
  if (caller.view.dtype != Dtype::kF64 || caller.view.shape != shape)
    return invalid_argument("Tensor '" + name + "' is not TUFF_F64 of its output's shape.");
  if (!elements.empty()) std::memcpy(caller.view.data, elements.data(), elements.size() * sizeof(double));
  return ok_status();
}

}  // namespace
}  // namespace tuff

using namespace tuff;

tuff_status_t tuff_program_error_bounds(const tuff_program_t* program, const tuff_tensor_desc_t* inputs, uint32_t input_count,
                                        const tuff_symbol_value_t* symbols, uint32_t symbol_count,
                                        const tuff_tensor_desc_t* outputs, const tuff_tensor_desc_t* truths,
                                        const tuff_tensor_desc_t* bounds, uint32_t output_count, tuff_error_t** out_error) {
  return guarded(out_error, [&]() -> Status {
    TUFF_NOT_NULL(program);
    if (output_count != 0) {
      TUFF_NOT_NULL(truths);
      TUFF_NOT_NULL(bounds);
    }
    TUFF_ASSIGN(std::vector<Tensor> given, copy_tensors(inputs, input_count, "inputs"));
    TUFF_ASSIGN(SymbolValues values, read_symbol_values(symbols, symbol_count));
    TUFF_ASSIGN(std::vector<Tensor> got, copy_tensors(outputs, output_count, "outputs"));
    const Plan& plan = program->program->plan;
    TUFF_ASSIGN(std::vector<Bounded> bounded, run_bounds(plan.graph, given, got, values, winograd_results(plan)));
    for (uint32_t i = 0; i < output_count; ++i) {
      const Tensor& truth = bounded[i].truth;
      std::vector<double> elements;
      for (int64_t k = 0; k < truth.element_count(); ++k) elements.push_back(truth.at(k));
      const std::string index = "[" + std::to_string(i) + "]";
      TUFF_TRY(write_doubles(*desc_element(truths, i), "truths" + index, truth.shape, elements));
      TUFF_TRY(write_doubles(*desc_element(bounds, i), "bounds" + index, truth.shape, bounded[i].error));
    }
    return ok_status();
  });
}
