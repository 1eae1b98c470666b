#include "kernel/skeleton.h"

#include <vector>

#include "kernel/shader_text.h"

namespace tuff {
namespace {

class Expander {
 public:
  Expander(std::string_view path, std::string_view text, const Slots& slots) : path_(path), slots_(slots) {
    while (!text.empty()) {
      size_t end = text.find('\n');
      lines_.push_back(text.substr(0, end));
      text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    }
  }

  Result<std::string> run() {
    size_t at = 0;
    TUFF_TRY(block(at, lines_.size(), true));
    return std::move(out_);
  }

 private:
  static std::vector<std::string> words(std::string_view directive) {
    std::vector<std::string> out;
    size_t i = 0;
    while (i < directive.size()) {
      while (i < directive.size() && directive[i] == ' ') ++i;
      size_t start = i;
      while (i < directive.size() && directive[i] != ' ') ++i;
      if (i > start) out.emplace_back(directive.substr(start, i - start));
    }
    return out;
  }

  static std::string_view directive_of(std::string_view line) {
    size_t start = line.find_first_not_of(' ');
    if (start == std::string_view::npos || line.substr(start, 3) != "//@") return {};
    return line.substr(start + 3);
  }

  // The line of the //@end (or //@else) that belongs to the directive at `at`.
  Result<size_t> matching(size_t at, bool stop_at_else) const {
    int depth = 0;
    for (size_t i = at + 1; i < lines_.size(); ++i) {
      auto w = words(directive_of(lines_[i]));
      if (w.empty()) continue;
      if (w[0] == "for" || w[0] == "if") ++depth;
      if (depth == 0 && (w[0] == "end" || (stop_at_else && w[0] == "else"))) return i;
      if (w[0] == "end") --depth;
    }
    return error(at, "has no //@end");
  }

  Status error(size_t line, std::string_view what) const {
    return internal_error("shaders/" + std::string(path_) + ", line " + std::to_string(line + 1) + " " + std::string(what) +
                          ".");
  }

  Status block(size_t at, size_t end, bool emit) {
    while (at < end) {
      auto w = words(directive_of(lines_[at]));
      if (w.empty()) {
        if (emit) TUFF_TRY(line(at));
        ++at;
        continue;
      }
      TUFF_ASSIGN(size_t close, matching(at, false));
      if (w[0] == "for" && w.size() == 3) {
        auto count = slots_.find(w[2]);
        if (count == slots_.end()) return error(at, "repeats by an unknown slot");
        for (int i = 0; i < std::stoi(count->second); ++i) {
          loop_variables_[w[1]] = std::to_string(i);
          TUFF_TRY(block(at + 1, close, emit));
        }
        loop_variables_.erase(w[1]);
      } else if (w[0] == "if" && w.size() == 2) {
        auto slot = slots_.find(w[1]);
        if (slot == slots_.end()) return error(at, "asks for an unknown slot");
        TUFF_ASSIGN(size_t middle, matching(at, true));
        if (!slot->second.empty())
          TUFF_TRY(block(at + 1, middle, emit));
        else if (middle != close)
          TUFF_TRY(block(middle + 1, close, emit));
      } else {
        return error(at, "has an unknown directive");
      }
      at = close + 1;
    }
    return ok_status();
  }

  Status line(size_t at) {
    // Loop variables first, so that they may be part of a slot's name: ${load_${i}}.
    std::string numbered(lines_[at]);
    for (const auto& [variable, number] : loop_variables_)
      for (size_t i; (i = numbered.find("${" + variable + "}")) != std::string::npos;)
        numbered.replace(i, variable.size() + 3, number);
    std::string_view text = numbered;
    size_t indent = text.find_first_not_of(' ');
    if (indent != std::string_view::npos && text.substr(indent, 2) == "${" && text.back() == '}' &&
        text.find("${", indent + 1) == std::string_view::npos) {
      auto slot = slots_.find(std::string(text.substr(indent + 2, text.size() - indent - 3)));
      if (slot == slots_.end()) return error(at, "has an unknown slot");
      // Each line of the slot's text at this indentation.
      std::string_view rest = slot->second;
      while (!rest.empty()) {
        size_t stop = rest.find('\n');
        out_ += std::string(indent, ' ') + std::string(rest.substr(0, stop)) + "\n";
        rest = stop == std::string_view::npos ? std::string_view() : rest.substr(stop + 1);
      }
      return ok_status();
    }
    for (size_t i = 0; i < text.size();) {
      if (text.substr(i, 2) != "${") {
        out_ += text[i++];
        continue;
      }
      size_t close = text.find('}', i);
      if (close == std::string_view::npos) return error(at, "has an open slot");
      auto slot = slots_.find(std::string(text.substr(i + 2, close - i - 2)));
      if (slot == slots_.end()) return error(at, "has an unknown slot");
      out_ += slot->second;
      i = close + 1;
    }
    out_ += "\n";
    return ok_status();
  }

  std::string_view path_;
  const Slots& slots_;
  Slots loop_variables_;
  std::vector<std::string_view> lines_;
  std::string out_;
};

}  // namespace

Result<std::string> expand_skeleton(std::string_view path, const Slots& slots) {
  for (const ShaderText& text : shader_texts())
    if (text.path == path) return Expander(path, text.text, slots).run();
  return internal_error("The skeleton shaders/" + std::string(path) + " is not in this build.");
}

}  // namespace tuff
