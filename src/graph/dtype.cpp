#include "graph/dtype.h"

namespace tuff {
namespace {

struct Row {
  std::string_view name;
  int64_t size_bytes;
};
constexpr Row kDtypeRows[kDtypeCount] = {{"f32", 4}, {"f16", 2}, {"bf16", 2}, {"f64", 8}, {"i8", 1},  {"i16", 2}, {"i32", 4},
                                         {"i64", 8}, {"u8", 1},  {"u16", 2},  {"u32", 4}, {"u64", 8}, {"bool", 1}};

}  // namespace

std::string_view dtype_name(Dtype dtype) { return kDtypeRows[static_cast<int>(dtype)].name; }
int64_t dtype_size_bytes(Dtype dtype) { return kDtypeRows[static_cast<int>(dtype)].size_bytes; }

std::optional<Dtype> dtype_from_name(std::string_view name) {
  for (int i = 0; i < kDtypeCount; ++i)
    if (kDtypeRows[i].name == name) return static_cast<Dtype>(i);
  return std::nullopt;
}

}  // namespace tuff
