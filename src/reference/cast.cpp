// Casts between any two dtypes.
#include <cmath>
#include <limits>

#include "lib/numerics_cpp.h"
#include "reference/ops.h"

namespace tuff {
namespace {

template <class To, class From>
To converted(From x) {
  if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    // The ends of the range as From may lie beyond it (2^31 for i32): at and above them, saturate.
    constexpr From low = static_cast<From>(std::numeric_limits<To>::min());
    constexpr From high = static_cast<From>(std::numeric_limits<To>::max());
    if (std::isnan(x)) return 0;
    From whole = std::trunc(x);
    if (whole <= low) return std::numeric_limits<To>::min();
    if (whole >= high) return std::numeric_limits<To>::max();
    return static_cast<To>(whole);
  } else if constexpr (std::is_same_v<From, double> && std::is_same_v<To, float>) {
    return numerics::tuff_flush(static_cast<float>(x));
  } else {
    return static_cast<To>(x);
  }
}

struct Bool {};  // as a target: x != 0

template <class From, class To>
void cast_rows(const Array& x, Array& out) {
  using Stored = std::conditional_t<std::is_same_v<To, Bool>, uint8_t, To>;
  const From* from = x.data<From>();
  Stored* to = out.mutable_data<Stored>();
  Walk walk(out.shape, {out.strides, x.strides});
  int64_t step = walk.strides[1].back();
  walk.for_each_row([&](std::span<const int64_t> at, int64_t n) {
    for (int64_t i = 0; i < n; ++i) {
      From value = from[at[1] + i * step];
      if constexpr (std::is_same_v<From, float> && std::is_same_v<To, Bool>)
        to[at[0] + i] = numerics::tuff_flush_operand(value) != 0;
      else if constexpr (std::is_same_v<To, Bool>)
        to[at[0] + i] = value != 0;
      else
        to[at[0] + i] = converted<To>(value);
    }
  });
}

}  // namespace

Result<Array> evaluate_cast(const Array& x, Dtype from, Dtype to, const OpContext& context) {
  Dtype storage = storage_dtype(to, context.precision);
  if (from == to || (storage == x.dtype && context.precision == Precision::kTruth)) return x;
  TUFF_ASSIGN(Array out, context.memory.allocate(storage, x.shape));
  with_element_type(x.dtype, [&]<class From>(From) {
    if (to == Dtype::kBool) return cast_rows<From, Bool>(x, out);
    with_element_type(storage, [&]<class To>(To) { cast_rows<From, To>(x, out); });
  });
  round_to_dtype(out, to);
  return out;
}

}  // namespace tuff
