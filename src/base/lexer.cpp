#include "base/lexer.h"

#include <charconv>
#include <cmath>
#include <limits>

namespace tuff {
namespace {

// ASCII, whatever locale the host has set.
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_name_char(char c) { return is_name_start(c) || is_digit(c) || c == '.'; }
bool is_hex_digit(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

}  // namespace

std::string quote(std::string_view s) {
  static const char kDigits[] = "0123456789abcdef";
  std::string out = "\"";
  for (unsigned char c : s) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c < 0x20 || c == 0x7f) {
      out += "\\x";
      out += kDigits[c >> 4];
      out += kDigits[c & 15];
    } else {
      out += static_cast<char>(c);
    }
  }
  return out + "\"";
}

Lexer::Lexer(std::string_view source, std::string source_name) : source_(source), source_name_(std::move(source_name)) {
  advance();
}

Token Lexer::take() {
  Token taken = token_;
  advance();
  return taken;
}

bool Lexer::accept(std::string_view text) {
  bool matches = (token_.kind == TokenKind::kPunctuation || token_.kind == TokenKind::kName) && token_.text == text;
  if (matches) advance();
  return matches;
}

Status Lexer::expect(std::string_view text) {
  if (accept(text)) return ok_status();
  return error("'" + std::string(text) + "' was expected");
}

Result<std::string> Lexer::expect_name() {
  if (token_.kind != TokenKind::kName) return error("a name was expected");
  return take().text;
}

Result<std::string> Lexer::expect_string() {
  if (token_.kind != TokenKind::kString) return error("a quoted string was expected");
  return take().text;
}

Result<int64_t> Lexer::expect_integer() {
  bool negative = accept("-");
  if (token_.kind != TokenKind::kInteger) return error("an integer was expected");
  int64_t v = take().integer;
  return negative ? -v : v;
}

Result<double> Lexer::expect_real() {
  bool negative = accept("-");
  double v;
  if (token_.kind == TokenKind::kInteger || token_.kind == TokenKind::kReal)
    v = token_.real;
  else if (token_.kind == TokenKind::kName && token_.text == "inf")
    v = std::numeric_limits<double>::infinity();
  else if (token_.kind == TokenKind::kName && token_.text == "nan")
    v = std::numeric_limits<double>::quiet_NaN();
  else
    return error("a number was expected");
  advance();
  return negative ? -v : v;
}

Status Lexer::error(std::string_view what) const {
  constexpr size_t kShown = 40;
  std::string found = "the end";
  if (token_.kind != TokenKind::kEnd)
    found = "'" + token_.text.substr(0, kShown) + (token_.text.size() > kShown ? "...'" : "'");
  return invalid_argument(source_name_ + ", line " + std::to_string(token_.line) + ": " + std::string(what) + ", found " +
                          found + ".");
}

void Lexer::advance() {
  while (position_ < source_.size()) {
    char c = source_[position_];
    if (c == '\n') ++line_;
    if (c == '#') {
      while (position_ < source_.size() && source_[position_] != '\n') ++position_;
    } else if (is_space(c)) {
      ++position_;
    } else {
      break;
    }
  }
  token_ = Token();
  token_.line = line_;
  if (position_ >= source_.size()) return;

  const char c = source_[position_];
  const size_t start = position_;
  if (is_name_start(c)) {
    while (position_ < source_.size() && is_name_char(source_[position_])) ++position_;
    token_.kind = TokenKind::kName;
    token_.text = source_.substr(start, position_ - start);
  } else if (source_.substr(position_, 2) == "0x") {
    position_ += 2;
    while (position_ < source_.size() && is_hex_digit(source_[position_])) ++position_;
    token_.text = source_.substr(start, position_ - start);
    uint64_t bits = 0;
    const char* last = token_.text.data() + token_.text.size();
    auto parsed = std::from_chars(token_.text.data() + 2, last, bits, 16);
    bool fits = parsed.ec == std::errc() && parsed.ptr == last;
    token_.kind = fits ? TokenKind::kInteger : TokenKind::kPunctuation;
    token_.integer = static_cast<int64_t>(bits);
    token_.real = static_cast<double>(bits);
  } else if (is_digit(c)) {
    bool real = false;
    while (position_ < source_.size()) {
      char d = source_[position_];
      if (d == '.' && source_.substr(position_, 2) == "..") break;
      const bool sign = (d == '+' || d == '-') && (source_[position_ - 1] == 'e' || source_[position_ - 1] == 'E');
      if (d == '.' || d == 'e' || d == 'E' || sign)
        real = true;
      else if (!is_digit(d))
        break;
      ++position_;
    }
    token_.text = source_.substr(start, position_ - start);
    const char* first = token_.text.data();
    const char* last = first + token_.text.size();
    token_.kind = real ? TokenKind::kReal : TokenKind::kInteger;
    auto parsed = std::from_chars(first, last, token_.real);
    if (parsed.ec != std::errc() || parsed.ptr != last) token_.kind = TokenKind::kPunctuation;
    if (token_.kind == TokenKind::kInteger) {
      parsed = std::from_chars(first, last, token_.integer);
      if (parsed.ec != std::errc()) token_.kind = TokenKind::kReal;
    }
  } else if (c == '"') {
    token_.kind = TokenKind::kString;
    ++position_;
    while (position_ < source_.size() && source_[position_] != '"') {
      char d = source_[position_++];
      if (d == '\n') ++line_;
      if (d == '\\' && position_ < source_.size()) {
        d = source_[position_++];
        if (d == 'x' && position_ + 2 <= source_.size()) {
          int code = 0;
          std::from_chars(source_.data() + position_, source_.data() + position_ + 2, code, 16);
          d = static_cast<char>(code);
          position_ += 2;
        }
      }
      token_.text += d;
    }
    if (position_ < source_.size())
      ++position_;
    else
      token_.kind = TokenKind::kPunctuation;  // unterminated: no production accepts it
  } else {
    token_.kind = TokenKind::kPunctuation;
    token_.text = std::string(1, c);
    ++position_;
  }
}

}  // namespace tuff
