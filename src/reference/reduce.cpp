// Reductions over axes, in the order that the node states (reference.h).
#include <algorithm>
#include <array>

#include "reference/combine.h"
#include "reference/ops.h"

namespace tuff {
namespace {

constexpr int64_t kLanes = 64;

// Where the elements of each output element start, and where they lie from there.
struct Rows {
  const Array& x;
  std::vector<int64_t> starts, reduced;
};

Rows rows_of(const ReduceAttrs& attrs, const Array& x) {
  Sizes kept_shape, kept_strides, reduced_shape, reduced_strides;
  for (size_t i = 0; i < x.shape.size(); ++i) {
    bool reduces = std::find(attrs.axes.begin(), attrs.axes.end(), static_cast<int>(i)) != attrs.axes.end();
    (reduces ? reduced_shape : kept_shape).push_back(x.shape[i]);
    (reduces ? reduced_strides : kept_strides).push_back(x.strides[i]);
  }
  return {x, offsets_of(kept_shape, kept_strides), offsets_of(reduced_shape, reduced_strides)};
}

template <class T, class Combine>
T reduce_tree(const std::vector<T>& elements) {
  std::array<T, kLanes> lanes;
  lanes.fill(Combine::identity());
  int64_t count = static_cast<int64_t>(elements.size());
  for (int64_t first = 0; first < count; first += kLanes) {
    int64_t n = std::min(kLanes, count - first);
    for (int64_t l = 0; l < n; ++l)
      lanes[static_cast<size_t>(l)] = Combine::combine(lanes[static_cast<size_t>(l)], elements[static_cast<size_t>(first + l)]);
  }
  for (size_t half = kLanes / 2; half > 0; half /= 2)
    for (size_t l = 0; l < half; ++l) lanes[l] = Combine::combine(lanes[l], lanes[l + half]);
  return lanes[0];
}

template <class T, class Combine>
T reduce_chunked(const std::vector<T>& elements, size_t chunk_length) {
  T total = Combine::identity();
  for (size_t first = 0; first < elements.size(); first += chunk_length) {
    T chunk = Combine::identity();
    for (size_t i = first; i < std::min(elements.size(), first + chunk_length); ++i)
      chunk = Combine::combine(chunk, elements[i]);
    total = Combine::combine(total, chunk);
  }
  return total;
}

template <class T, class Combine>
void reduce_rows(const ReduceAttrs& attrs, const Rows& rows, Array& out, int thread_count) {
  const T* x = rows.x.data<T>();
  T* to = out.mutable_data<T>();
  parallel_for(static_cast<int64_t>(rows.starts.size()), thread_count, [&](int64_t begin, int64_t end) {
    std::vector<T> elements(rows.reduced.size());
    for (int64_t row = begin; row < end; ++row) {
      const T* from = x + rows.starts[static_cast<size_t>(row)];
      for (size_t i = 0; i < elements.size(); ++i) elements[i] = from[rows.reduced[i]];
      switch (attrs.order.kind) {
        case SumOrder::Kind::kSerial:
          to[row] = reduce_chunked<T, Combine>(elements, std::max<size_t>(elements.size(), 1));
          break;
        case SumOrder::Kind::kChunked:
          to[row] = reduce_chunked<T, Combine>(elements, static_cast<size_t>(attrs.order.chunk_length));
          break;
        default: to[row] = reduce_tree<T, Combine>(elements);
      }
    }
  });
}

template <class T>
bool is_nan(T x) {
  if constexpr (std::is_floating_point_v<T>)
    return std::isnan(x);
  else
    return false;
}
template <class T>
T flushed(T x) {
  if constexpr (std::is_same_v<T, float>)
    return numerics::tuff_flush_operand(x);
  else
    return x;
}

// True where `x` at a later index takes the place of `best`.
template <class T>
bool beats(T x, T best, bool largest, bool select_last) {
  if (is_nan(x) || is_nan(best)) return is_nan(x) && (!is_nan(best) || select_last);
  if (x == best) return select_last;
  return largest ? x > best : x < best;
}

template <class T>
void arg_rows(const ReduceAttrs& attrs, const Rows& rows, Array& out) {
  const T* x = rows.x.data<T>();
  int64_t* to = out.mutable_data<int64_t>();
  bool largest = attrs.op == ReduceOp::kArgMax;
  for (size_t row = 0; row < rows.starts.size(); ++row) {
    const T* from = x + rows.starts[row];
    int64_t best = 0;
    for (size_t i = 1; i < rows.reduced.size(); ++i)
      if (beats(flushed(from[rows.reduced[i]]), flushed(from[rows.reduced[static_cast<size_t>(best)]]), largest,
                attrs.select_last))
        best = static_cast<int64_t>(i);
    to[row] = best;
  }
}

template <class T>
void reduce_as(const ReduceAttrs& attrs, const Rows& rows, Array& out, int thread_count) {
  switch (attrs.op) {
    case ReduceOp::kSum: return reduce_rows<T, Add<T>>(attrs, rows, out, thread_count);
    case ReduceOp::kProduct: return reduce_rows<T, Multiply<T>>(attrs, rows, out, thread_count);
    case ReduceOp::kMax:
    case ReduceOp::kAny: return reduce_rows<T, Max<T>>(attrs, rows, out, thread_count);
    case ReduceOp::kMin:
    case ReduceOp::kAll: return reduce_rows<T, Min<T>>(attrs, rows, out, thread_count);
    case ReduceOp::kArgMax:
    case ReduceOp::kArgMin: return arg_rows<T>(attrs, rows, out);
  }
}

// Any and all are the maximum and minimum of bytes that are 0 or 1; of nothing they are 0 and 1.
void clamp_to_bool(Array& out) {
  uint8_t* x = out.mutable_data<uint8_t>();
  for (int64_t i = 0; i < out.count(); ++i) x[i] = x[i] != 0;
}

}  // namespace

Result<Array> evaluate_reduce(const ReduceAttrs& attrs, const Array& x, const Sizes& shape, const OpContext& context) {
  if (attrs.order.kind == SumOrder::Kind::kChunked && attrs.order.chunk_length < 1)
    return invalid_argument("A chunked sum has chunks of " + std::to_string(attrs.order.chunk_length) + " elements.");
  bool index = attrs.op == ReduceOp::kArgMax || attrs.op == ReduceOp::kArgMin;
  TUFF_ASSIGN(Array out, context.memory.allocate(index ? Dtype::kI64 : x.dtype, shape));
  Rows rows = rows_of(attrs, x);
  with_element_type(x.dtype, [&]<class T>(T) { reduce_as<T>(attrs, rows, out, context.thread_count); });
  if (x.dtype == Dtype::kBool) clamp_to_bool(out);
  return out;
}

}  // namespace tuff
