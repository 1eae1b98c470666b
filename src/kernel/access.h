// Access: how elements of a value are taken out of its buffer and put there. In: an index and register texts. Out: texts of the
// lanes, or statements in the block.
//
// Elements of 8 and 16 bits lie packed in storage and are read as the words around them, so that no feature of the device is
// needed. They are written as whole words where the lanes fill some, element by element where the device has storage of
// that width, and else by clearing and setting their bits of the word atomically: its other elements may be another
// invocation's.
#pragma once

#include "kernel/emit.h"

namespace tuff {

// Elements width * index .. width * index + width - 1, as a text a lane, where `test` holds (empty: always), and `fill` (bits
// of the dtype) where not. `as`: the value's dtype, or u16 for the bits of an f16. Without a branch: vector 0, which every
// buffer has, is read in its place. Branches around loads cost more than the loads on every compiler that was tried.
std::vector<std::string> load_lanes(Block& block, ValueId value, Dtype as, int width, const std::string& index,
                                    const std::string& test, uint64_t fill);

// The word `index` of a value whose elements are packed, where `test` holds, and the word `fill` where not.
std::string load_word(Block& block, ValueId value, const std::string& index, const std::string& test, const std::string& fill);

// Writes those elements. The lanes are what the dtype can hold.
void store_lanes(Block& block, ValueId value, int width, const std::string& index, const std::vector<std::string>& lanes);

}  // namespace tuff
