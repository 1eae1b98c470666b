#include "reference/map_error.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace tuff {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::infinity();
constexpr double kLargest = 3.4e38;

double truth(MapOp op, double a) {
  switch (op) {
    case MapOp::reciprocal: return 1 / a;
    case MapOp::sqrt: return std::sqrt(a);
    case MapOp::rsqrt: return 1 / std::sqrt(a);
    case MapOp::exp: return std::exp(a);
    case MapOp::log: return std::log(a);
    case MapOp::tan: return std::tan(a);
    case MapOp::asin: return std::asin(a);
    case MapOp::acos: return std::acos(a);
    case MapOp::atan: return std::atan(a);
    case MapOp::sinh: return std::sinh(a);
    case MapOp::cosh: return std::cosh(a);
    case MapOp::tanh: return std::tanh(a);
    case MapOp::asinh: return std::asinh(a);
    case MapOp::acosh: return std::acosh(a);
    case MapOp::atanh: return std::atanh(a);
    case MapOp::erf: return std::erf(a);
    case MapOp::sigmoid: return 1 / (1 + std::exp(-a));
    case MapOp::softplus: return std::max(a, 0.0) + std::log1p(std::exp(-std::fabs(a)));
    case MapOp::floor: return std::floor(a);
    case MapOp::ceil: return std::ceil(a);
    case MapOp::round: return std::nearbyint(a);
    case MapOp::trunc: return std::trunc(a);
    case MapOp::sign: return a > 0 ? 1 : a < 0 ? -1 : 0;
    default: return a;
  }
}

// The larger distance from f(x) to f at the ends of the interval: enough where f is monotone or convex on it.
double at_ends(MapOp op, MapOperand a, double y) {
  double low = truth(op, a.x - a.error), high = truth(op, a.x + a.error);
  double e = std::max(std::fabs(low - y), std::fabs(high - y));
  return std::isnan(low) || std::isnan(high) ? kUnknown : e;
}

double float_to_integer(Dtype to, MapOperand a) {
  if (a.error == 0) return 0;
  auto clamped = [&](double v) {
    int bits = static_cast<int>(8 * dtype_size_bytes(to));
    double top = std::ldexp(1, is_unsigned_integer(to) ? bits : bits - 1), bottom = is_unsigned_integer(to) ? 0 : -top;
    return std::clamp(std::trunc(v), bottom, top - 1);
  };
  return clamped(a.x - a.error) == clamped(a.x + a.error) ? 0 : kUnknown;
}

// What the operands' errors make of the result, before its own rounding.
double carried(MapOp op, const MapOperand* operands, double y) {
  const MapOperand a = operands[0], b = operands[1];
  auto crosses = [](MapOperand o, double point) { return std::fabs(o.x - point) <= o.error; };
  switch (op) {
    case MapOp::add:
    case MapOp::sub: return a.error + b.error;
    case MapOp::mul: return std::fabs(a.x) * b.error + std::fabs(b.x) * a.error + a.error * b.error;
    case MapOp::div:
      if (crosses(b, 0)) return kUnknown;
      return (a.error + std::fabs(y) * b.error) / (std::fabs(b.x) - b.error);
    case MapOp::max:
    case MapOp::min: return std::max(a.error, b.error);
    case MapOp::neg:
    case MapOp::abs:
    case MapOp::sin:
    case MapOp::cos: return a.error;
    case MapOp::select:
      if (a.error != 0) return kUnknown;
      return a.x != 0 ? b.error : operands[2].error;
    case MapOp::fmod:
    case MapOp::floormod: {
      if (a.error == 0 && b.error == 0) return 0;
      if (crosses(b, 0) || crosses(a, 0)) return kUnknown;
      double quotient = a.x / b.x, off = (a.error + std::fabs(quotient) * b.error) / (std::fabs(b.x) - b.error);
      if (std::floor(quotient - off) != std::floor(quotient + off)) return kUnknown;
      return a.error + (std::fabs(quotient) + off + 1) * b.error;
    }
    case MapOp::pow: {
      if (a.error == 0 && b.error == 0) return 0;
      if (a.x - a.error <= 0) return kUnknown;
      double e = 0;
      for (double x : {a.x - a.error, a.x + a.error})
        for (double p : {b.x - b.error, b.x + b.error}) e = std::max(e, std::fabs(std::pow(x, p) - y));
      return e;
    }
    case MapOp::reciprocal: return crosses(a, 0) ? kUnknown : at_ends(op, a, y);
    case MapOp::tan:
      if (std::floor((a.x - a.error) / std::numbers::pi + 0.5) != std::floor((a.x + a.error) / std::numbers::pi + 0.5))
        return kUnknown;
      return at_ends(op, a, y);
    case MapOp::rsqrt:
    case MapOp::log: return a.error != 0 && a.x - a.error <= 0 ? kUnknown : at_ends(op, a, y);
    case MapOp::floor:
    case MapOp::ceil:
    case MapOp::round:
    case MapOp::trunc:
    case MapOp::sign: return truth(op, a.x - a.error) == truth(op, a.x + a.error) ? 0 : kUnknown;
    default: return at_ends(op, a, y);
  }
}

}  // namespace

