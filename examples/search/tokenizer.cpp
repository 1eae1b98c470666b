// A text becomes words, a word pieces of the vocabulary:
//
//   clean     control characters go, every kind of space becomes one
//   split     an ideograph is a word
//   fold      accents and capitals go: each character decomposed, without its marks, in lower case
//   split     at spaces; a punctuation mark is a word
//   match     the longest piece that the vocabulary has, then the longest that continues it, and so on; a word that
//             cannot be had so is [UNK]
//
// The first three look at one character at a time, so that tables hold what becomes of each (characters.inc).
#include "tokenizer.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>

namespace search {
namespace {

constexpr size_t kMaxWordLength = 100;  // longer words are [UNK]
// What a text may say outright.
constexpr std::string_view kSpecialTokens[] = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};

struct Range {
  char32_t first, last;
};
struct Shift {
  char32_t first, last, step, to;
};
struct Fold {
  char32_t from, to;
};
struct LongFold {
  char32_t from;
  std::array<char32_t, 3> to;  // filled up with 0
};
#include "characters.inc"

// The last entry that does not begin behind c, or null.
template <class Entry, size_t kCount>
const Entry* find(const Entry (&table)[kCount], char32_t Entry::*begin, char32_t c) {
  const Entry* after =
      std::upper_bound(table, table + kCount, c, [begin](char32_t key, const Entry& entry) { return key < entry.*begin; });
  return after == table ? nullptr : after - 1;
}

template <size_t kCount>
bool contains(const Range (&table)[kCount], char32_t c) {
  const Range* range = find(table, &Range::first, c);
  return range && c <= range->last;
}

// A Hangul syllable is a leading consonant, a vowel and perhaps a trailing consonant.
void append_hangul(char32_t c, std::u32string& out) {
  constexpr char32_t kVowelCount = 21, kTrailingCount = 28;
  const char32_t index = c - 0xac00, trailing = index % kTrailingCount;
  out.push_back(0x1100 + index / (kVowelCount * kTrailingCount));
  out.push_back(0x1161 + index / kTrailingCount % kVowelCount);
  if (trailing) out.push_back(0x11a7 + trailing);
}

void append_folded(char32_t c, std::u32string& out) {
  if (c >= 0xac00 && c < 0xac00 + 11172) return append_hangul(c, out);
  if (const Shift* shift = find(kShifts, &Shift::first, c); shift && c <= shift->last) {
    out += (c - shift->first) % shift->step == 0 ? shift->to + (c - shift->first) : c;
  } else if (const Fold* fold = find(kFolds, &Fold::from, c); fold && c == fold->from) {
    out += fold->to;
  } else if (const LongFold* many = find(kLongFolds, &LongFold::from, c); many && c == many->from) {
    for (char32_t each : many->to)
      if (each) out += each;
  } else {
    out += c;
  }
}

// The character at `at`, which moves behind it; U+FFFD for a byte that begins none.
char32_t next_character(std::string_view text, size_t& at) {
  auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const char32_t lead = byte(at++);
  if (lead < 0x80) return lead;
  const size_t rest = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
  if (lead < 0xc2 || lead > 0xf4 || rest > text.size() - at) return 0xfffd;
  char32_t c = lead & (0x3f >> rest);
  for (size_t i = 0; i < rest; ++i) {
    if ((byte(at + i) & 0xc0) != 0x80) return 0xfffd;
    c = c << 6 | (byte(at + i) & 0x3f);
  }
  constexpr char32_t kLeast[] = {0, 0x80, 0x800, 0x10000};
  if (c < kLeast[rest] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) return 0xfffd;
  at += rest;
  return c;
}

void append_utf8(char32_t c, std::string& out) {
  auto put = [&](char32_t byte) { out += static_cast<char>(byte); };
  if (c < 0x80) return put(c);
  if (c < 0x800) {
    put(0xc0 | c >> 6);
  } else {
    if (c < 0x10000) {
      put(0xe0 | c >> 12);
    } else {
      put(0xf0 | c >> 18);
      put(0x80 | (c >> 12 & 0x3f));
    }
    put(0x80 | (c >> 6 & 0x3f));
  }
  put(0x80 | (c & 0x3f));
}

// Cleaned and folded, ideographs between spaces.
std::u32string normalize(std::string_view text) {
  std::u32string out;
  for (size_t at = 0; at < text.size();) {
    const char32_t c = next_character(text, at);
    if (c > ' ' && c < 0x7f) {
      out += c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
    } else if (contains(kSpaces, c)) {
      out += U' ';
    } else if (contains(kIdeographs, c)) {
      out += U' ';
      append_folded(c, out);
      out += U' ';
    } else if (!contains(kRemoved, c)) {
      append_folded(c, out);
    }
  }
  return out;
}

// Where the next special token begins, and which; npos where there is none.
size_t find_special_token(std::string_view text, std::string_view& token) {
  for (size_t at = text.find('['); at != text.npos; at = text.find('[', at + 1))
    for (std::string_view candidate : kSpecialTokens)
      if (text.substr(at, candidate.size()) == candidate) {
        token = candidate;
        return at;
      }
  return text.npos;
}

}  // namespace

