#include "device/text_match.h"

namespace tuff {

bool contains_any(std::string_view text, std::string_view parts) {
  while (true) {
    const size_t bar = parts.find('|');
    if (text.find(parts.substr(0, bar)) != std::string_view::npos) return true;
    if (bar == std::string_view::npos) return false;
    parts.remove_prefix(bar + 1);
  }
}

}  // namespace tuff
