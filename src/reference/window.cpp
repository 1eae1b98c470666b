// Sliding windows: convolution as an inner product whose offsets are affine in kernel and output position, and pooling.
#include "reference/combine.h"
#include "reference/inner_product.h"
#include "reference/ops.h"

namespace tuff {
namespace {

Sizes tail(const Sizes& sizes, size_t from) { return Sizes(sizes.begin() + static_cast<std::ptrdiff_t>(from), sizes.end()); }

// Strides of the input along output positions and along kernel positions.
Sizes scaled(const Sizes& strides, const std::vector<int64_t>& factors) {
  Sizes result = tail(strides, 2);
  for (size_t i = 0; i < result.size(); ++i) result[i] *= factors[i];
  return result;
}

Sizes joined(Sizes first, const Sizes& last) {
  first.insert(first.end(), last.begin(), last.end());
  return first;
}

Result<Array> convolution(const WindowAttrs& attrs, const Array& x, const Array& w, const Sizes& shape,
                          const OpContext& context) {
  TUFF_ASSIGN(Array out, context.memory.allocate(x.dtype, shape));
  int64_t group_outputs = w.shape[0] / attrs.groups, group_inputs = w.shape[1];
  Sizes k_shape = joined(attrs.kernel, {group_inputs});
  Sizes n_shape = joined({shape[0]}, tail(shape, 2));
  InnerProduct product;
  product.a_batch = offsets_of({attrs.groups}, {group_outputs * w.strides[0]});
  product.b_batch = offsets_of({attrs.groups}, {group_inputs * x.strides[1]});
  product.out_batch = offsets_of({attrs.groups}, {group_outputs * out.strides[1]});
  product.a_m = offsets_of({group_outputs}, {w.strides[0]});
  product.out_m = offsets_of({group_outputs}, {out.strides[1]});
  product.b_n = offsets_of(n_shape, joined({x.strides[0]}, scaled(x.strides, attrs.strides)));
  product.out_n = offsets_of(n_shape, joined({out.strides[0]}, tail(out.strides, 2)));
  product.a_k = offsets_of(k_shape, joined(tail(w.strides, 2), {w.strides[1]}));
  product.b_k = offsets_of(k_shape, joined(scaled(x.strides, attrs.dilations), {x.strides[1]}));
  TUFF_ASSIGN(product, with_order(std::move(product), attrs.order));
  inner_products(product, w, x, out, context.thread_count);
  return out;
}

template <class T, class Combine>
void pool(const std::vector<int64_t>& kernel_offsets, const std::vector<int64_t>& positions, const Array& x, Array& out,
          int thread_count) {
  const T* from = x.data<T>();
  T* to = out.mutable_data<T>();
  parallel_for(static_cast<int64_t>(positions.size()), thread_count, [&](int64_t begin, int64_t end) {
    std::fill(to + begin, to + end, Combine::identity());
    for (int64_t offset : kernel_offsets)
      for (int64_t i = begin; i < end; ++i) to[i] = Combine::combine(to[i], from[positions[static_cast<size_t>(i)] + offset]);
  });
}

template <class T>
Result<Array> pooling(const WindowAttrs& attrs, const Array& x, const Sizes& shape, const OpContext& context) {
  TUFF_ASSIGN(Array out, context.memory.allocate(x.dtype, shape));
  std::vector<int64_t> kernel_offsets = offsets_of(attrs.kernel, scaled(x.strides, attrs.dilations));
  std::vector<int64_t> positions = offsets_of(shape, joined({x.strides[0], x.strides[1]}, scaled(x.strides, attrs.strides)));
  if (attrs.op == WindowOp::kSum)
    pool<T, Add<T>>(kernel_offsets, positions, x, out, context.thread_count);
  else
    pool<T, Max<T>>(kernel_offsets, positions, x, out, context.thread_count);
  return out;
}

}  // namespace

Result<Array> evaluate_window(const WindowAttrs& attrs, const Arrays& inputs, const Sizes& shape, const OpContext& context) {
  for (size_t i = 2; i < shape.size(); ++i)
    if (shape[i] <= 0 && inputs[0].shape[i] < attrs.dilations[i - 2] * (attrs.kernel[i - 2] - 1) + 1)
      return invalid_argument("the window is larger than the padded input size " + std::to_string(inputs[0].shape[i]) + ".");
  if (attrs.op == WindowOp::kConv) return convolution(attrs, inputs[0], inputs[1], shape, context);
  if (attrs.op == WindowOp::kSum && attrs.order.kind != SumOrder::Kind::kSerial && attrs.order.kind != SumOrder::Kind::kUnset)
    return invalid_argument("A window is summed serially.");
  const Array& x = inputs[0];
  return with_element_type(x.dtype, [&]<class T>(T) { return pooling<T>(attrs, x, shape, context); });
}

}  // namespace tuff
