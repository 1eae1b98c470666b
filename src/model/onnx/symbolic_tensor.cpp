#include "model/onnx/symbolic_tensor.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "graph/builder.h"

namespace tuff::onnx {
namespace {

// Float tensors beyond this are weights.
constexpr int64_t kFloatElementLimit = 16;

std::optional<Element> element_from_real(double v) {
  constexpr double kDenominator = 1024, kMagnitude = 2147483648.0;
  if (!(std::fabs(v) < kMagnitude) || (v == 0 && std::signbit(v))) return std::nullopt;
  double scaled = v * kDenominator;
  if (scaled != std::floor(scaled)) return std::nullopt;
  return quotient(IntExpr(static_cast<int64_t>(scaled)), IntExpr(static_cast<int64_t>(kDenominator)));
}

}  // namespace

bool SymbolicTensor::is_constant() const {
  return std::all_of(elements.begin(), elements.end(), [](const Element& e) { return e.is_constant(); });
}

int64_t element_count(const std::vector<int64_t>& shape) {
  return std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
}

Element quotient(const IntExpr& n, const IntExpr& d) {
  if (d.is(1)) return {n};
  if (n.is_constant() && d.is_constant()) {
    int64_t common = std::gcd(n.constant(), d.constant());
    return {IntExpr(n.constant() / common), IntExpr(d.constant() / common)};
  }
  if (auto whole = divide_exact(n, d)) return {*whole};
  if (d.is_constant()) {
    int64_t common = d.constant();
    for (const auto& term : n.terms()) common = std::gcd(common, term.coefficient);
    if (auto part = divide_exact(n, IntExpr(common))) return {*part, IntExpr(d.constant() / common)};
  }
  return {n, d};
}

std::optional<SymbolicTensor> symbolic_from_constant(const ConstantAttrs& constant) {
  IntExpr count = product(constant.shape);
  int64_t limit = is_float(constant.dtype) ? kFloatElementLimit : kSymbolicElementLimit;
  if (!count.is_constant() || count.constant() > limit) return std::nullopt;
  auto bytes = constant_bytes(constant);
  if (!bytes.ok()) return std::nullopt;
  SymbolicTensor out{constant.dtype, {}, {}};
  for (const IntExpr& d : constant.shape) out.shape.push_back(d.constant());
  size_t width = static_cast<size_t>(dtype_size_bytes(constant.dtype));
  for (size_t i = 0; i < static_cast<size_t>(count.constant()); ++i) {
    uint64_t bits = 0;
    std::memcpy(&bits, bytes->data.data() + i * width, width);
    if (is_float(constant.dtype)) {
      auto element = element_from_real(scalar_from_bits(constant.dtype, bits));
      if (!element) return std::nullopt;
      out.elements.push_back(*element);
      continue;
    }
    if (constant.dtype == Dtype::kU64 && bits > INT64_MAX) return std::nullopt;
    int64_t v = static_cast<int64_t>(bits);
    if (is_signed_integer(constant.dtype) && width < 8) {
      unsigned shift = static_cast<unsigned>(64 - 8 * width);
      v = static_cast<int64_t>(bits << shift) >> shift;
    }
    if (IntExpr(v).has_overflowed()) return std::nullopt;  // INT64_MIN
    out.elements.push_back(IntExpr(v));
  }
  return out;
}

uint64_t integer_bits(Dtype dtype, int64_t v) {
  if (is_float(dtype)) return scalar_bits(dtype, static_cast<double>(v));
  int64_t width = dtype_size_bytes(dtype);
  uint64_t bits = static_cast<uint64_t>(v);
  return width == 8 ? bits : bits & ((uint64_t{1} << (8 * width)) - 1);
}

std::vector<uint64_t> constant_bits(const SymbolicTensor& tensor) {
  std::vector<uint64_t> bits;
  for (const Element& e : tensor.elements) {
    int64_t n = e.numerator.constant(), d = e.denominator.constant();
    if (is_float(tensor.dtype))
      bits.push_back(scalar_bits(tensor.dtype, static_cast<double>(n) / static_cast<double>(d)));
    else
      bits.push_back(integer_bits(tensor.dtype, n));
  }
  return bits;
}

}  // namespace tuff::onnx
