// The tokens of Tuff's own texts (Graph, DeviceInfo, Observations): names, numbers, quoted strings and single
// punctuation characters; '#' starts a comment that ends with the line. An integer may be hexadecimal (0x7f), up to 64
// bits as they are; ".." is not part of a number, so that ranges can be written 1..8.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace tuff {

enum class TokenKind { kEnd, kName, kInteger, kReal, kString, kPunctuation };

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string text;  // of a string: its content, unescaped
  int64_t integer = 0;
  double real = 0;
  int line = 0;
};

class Lexer {
 public:
  Lexer(std::string_view source, std::string source_name);

  const Token& peek() const { return token_; }
  Token take();
  const std::string& source_name() const { return source_name_; }
  bool at_end() const { return token_.kind == TokenKind::kEnd; }
  // Takes the token if it is this punctuation or name.
  bool accept(std::string_view text);
  Status expect(std::string_view text);
  Result<std::string> expect_name();
  Result<std::string> expect_string();
  Result<int64_t> expect_integer();  // with an optional sign
  Result<double> expect_real();      // integer or real, optional sign, also inf and nan

  // INVALID_ARGUMENT naming source, line and what was found.
  Status error(std::string_view what) const;

 private:
  void advance();

  std::string_view source_;
  std::string source_name_;
  size_t position_ = 0;
  int line_ = 1;
  Token token_;
};

std::string quote(std::string_view s);  // the inverse of reading a string token

}  // namespace tuff
