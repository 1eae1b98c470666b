#include "simplify/f16_constant.h"

#include <cmath>
#include <cstring>

#include "base/float16.h"

namespace tuff {
namespace {

bool is_beyond(float number, uint16_t half) { return std::isfinite(number) && !std::isfinite(half_to_float(half)); }

}  // namespace

Result<std::optional<ValueId>> add_f16_constant(GraphBuilder& dst, const ConstantAttrs& constant) {
  if (constant.data.kind == ConstantData::Kind::kSplat) {
    const auto number = static_cast<float>(scalar_from_bits(Dtype::kF32, constant.data.bits));
    ConstantAttrs halves{Dtype::kF16, constant.shape, {}};
    halves.data.kind = ConstantData::Kind::kSplat;
    halves.data.bits = float_to_half(number);
    if (is_beyond(number, static_cast<uint16_t>(halves.data.bits))) return std::optional<ValueId>();
    TUFF_ASSIGN(ValueId added, dst.add(std::move(halves), {}));
    return std::optional<ValueId>(added);
  }
  TUFF_ASSIGN(Bytes bytes, constant_bytes(constant));
  auto halves = std::make_shared<std::string>(bytes.data.size() / 2, '\0');
  for (size_t i = 0; i < bytes.data.size() / 4; ++i) {
    float number;
    std::memcpy(&number, bytes.data.data() + 4 * i, sizeof number);
    const uint16_t half = float_to_half(number);
    if (is_beyond(number, half)) return std::optional<ValueId>();
    std::memcpy(halves->data() + 2 * i, &half, sizeof half);
  }
  TUFF_ASSIGN(ValueId added, dst.constant(Dtype::kF16, constant.shape, bytes_from_string(std::move(halves))));
  return std::optional<ValueId>(added);
}

}  // namespace tuff
