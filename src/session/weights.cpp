// Constants to device memory, once a program. In: a plan. Out: a buffer in which each weight has its elements in the
// order that kernels expect.
#include <cstring>

#include "session/elements.h"
#include "session/program.h"

namespace tuff {
namespace {

Status pack_weight(const Plan& plan, const PlanWeight& weight, std::byte* dst) {
  const Value& value = plan.graph.value(weight.value);
  const ConstantAttrs* constant = plan.graph.producer_as<ConstantAttrs>(weight.value);
  if (!constant) return internal_error("Weight '" + value.name + "' is not a constant.");
  TUFF_ASSIGN(Bytes bytes, constant_bytes(*constant));
  TensorView view;
  view.dtype = value.dtype;
  for (const IntExpr& size : value.shape) {
    if (!size.is_constant()) return internal_error("Weight '" + value.name + "' has a symbolic shape.");
    view.shape.push_back(size.constant());
  }
  view.byte_strides = dense_byte_strides(view.dtype, view.shape);
  view.data = bytes.data.data();
  TUFF_TRY(check_extent(view.dtype, view.shape, view.byte_strides, 0, bytes.data.size(), value.name));
  uint64_t stored = static_cast<uint64_t>(dtype_size_bytes(view.dtype));
  for (int64_t size : view.shape) stored *= static_cast<uint64_t>(size);
  if (stored > weight.size_bytes) {
    return internal_error("Weight '" + value.name + "' needs " + std::to_string(stored) + " bytes, the plan gives it " +
                          std::to_string(weight.size_bytes) + ".");
  }
  const std::vector<int>& order = plan.orders[weight.value.value];
  if (order.size() != view.shape.size()) return internal_error("Weight '" + value.name + "' has no storage order.");
  store_elements(view, order, dst);
  std::memset(dst + stored, 0, weight.size_bytes - stored);
  return ok_status();
}

}  // namespace

Result<std::shared_ptr<Buffer>> upload_weights(const Plan& plan, Device& device) {
  if (plan.weight_bytes == 0) return std::shared_ptr<Buffer>();
  TUFF_ASSIGN(std::shared_ptr<Buffer> buffer, device.allocate(MemoryUse::kDevice, plan.weight_bytes));
  std::vector<std::byte> packed;  // where the device's memory is not the host's
  for (const PlanWeight& weight : plan.weights) {
    if (weight.offset > plan.weight_bytes || weight.size_bytes > plan.weight_bytes - weight.offset) {
      return internal_error("Weight '" + plan.graph.value(weight.value).name + "' lies outside the weight buffer.");
    }
    if (buffer->mapped()) {
      TUFF_TRY(pack_weight(plan, weight, buffer->mapped() + weight.offset));
      continue;
    }
    packed.resize(weight.size_bytes);
    TUFF_TRY(pack_weight(plan, weight, packed.data()));
    TUFF_TRY(device.upload(*buffer, weight.offset, packed));
  }
  TUFF_TRY(buffer->flush());
  return buffer;
}

}  // namespace tuff
