// Views and sources of elements: reshape, transpose, slice, pad, broadcast, concat, gather, iota.
#include <algorithm>

#include "base/checked.h"
#include "graph/builder.h"
#include "reference/ops.h"

namespace tuff {
namespace {

// Adding or dropping axes of size 1 keeps strides.
bool keep_strides(const Array& x, const Sizes& shape, Sizes& strides) {
  size_t from = 0;
  strides.assign(shape.size(), 0);
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 1) continue;
    while (from < x.shape.size() && x.shape[from] == 1) ++from;
    if (from == x.shape.size() || x.shape[from] != shape[i]) return false;
    strides[i] = x.strides[from++];
  }
  return true;
}

// A part of `whole` as an array of its own: writing to it writes into the whole.
Array part(const Array& whole, Sizes shape, Sizes strides, int64_t offset) {
  return {whole.dtype, std::move(shape), std::move(strides), whole.offset + offset, whole.buffer};
}

// Where an output index of a padded axis reads: an index into `size`, or -1 for the fill.
int64_t padded_source(PadMode mode, int64_t index, int64_t low, int64_t interior, int64_t size) {
  int64_t i = index - low;
  if (size == 0) return -1;
  switch (mode) {
    case PadMode::kConstant: {
      bool inside = i >= 0 && i % (interior + 1) == 0 && i / (interior + 1) < size;
      return inside ? i / (interior + 1) : -1;
    }
    case PadMode::kEdge: return std::clamp<int64_t>(i, 0, size - 1);
    case PadMode::kWrap: return floor_mod(i, size);
    case PadMode::kReflect: {
      if (size == 1) return 0;
      int64_t period = 2 * (size - 1), at = floor_mod(i, period);
      return at < size ? at : period - at;
    }
  }
  return -1;
}

}  // namespace

Result<Array> evaluate_reshape(const Array& x, const Sizes& shape, const OpContext& context) {
  Sizes strides;
  if (keep_strides(x, shape, strides)) return part(x, shape, strides, 0);
  TUFF_ASSIGN(Array contiguous, make_contiguous(x, context.memory));
  return part(contiguous, shape, row_major_strides(shape), 0);
}

Result<Array> evaluate_transpose(const TransposeAttrs& attrs, const Array& x) {
  Sizes shape, strides;
  for (int axis : attrs.perm) {
    shape.push_back(x.shape[static_cast<size_t>(axis)]);
    strides.push_back(x.strides[static_cast<size_t>(axis)]);
  }
  return part(x, std::move(shape), std::move(strides), 0);
}

Result<Array> evaluate_slice(const SliceAttrs& attrs, const Array& x, const Sizes& shape, const OpContext& context) {
  Sizes strides;
  int64_t offset = 0;
  bool empty = element_count(shape) == 0;
  for (size_t i = 0; i < shape.size(); ++i) {
    strides.push_back(x.strides[i] * attrs.steps[i]);
    if (empty) continue;
    TUFF_ASSIGN(int64_t start, context.value(attrs.starts[i]));
    int64_t last = start + attrs.steps[i] * (shape[i] - 1);
    if (std::min(start, last) < 0 || std::max(start, last) >= x.shape[i])
      return invalid_argument("slices " + std::to_string(start) + " to " + std::to_string(last) + " out of the size " +
                              std::to_string(x.shape[i]) + ".");
    offset += start * x.strides[i];
  }
  return part(x, shape, std::move(strides), offset);
}

