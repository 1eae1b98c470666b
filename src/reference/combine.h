// What a reduction does with two elements, in exact mode's arithmetic, in doubles, or in wrapping integers.
#pragma once

#include <cmath>
#include <limits>
#include <type_traits>

#include "lib/numerics_cpp.h"

namespace tuff {

// Unsigned of the same width, in which sums and products wrap.
template <class T, bool = std::is_integral_v<T>>
struct WrappingOf {
  using type = T;
};
template <class T>
struct WrappingOf<T, true> {
  using type = std::make_unsigned_t<T>;
};
// At least 32 bits: narrower unsigned types would be promoted to int, whose products can overflow.
template <class T>
using Wrapping = std::conditional_t<std::is_integral_v<T>, std::common_type_t<typename WrappingOf<T>::type, unsigned>, T>;

template <class T>
struct Add {
  static constexpr T identity() { return 0; }
  static T combine(T a, T b) {
    if constexpr (std::is_same_v<T, float>)
      return numerics::tuff_add(a, b);
    else
      return static_cast<T>(static_cast<Wrapping<T>>(a) + static_cast<Wrapping<T>>(b));
  }
};

template <class T>
struct Multiply {
  static constexpr T identity() { return 1; }
  static T combine(T a, T b) {
    if constexpr (std::is_same_v<T, float>)
      return numerics::tuff_mul(a, b);
    else
      return static_cast<T>(static_cast<Wrapping<T>>(a) * static_cast<Wrapping<T>>(b));
  }
};

template <class T>
struct Max {
  static constexpr T identity() {
    return std::is_floating_point_v<T> ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::lowest();
  }
  static T combine(T a, T b) {
    if constexpr (std::is_same_v<T, float>)
      return numerics::tuff_max(a, b);
    else if constexpr (std::is_same_v<T, double>)
      return std::isnan(a) || std::isnan(b) ? NAN : a > b ? a : b;
    else
      return a > b ? a : b;
  }
};

template <class T>
struct Min {
  static constexpr T identity() {
    return std::is_floating_point_v<T> ? std::numeric_limits<T>::infinity() : std::numeric_limits<T>::max();
  }
  static T combine(T a, T b) {
    if constexpr (std::is_same_v<T, float>)
      return numerics::tuff_min(a, b);
    else if constexpr (std::is_same_v<T, double>)
      return std::isnan(a) || std::isnan(b) ? NAN : a < b ? a : b;
    else
      return a < b ? a : b;
  }
};

}  // namespace tuff
