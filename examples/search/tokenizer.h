// Sentences as the numbers that BERT reads: uncased WordPiece, as the model all-MiniLM-L6-v2 was trained with it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <tuff/tuff.hpp>

namespace search {

struct Tokens {
  std::vector<int32_t> ids;  // [CLS] first, [SEP] last
  bool is_cut = false;       // the text had more than there was room for
};

class Tokenizer {
 public:
  // A text of one token a line; a token's number is that of its line, counted from 0. "##" begins what continues a word.
  static tuff::Result<Tokenizer> load_file(const std::string& path);

  // At most max_count numbers (2 or more), the two at the ends included. Bytes that are no UTF-8 are left out.
  Tokens encode(std::string_view text, size_t max_count) const;

 private:
  void add_text(std::string_view text, size_t max_count, std::vector<int32_t>& ids) const;
  void add_word(std::u32string_view word, std::vector<int32_t>& ids) const;

  std::unordered_map<std::string, int32_t> vocabulary_;
  int32_t begin_ = 0, end_ = 0, unknown_ = 0;
};

}  // namespace search
