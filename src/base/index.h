// Distinct index types: a ValueId cannot be passed where a NodeId is wanted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

namespace tuff {

template <class Tag>
struct Index {
  uint32_t value = UINT32_MAX;

  constexpr Index() = default;
  constexpr explicit Index(size_t v) : value(static_cast<uint32_t>(v)) {}
  constexpr bool valid() const { return value != UINT32_MAX; }
  friend constexpr bool operator==(Index a, Index b) { return a.value == b.value; }
  friend constexpr bool operator!=(Index a, Index b) { return a.value != b.value; }
  friend constexpr bool operator<(Index a, Index b) { return a.value < b.value; }
};

}  // namespace tuff

template <class Tag>
struct std::hash<tuff::Index<Tag>> {
  size_t operator()(tuff::Index<Tag> id) const { return std::hash<uint32_t>()(id.value); }
};