tuff::Result<Tokenizer> Tokenizer::load_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return tuff::Error{TUFF_IO, "The vocabulary '" + path + "' cannot be opened."};
  Tokenizer tokenizer;
  int32_t count = 0;
  for (std::string line; std::getline(file, line); ++count) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    tokenizer.vocabulary_.emplace(line, count);
  }
  for (std::string_view token : kSpecialTokens)
    if (!tokenizer.vocabulary_.contains(std::string(token)))
      return tuff::Error{TUFF_CORRUPT, "The vocabulary '" + path + "' has no line '" + std::string(token) + "'."};
  tokenizer.begin_ = tokenizer.vocabulary_.at("[CLS]");
  tokenizer.end_ = tokenizer.vocabulary_.at("[SEP]");
  tokenizer.unknown_ = tokenizer.vocabulary_.at("[UNK]");
  return tokenizer;
}

Tokens Tokenizer::encode(std::string_view text, size_t max_count) const {
  Tokens tokens;
  tokens.ids.push_back(begin_);
  while (!text.empty() && tokens.ids.size() < max_count) {  // one more than there is room for shows that it is cut
    std::string_view special;
    const size_t at = find_special_token(text, special);
    add_text(text.substr(0, at), max_count, tokens.ids);
    if (at == text.npos) break;
    tokens.ids.push_back(vocabulary_.at(std::string(special)));
    text.remove_prefix(at + special.size());
  }
  tokens.is_cut = tokens.ids.size() > max_count - 1;
  if (tokens.is_cut) tokens.ids.resize(max_count - 1);
  tokens.ids.push_back(end_);
  return tokens;
}

// Until ids has max_count elements.
void Tokenizer::add_text(std::string_view text, size_t max_count, std::vector<int32_t>& ids) const {
  const std::u32string characters = normalize(text);
  const std::u32string_view all = characters;
  for (size_t at = 0; at < all.size() && ids.size() < max_count;) {
    size_t end = at;
    while (end < all.size() && all[end] != U' ' && !contains(kPunctuation, all[end])) ++end;
    if (end > at) {
      add_word(all.substr(at, end - at), ids);
    } else {
      if (all[at] != U' ') add_word(all.substr(at, 1), ids);
      ++end;
    }
    at = end;
  }
}

void Tokenizer::add_word(std::u32string_view word, std::vector<int32_t>& ids) const {
  if (word.size() > kMaxWordLength) return ids.push_back(unknown_);
  const size_t before = ids.size();
  for (size_t begin = 0; begin < word.size();) {
    std::string piece = begin == 0 ? "" : "##";
    const size_t prefix = piece.size();
    std::vector<size_t> ends = {prefix};  // in bytes, after so many characters
    for (char32_t c : word.substr(begin)) {
      append_utf8(c, piece);
      ends.push_back(piece.size());
    }
    auto found = vocabulary_.end();
    size_t length = ends.size() - 1;
    for (; length > 0; --length) {
      piece.resize(ends[length]);
      found = vocabulary_.find(piece);
      if (found != vocabulary_.end()) break;
    }
    if (length == 0) {
      ids.resize(before);
      return ids.push_back(unknown_);
    }
    ids.push_back(found->second);
    begin += length;
  }
}

}  // namespace search
