// Where what lies in an artifact's head, which every format version has in common.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "base/hash.h"

namespace tuff {

// Not text, and damaged by what changes the ends of lines, as PNG's is.
inline constexpr std::array<unsigned char, 8> kArtifactMagic = {0x89, 'T', 'U', 'F', 'F', '\r', '\n', 0x1a};
inline constexpr size_t kSizeOffset = 16, kHashOffset = 24, kHeadBytes = 40;
inline constexpr size_t kConstantAlignment = 64;  // from the start of the artifact

// Over all bytes but the hash itself; there are at least kHeadBytes.
Hash artifact_hash(std::span<const std::byte> bytes);
// Writes size and hash into the head.
void seal_artifact(std::span<std::byte> bytes);

}  // namespace tuff
