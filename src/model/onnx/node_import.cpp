#include "model/onnx/node_import.h"

#include <algorithm>
#include <cstring>

namespace tuff::onnx {

Tensor NodeImport::input(size_t i) {
  if (!composition.status().ok()) return {&composition, {}};
  return composition.take(values_.value(node_.inputs[i]));
}

Result<Dims> NodeImport::sizes(size_t i, std::string_view what) {
  const SymbolicTensor* tensor = known(i);
  if (!tensor || !is_integer(tensor->dtype))
    return unsupported("its " + std::string(what) + " ('" + std::string(node_.inputs[i]) +
                       "') is computed from data, not from constants and sizes.");
  Dims out;
  for (const Element& e : tensor->elements) out.push_back(e.numerator);
  return out;
}

Result<Dims> NodeImport::positions(size_t i, std::string_view what) {
  if (known(i)) return sizes(i, what);
  // INT64_MIN, "from the beginning", is no expression.
  constexpr double kFar = 2.0 * Symbol::kMax;
  TUFF_ASSIGN(std::vector<double> given, reals(i, what));
  Dims out;
  for (double v : given) out.push_back(IntExpr(static_cast<int64_t>(std::clamp(v, -kFar, kFar))));
  return out;
}

Result<std::vector<int64_t>> NodeImport::integers(size_t i, std::string_view what) {
  TUFF_ASSIGN(Dims elements, sizes(i, what));
  std::vector<int64_t> out;
  for (const IntExpr& e : elements) {
    if (!e.is_constant())
      return unsupported("its " + std::string(what) + " depends on the size " + e.text() + "; it must be a constant.");
    out.push_back(e.constant());
  }
  return out;
}

Result<int64_t> NodeImport::integer(size_t i, std::string_view what) {
  TUFF_ASSIGN(std::vector<int64_t> all, integers(i, what));
  if (all.size() != 1)
    return invalid_argument("its " + std::string(what) + " has " + std::to_string(all.size()) + " elements instead of one.");
  return all.front();
}

Result<std::vector<double>> NodeImport::reals(size_t i, std::string_view what) {
  std::vector<double> out;
  if (const SymbolicTensor* tensor = known(i); tensor && tensor->is_constant()) {
    for (const Element& e : tensor->elements)
      out.push_back(static_cast<double>(e.numerator.constant()) / static_cast<double>(e.denominator.constant()));
    return out;
  }
  TUFF_ASSIGN(std::optional<ConstantAttrs> constant, values_.constant(node_.inputs[i]));
  constexpr int64_t kElementLimit = 1 << 16;
  if (!constant || !product(constant->shape).is_constant() || product(constant->shape).constant() > kElementLimit)
    return unsupported("its " + std::string(what) + " ('" + std::string(node_.inputs[i]) + "') must be a constant.");
  TUFF_ASSIGN(Bytes bytes, constant_bytes(*constant));
  size_t width = static_cast<size_t>(dtype_size_bytes(constant->dtype));
  for (size_t at = 0; at < bytes.data.size(); at += width) {
    uint64_t bits = 0;
    std::memcpy(&bits, bytes.data.data() + at, width);
    out.push_back(scalar_from_bits(constant->dtype, bits));
  }
  return out;
}

Result<std::optional<std::vector<int>>> NodeImport::axes(size_t input, int64_t since, int rank) {
  std::vector<int64_t> given;
  if (opset_ >= since) {
    if (!has_input(input)) return std::optional<std::vector<int>>();
    TUFF_ASSIGN(given, integers(input, "axes"));
  } else {
    if (!attributes.has("axes")) return std::optional<std::vector<int>>();
    given = attributes.integers("axes");
  }
  std::vector<int> out;
  for (int64_t a : given) {
    TUFF_ASSIGN(int resolved, axis(a, rank));
    if (std::find(out.begin(), out.end(), resolved) != out.end())
      return invalid_argument("its axes name the axis " + std::to_string(resolved) + " twice.");
    out.push_back(resolved);
  }
  return std::optional<std::vector<int>>(std::move(out));
}

Result<int> NodeImport::axis(int64_t axis, int rank) const {
  if (axis < -rank || axis >= rank)
    return invalid_argument("the axis " + std::to_string(axis) + " is outside the rank " + std::to_string(rank) + ".");
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

bool NodeImport::output_used(size_t i) const {
  return i < node_.outputs.size() && !node_.outputs[i].empty() && values_.is_used(node_.outputs[i]);
}

Status NodeImport::output(size_t i, Tensor y) {
  TUFF_TRY(composition.status());
  if (i >= node_.outputs.size() || node_.outputs[i].empty()) return ok_status();
  return values_.bind(node_.outputs[i], y.id());
}

Status NodeImport::output(size_t i, SymbolicTensor y) {
  TUFF_TRY(composition.status());
  if (i >= node_.outputs.size() || node_.outputs[i].empty()) return ok_status();
  return values_.bind(node_.outputs[i], std::move(y), composition.builder().origins().front());
}

Status NodeImport::output(size_t i, const TensorProto& y) {
  if (i >= node_.outputs.size() || node_.outputs[i].empty()) return ok_status();
  return values_.bind(node_.outputs[i], y, composition.builder().origins().front());
}

}  // namespace tuff::onnx
