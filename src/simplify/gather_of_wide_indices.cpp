// gather(x, i: i64 constant) = gather(x, i: i32), and gather(x, cast<i64>(i)) = gather(x, cast<i32>(i)) where an i32 holds
// every value of i: no axis is longer than an i32 counts and indices outside are clamped, so an index beyond i32 says no
// more than i32's end. Devices without 64-bit integers then have no need of them (a resize is such a gather).
#include <algorithm>
#include <cstring>

#include "simplify/rules.h"

namespace tuff {
namespace {

constexpr int64_t kEnd = INT32_MAX;

Result<ValueId> narrowed(Rewriter& dst, const ConstantAttrs& wide) {
  ConstantAttrs narrow = wide;
  narrow.dtype = Dtype::kI32;
  auto clamped = [](int64_t i) { return static_cast<int32_t>(std::clamp(i, -kEnd, kEnd)); };
  if (wide.data.kind == ConstantData::Kind::kSplat) {
    narrow.data.bits = static_cast<uint32_t>(clamped(static_cast<int64_t>(wide.data.bits)));
    return dst.builder().add(std::move(narrow), {});
  }
  std::string words;
  for (size_t at = 0; at < wide.data.bytes.data.size(); at += sizeof(int64_t)) {
    int64_t i;
    std::memcpy(&i, wide.data.bytes.data.data() + at, sizeof i);
    const int32_t word = clamped(i);
    words.append(reinterpret_cast<const char*>(&word), sizeof word);
  }
  narrow.data.bytes = bytes_from_string(std::make_shared<std::string>(std::move(words)));
  return dst.builder().add(std::move(narrow), {});
}

}  // namespace

Rewritten gather_of_wide_indices(Rewriter& dst, const Site& site) {
  const auto* gather = site.as<GatherAttrs>();
  if (!gather || dst.value(site.inputs[1]).dtype != Dtype::kI64) return kNoMatch;
  ValueId index;
  if (const auto* constant = dst.producer_as<ConstantAttrs>(site.inputs[1])) {
    if (constant->data.kind == ConstantData::Kind::kRandom) return kNoMatch;
    TUFF_ASSIGN(index, narrowed(dst, *constant));
  } else if (const Node* cast = dst.map_producer(site.inputs[1], MapOp::cast)) {
    const ValueId i = cast->inputs[0];
    const Dtype from = dst.value(i).dtype;
    if (is_float(from) || dtype_size_bytes(from) > 4 || from == Dtype::kU32) return kNoMatch;
    dst.also_from({site.inputs[1]});
    TUFF_ASSIGN(index, dst.builder().cast(i, Dtype::kI32));
  } else {
    return kNoMatch;
  }
  TUFF_ASSIGN(ValueId y, dst.builder().add(GatherAttrs(*gather), {site.inputs[0], index}));
  return y;
}

}  // namespace tuff
