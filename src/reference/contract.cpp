// Contractions over labelled axes.
#include <algorithm>

#include "reference/inner_product.h"
#include "reference/ops.h"

namespace tuff {
namespace {

// The stride along a label, 0 where the array does not have it.
int64_t stride_of(const std::vector<int>& labels, const Sizes& strides, int label) {
  auto it = std::find(labels.begin(), labels.end(), label);
  return it == labels.end() ? 0 : strides[static_cast<size_t>(it - labels.begin())];
}

}  // namespace

Result<Array> evaluate_contract(const ContractAttrs& attrs, const Arrays& inputs, const Sizes& shape,
                                const OpContext& context) {
  const Array &a = inputs[0], &b = inputs[1];
  TUFF_ASSIGN(Array out, context.memory.allocate(a.dtype, shape));
  auto size_of = [&](int label) {
    auto it = std::find(attrs.a.begin(), attrs.a.end(), label);
    if (it != attrs.a.end()) return a.shape[static_cast<size_t>(it - attrs.a.begin())];
    return b.shape[static_cast<size_t>(std::find(attrs.b.begin(), attrs.b.end(), label) - attrs.b.begin())];
  };
  auto table = [&](const std::vector<int>& labels, const std::vector<int>& own, const Sizes& own_strides) {
    Sizes sizes, strides;
    for (int label : labels) {
      sizes.push_back(size_of(label));
      strides.push_back(stride_of(own, own_strides, label));
    }
    return offsets_of(sizes, strides);
  };
  std::vector<int> batch, m, n, k;
  for (int label : attrs.out) (has_label(attrs.a, label) ? has_label(attrs.b, label) ? batch : m : n).push_back(label);
  for (int label : attrs.a)
    if (!has_label(attrs.out, label)) k.push_back(label);
  for (int label : attrs.b)
    if (!has_label(attrs.out, label) && !has_label(attrs.a, label)) k.push_back(label);

  InnerProduct product;
  product.a_batch = table(batch, attrs.a, a.strides);
  product.b_batch = table(batch, attrs.b, b.strides);
  product.out_batch = table(batch, attrs.out, out.strides);
  product.a_m = table(m, attrs.a, a.strides);
  product.out_m = table(m, attrs.out, out.strides);
  product.b_n = table(n, attrs.b, b.strides);
  product.out_n = table(n, attrs.out, out.strides);
  product.a_k = table(k, attrs.a, a.strides);
  product.b_k = table(k, attrs.b, b.strides);
  TUFF_ASSIGN(product, with_order(std::move(product), attrs.order));
  inner_products(product, a, b, out, context.thread_count);
  return out;
}

}  // namespace tuff
