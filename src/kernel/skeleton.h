// Skeletons: shaders/*.glsl with slots. ${name} is replaced by a slot's text; a line that holds nothing else takes a text
// of many lines at its indentation. Lines that begin with //@ direct the expansion:
//   //@for i count ... //@end    repeated for i = 0 .. count - 1, ${i} being the number (also inside a slot's
//                                 name: ${load_${i}}); loops nest
//   //@if name ... //@else ... //@end    kept where the slot is not empty
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/status.h"

namespace tuff {

using Slots = std::map<std::string, std::string>;

// INTERNAL for an unknown slot or an unbalanced directive: skeletons are ours.
Result<std::string> expand_skeleton(std::string_view path, const Slots& slots);

}  // namespace tuff
