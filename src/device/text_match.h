// How the tables of devices name them.
#pragma once

#include <string_view>

namespace tuff {

// True if the text contains any of the parts, which are separated by '|'; an empty part is contained in everything.
bool contains_any(std::string_view text, std::string_view parts);

}  // namespace tuff