double map_error(MapOp op, Dtype from, Dtype to, const MapOperand* given, double y) {
  const MapOpRow& row = map_op_row(op);
  const int arity = op == MapOp::cast ? 1 : row.arity;
  // A denormal operand may be taken as 0.
  MapOperand operands[3] = {given[0], given[1], given[2]};
  for (MapOperand& o : operands)
    if (is_float(from) && o.x != 0 && std::fabs(o.x) < 0x1p-126 && op != MapOp::select)
      o.error = std::max(o.error, std::fabs(o.x));
  bool exact = true, finite = true;
  for (int i = 0; i < arity; ++i) {
    if (!std::isfinite(operands[i].error)) {
      // What select does not choose does not matter.
      bool other = op == MapOp::select && i > 0 && operands[0].error == 0 && (operands[0].x != 0) != (i == 1);
      if (!other) return kUnknown;
    }
    exact = exact && operands[i].error == 0;
    finite = finite && std::isfinite(operands[i].x);
  }
  if (op == MapOp::select) return carried(op, operands, y);
  if (op == MapOp::cast) {
    if (to == Dtype::kBool) return exact || std::fabs(operands[0].x) > operands[0].error ? 0 : kUnknown;
    if (is_float(from) && is_integer(to)) return float_to_integer(to, operands[0]);
    return is_float(to) ? operands[0].error + (is_integer(from) ? std::fabs(y) * 0x1p-24 : 0) : 0;
  }
  if (!is_float(to)) {
    if (exact || !is_float(from)) return 0;
    if (!finite) return kUnknown;
    if (row.result == ResultClass::kBoolean && row.arity == 2)
      return std::fabs(operands[0].x - operands[1].x) > operands[0].error + operands[1].error ? 0 : kUnknown;
    return 0;  // is_nan, is_inf of what is finite
  }
  if (!finite || !std::isfinite(y)) return kUnknown;
  double e = carried(op, operands, y);
  if (row.ulp > 0) e += row.ulp * std::max((std::fabs(y) + e) * 0x1p-23, 0x1p-149) + 0x1p-126;
  return std::isnan(e) ? kUnknown : e;
}

double rounded_error(Dtype dtype, double y, double error) {
  if (!is_float(dtype)) return error;
  double largest = dtype == Dtype::kF16 ? 65504 : kLargest;
  if (dtype == Dtype::kF16) error += (std::fabs(y) + error) * 0x1p-11 + 0x1p-25;
  if (dtype == Dtype::kBf16) error += (std::fabs(y) + error) * 0x1p-8 + 0x1p-126;
  if (dtype == Dtype::kF32) error += 0x1p-126;
  if (!std::isfinite(y)) return std::numeric_limits<double>::infinity();
  return std::fabs(y) + error > largest || std::isnan(error) ? std::numeric_limits<double>::infinity() : error;
}

}  // namespace tuff
