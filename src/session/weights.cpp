// Constants to device memory, once a program. In: a plan. Out: a buffer in which each weight has its elements in the
// order that kernels expect, transformed where they expect that.
#include <cstring>

#include "session/elements.h"
#include "session/program.h"

namespace tuff {
namespace {

// U = G g G^T (fusion/winograd.h) of each 3x3 window of [n, k, 3, 3], each element rounded once; as [n, k, 4, 4].
std::vector<float> winograd_transform(const std::byte* windows, int64_t count) {
  constexpr double kG[4][3] = {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}};
  std::vector<float> transformed;
  transformed.reserve(static_cast<size_t>(count) * 16);
  for (int64_t w = 0; w < count; ++w) {
    float g[3][3];
    std::memcpy(g, windows + w * 36, sizeof g);
    double rows[4][3];
    for (int u = 0; u < 4; ++u)
      for (int j = 0; j < 3; ++j) {
        rows[u][j] = 0;
        for (int i = 0; i < 3; ++i) rows[u][j] += kG[u][i] * static_cast<double>(g[i][j]);
      }
    for (auto& row : rows)
      for (auto& column : kG) {
        double sum = 0;
        for (int j = 0; j < 3; ++j) sum += column[j] * row[j];
        transformed.push_back(static_cast<float>(sum));
      }
  }
  return transformed;
}

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
  std::vector<float> transformed;
  if (weight.winograd) {
    if (view.dtype != Dtype::kF32 || view.shape.size() != 4 || view.shape[2] != 3 || view.shape[3] != 3)
      return internal_error("Weight '" + value.name + "' is no window of 3x3 to be transformed.");
    transformed = winograd_transform(bytes.data.data(), view.shape[0] * view.shape[1]);
    view.shape[2] = view.shape[3] = 4;
    view.byte_strides = dense_byte_strides(view.dtype, view.shape);
    view.data = reinterpret_cast<const std::byte*>(transformed.data());
  }
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
