#include "kernel/shader_library.h"

#include <cctype>
#include <set>
#include <vector>

#include "kernel/shader_text.h"

namespace tuff {
namespace {

// A piece of a library file: a function with the name that it defines, or lines between functions.
struct Piece {
  std::string_view text;
  std::string_view function;  // empty: kept always
};

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

// The name that a line at column 0 begins to define: "float tuff_exp(float x) {" or "... }" on one line.
std::string_view defined_function(std::string_view line) {
  if (line.empty() || !is_word(line[0])) return {};
  size_t open = line.find('(');
  if (open == std::string_view::npos || line.find('{') == std::string_view::npos || line.find('=') < open) return {};
  size_t begin = open;
  while (begin > 0 && is_word(line[begin - 1])) --begin;
  return line.substr(begin, open - begin);
}

std::vector<Piece> split(std::string_view text) {
  std::vector<Piece> pieces;
  while (!text.empty()) {
    size_t end = text.find('\n');
    end = end == std::string_view::npos ? text.size() : end + 1;
    std::string_view line = text.substr(0, end);
    std::string_view function = defined_function(line);
    if (!function.empty() && line.find('}') == std::string_view::npos) {
      // To the brace at column 0 that closes it.
      size_t close = text.find("\n}");
      end = close == std::string_view::npos ? text.size() : text.find('\n', close + 1);
      end = end == std::string_view::npos ? text.size() : end + 1;
    }
    pieces.push_back({text.substr(0, end), function});
    text.remove_prefix(end);
  }
  return pieces;
}

void add_words(std::string_view text, std::set<std::string_view>& words) {
  for (size_t i = 0; i < text.size();) {
    if (text.substr(i, 2) == "//") {
      i = std::min(text.find('\n', i), text.size());
      continue;
    }
    size_t end = i;
    while (end < text.size() && is_word(text[end])) ++end;
    if (end > i) words.insert(text.substr(i, end - i));
    i = end > i ? end : i + 1;
  }
}

}  // namespace

std::string library_for(std::string_view body) {
  std::vector<Piece> pieces;
  for (std::string_view path : {"lib/numerics.glsl", "lib/integer.glsl", "lib/packed.glsl"}) {
    for (const ShaderText& file : shader_texts())
      if (file.path == path)
        for (const Piece& piece : split(file.text)) pieces.push_back(piece);
  }
  // Callees stand before their callers, so one walk from the end finds all that is needed.
  std::set<std::string_view> words;
  add_words(body, words);
  std::vector<bool> kept(pieces.size());
  for (size_t i = pieces.size(); i-- > 0;) {
    kept[i] = pieces[i].function.empty() || words.count(pieces[i].function) > 0;
    if (kept[i] && !pieces[i].function.empty()) add_words(pieces[i].text, words);
  }
  std::string out;
  for (size_t i = 0; i < pieces.size(); ++i) {
    // Comments and blank lines explain the file, not the kernel.
    bool prose = pieces[i].function.empty() && (pieces[i].text.starts_with("//") || pieces[i].text == "\n");
    if (kept[i] && !prose) out += pieces[i].text;
  }
  return out;
}

}  // namespace tuff
