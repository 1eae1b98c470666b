#include "simplify/integer_storage.h"

#include <algorithm>

namespace tuff {
namespace {

// Zero points and tables of fewer bytes are folded like other constants.
constexpr int64_t kLeastBytes = 256;

}  // namespace

bool IntegerStorage::expands(const Node& node, const Value& output) {
  if (sources_.size() <= node.output.value) sources_.resize(node.output.value + 1);
  Source& source = sources_[node.output.value];
  const IntExpr size = product(output.shape) * IntExpr(dtype_size_bytes(output.dtype));
  if (!size.is_constant()) return false;
  if (const auto* constant = std::get_if<ConstantAttrs>(&node.attrs)) {
    if (constant->data.kind == ConstantData::Kind::kSplat) return false;
    const bool narrow = is_integer(output.dtype) && dtype_size_bytes(output.dtype) <= 2;
    source = {size.constant(), narrow && size.constant() >= kLeastBytes};
    return false;
  }
  for (ValueId in : node.inputs) {
    if (in.value >= sources_.size()) continue;  // an input of the graph
    const Source& from = sources_[in.value];
    source.bytes = std::min<int64_t>(source.bytes + from.bytes, INT64_MAX / 4);
    source.integers = source.integers || from.integers;
  }
  return source.integers && size.constant() > source.bytes;
}

}  // namespace tuff
