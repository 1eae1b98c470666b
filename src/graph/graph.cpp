#include "graph/graph.h"

#include <algorithm>
#include <cstring>

#include "base/checked.h"
#include "graph/builder.h"

namespace tuff {

int64_t WindowAttrs::tap_count() const {
  int64_t count = 1;
  for (int64_t taps : kernel) count *= taps;
  return count;
}

bool WindowAttrs::is_plain_3x3() const {
  const std::vector<int64_t> three = {3, 3}, one = {1, 1};
  return op == WindowOp::kConv && groups == 1 && kernel == three && strides == one && dilations == one;
}

bool is_view(const Attrs& attrs) {
  return std::holds_alternative<ReshapeAttrs>(attrs) || std::holds_alternative<TransposeAttrs>(attrs) ||
         std::holds_alternative<SliceAttrs>(attrs) || std::holds_alternative<PadAttrs>(attrs) ||
         std::holds_alternative<BroadcastAttrs>(attrs) || std::holds_alternative<ConcatAttrs>(attrs) ||
         std::holds_alternative<GatherAttrs>(attrs);
}

bool has_label(const std::vector<int>& labels, int label) {
  return std::find(labels.begin(), labels.end(), label) != labels.end();
}

std::string label(const Node& node) { return node.origins.front() + " (" + std::string(attrs_name(node.attrs)) + ")"; }

std::string_view attrs_name(const Attrs& attrs) {
  static constexpr std::string_view kMapNames[] = {
#define TUFF_OP(name, ...) "map." #name,
#include "graph/ops.def"
#undef TUFF_OP
      "map.cast"};
  static constexpr std::string_view kReduceNames[] = {"reduce.sum",    "reduce.product", "reduce.max", "reduce.min",
                                                      "reduce.argmax", "reduce.argmin",  "reduce.any", "reduce.all"};
  static constexpr std::string_view kWindowNames[] = {"window.conv", "window.sum", "window.max"};
  struct Namer {
    std::string_view operator()(const MapAttrs& a) const { return kMapNames[static_cast<int>(a.op)]; }
    std::string_view operator()(const ReduceAttrs& a) const { return kReduceNames[static_cast<int>(a.op)]; }
    std::string_view operator()(const ContractAttrs&) const { return "contract"; }
    std::string_view operator()(const WindowAttrs& a) const { return kWindowNames[static_cast<int>(a.op)]; }
    std::string_view operator()(const ReshapeAttrs&) const { return "reshape"; }
    std::string_view operator()(const TransposeAttrs&) const { return "transpose"; }
    std::string_view operator()(const SliceAttrs&) const { return "slice"; }
    std::string_view operator()(const PadAttrs&) const { return "pad"; }
    std::string_view operator()(const BroadcastAttrs&) const { return "broadcast"; }
    std::string_view operator()(const ConcatAttrs&) const { return "concat"; }
    std::string_view operator()(const GatherAttrs&) const { return "gather"; }
    std::string_view operator()(const IotaAttrs&) const { return "iota"; }
    std::string_view operator()(const DimensionAttrs&) const { return "dimension"; }
    std::string_view operator()(const ConstantAttrs&) const { return "constant"; }
  };
  return std::visit(Namer{}, attrs);
}

std::vector<std::vector<NodeId>> value_users(const Graph& graph) {
  std::vector<std::vector<NodeId>> users(graph.values.size());
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    for (ValueId input : graph.nodes[n].inputs) {
      auto& list = users[input.value];
      if (list.empty() || list.back() != NodeId(n)) list.push_back(NodeId(n));
    }
  }
  return users;
}

Result<Bytes> constant_bytes(const ConstantAttrs& constant) {
  if (constant.data.kind == ConstantData::Kind::kBytes) return constant.data.bytes;
  auto count = product(constant.shape).evaluate([](std::string_view) { return std::nullopt; });
  auto size = count ? checked_multiply(*count, dtype_size_bytes(constant.dtype)) : std::nullopt;
  constexpr int64_t kLimitBytes = int64_t{1} << 31;
  if (!size || *size > kLimitBytes)
    return limit_exceeded("A constant of shape " + dims_text(constant.shape) + " is larger than the limit of " +
                          std::to_string(kLimitBytes) + " bytes.");
  auto storage = std::make_shared<std::string>(static_cast<size_t>(*size), '\0');
  size_t width = static_cast<size_t>(dtype_size_bytes(constant.dtype));
  uint64_t state = constant.data.bits;
  for (int64_t i = 0; i < *count; ++i) {
    uint64_t bits = constant.data.bits;
    if (constant.data.kind == ConstantData::Kind::kRandom) {
      // splitmix64; the top 24 bits give a float in [-scale, scale).
      state += 0x9e3779b97f4a7c15ull;
      uint64_t z = state;
      z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
      z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
      z ^= z >> 31;
      double unit = static_cast<double>(static_cast<int64_t>(z >> 40) - (1 << 23)) / (1 << 23);
      bits = scalar_bits(constant.dtype, unit * constant.data.scale);
    }
    std::memcpy(storage->data() + static_cast<size_t>(i) * width, &bits, width);
  }
  return bytes_from_string(std::move(storage));
}

}  // namespace tuff