Result<Array> evaluate_pad(const PadAttrs& attrs, const Array& x, Dtype dtype, const Sizes& shape, const OpContext& context) {
  TUFF_ASSIGN(Array out, context.memory.allocate(x.dtype, shape));
  copy_elements(array_of_splat(dtype, shape, attrs.fill_bits, context.precision), out);
  // Each axis as a table of where its indices read; one row of the output at a time follows them.
  std::vector<std::vector<int64_t>> sources(shape.size());
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    TUFF_ASSIGN(int64_t low, context.value(attrs.low[axis]));
    TUFF_ASSIGN(int64_t high, context.value(attrs.high[axis]));
    if (low < 0 || high < 0) return invalid_argument("an amount of padding is negative.");
    for (int64_t i = 0; i < shape[axis]; ++i)
      sources[axis].push_back(padded_source(attrs.mode, i, low, attrs.interior[axis], x.shape[axis]));
  }
  if (shape.empty() || x.count() == 0) {
    if (shape.empty()) copy_elements(x, out);
    return out;
  }
  // Runs of output indices along the last axis whose sources step by 1 are copied at once.
  struct Run {
    int64_t to, from, length;
  };
  std::vector<Run> runs;
  const auto& last = sources.back();
  for (int64_t i = 0; i < static_cast<int64_t>(last.size()); ++i) {
    int64_t from = last[static_cast<size_t>(i)];
    if (from < 0) continue;
    if (!runs.empty() && runs.back().to + runs.back().length == i && runs.back().from + runs.back().length == from)
      ++runs.back().length;
    else
      runs.push_back({i, from, 1});
  }
  Sizes index(shape.size() - 1, 0);
  int64_t row_count = shape.back() == 0 ? 0 : out.count() / shape.back();
  for (int64_t row = 0; row < row_count; ++row) {
    int64_t from = 0;
    bool filled = false;
    for (size_t axis = 0; axis < index.size(); ++axis) {
      int64_t source = sources[axis][static_cast<size_t>(index[axis])];
      filled |= source < 0;
      from += source * x.strides[axis];
    }
    for (size_t r = 0; !filled && r < runs.size(); ++r) {
      Array to = part(out, {runs[r].length}, {1}, row * shape.back() + runs[r].to);
      copy_elements(part(x, {runs[r].length}, {x.strides.back()}, from + runs[r].from * x.strides.back()), to);
    }
    for (size_t axis = index.size(); axis-- > 0;) {
      if (++index[axis] < shape[axis]) break;
      index[axis] = 0;
    }
  }
  return out;
}

Result<Array> evaluate_broadcast(const Array& x, const Sizes& shape) {
  Sizes strides = x.strides;
  for (size_t i = 0; i < shape.size(); ++i)
    if (x.shape[i] != shape[i] || x.shape[i] == 1) strides[i] = 0;
  return part(x, shape, std::move(strides), 0);
}

Result<Array> evaluate_concat(const ConcatAttrs& attrs, const Arrays& inputs, const Sizes& shape, const OpContext& context) {
  TUFF_ASSIGN(Array out, context.memory.allocate(inputs[0].dtype, shape));
  size_t axis = static_cast<size_t>(attrs.axis);
  int64_t offset = 0;
  for (const Array& x : inputs) {
    Array to = part(out, x.shape, out.strides, offset);
    copy_elements(x, to);
    offset += x.shape[axis] * out.strides[axis];
  }
  return out;
}

Result<Array> evaluate_gather(const GatherAttrs& attrs, const Arrays& inputs, const Sizes& shape, const OpContext& context) {
  const Array& data = inputs[0];
  TUFF_ASSIGN(Array indices, make_contiguous(inputs[1], context.memory));
  TUFF_ASSIGN(Array out, context.memory.allocate(data.dtype, shape));
  size_t axis = static_cast<size_t>(attrs.axis);
  int64_t size = data.shape[axis];
  if (out.count() == 0) return out;
  if (size == 0) return invalid_argument("gathers from an axis without elements.");
  // Both as [before, one index, after].
  Sizes piece = data.shape, to_strides;
  piece.erase(piece.begin() + attrs.axis);
  Sizes from_strides = data.strides;
  from_strides.erase(from_strides.begin() + attrs.axis);
  for (size_t i = 0; i < piece.size(); ++i) to_strides.push_back(out.strides[i < axis ? i : i + indices.shape.size()]);
  int64_t after = 1;
  for (size_t i = axis + 1; i < data.shape.size(); ++i) after *= data.shape[i];
  int64_t index_count = indices.count();
  for (int64_t i = 0; i < index_count; ++i) {
    int64_t index = indices.dtype == Dtype::kI32 ? indices.data<int32_t>()[i] : indices.data<int64_t>()[i];
    if (index < 0 && index >= -size) index += size;
    index = std::clamp<int64_t>(index, 0, size - 1);
    Array to = part(out, piece, to_strides, i * after);
    copy_elements(part(data, piece, from_strides, index * data.strides[axis]), to);
  }
  return out;
}

Result<Array> evaluate_iota(const IotaAttrs& attrs, const Sizes& shape, const OpContext& context) {
  Dtype storage = storage_dtype(attrs.dtype, context.precision);
  int64_t count = shape[static_cast<size_t>(attrs.axis)];
  TUFF_ASSIGN(Array counted, context.memory.allocate(Dtype::kI64, {count}));
  for (int64_t i = 0; i < count; ++i) counted.mutable_data<int64_t>()[i] = i;
  TUFF_ASSIGN(counted, evaluate_cast(counted, Dtype::kI64, attrs.dtype, context));
  Sizes strides(shape.size(), 0);
  strides[static_cast<size_t>(attrs.axis)] = 1;
  return Array{storage, shape, std::move(strides), 0, counted.buffer};
}

}  // namespace tuff
