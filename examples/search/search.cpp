// Ranks sentences by what they mean: search FOLDER QUERY [FILE]. kUsage says more.
//
// The query and each sentence become a vector (encoder.h); the cosine of the angle between two says how near their meanings
// are.
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "encoder.h"

namespace {

constexpr char kUsage[] =
    "search: rank sentences by what they mean\n"
    "\n"
    "Usage: search FOLDER QUERY [FILE] [options]\n"
    "\n"
    "FOLDER holds model.onnx and vocab.txt, as make_model.py leaves them. FILE has one sentence a line, in UTF-8; without it,\n"
    "or where it is '-', they come from stdin. Prints the sentences nearest to QUERY, the best one first, each after its\n"
    "cosine (1: the same meaning; around 0: none in common).\n"
    "\n"
    "Options:\n"
    "  -n, --best N         how many; default: 5\n"
    "  -d, --device WHICH   index, part of the name or UUID; default: the best GPU, else a driver that computes on the CPU\n"
    "  --cache DIR          where compiled kernels are kept for the next time; default: nowhere\n"
    "  -h, --help           this text\n"
    "\n"
    "Exit codes: 0 done, 1 failed, 2 wrong usage.\n";

constexpr int kFailed = 1, kWrongUsage = 2;

struct Arguments {
  std::string folder, query, file = "-";
  size_t best_count = 5;
  search::EncoderOptions encoder;
  bool help = false;
};

// An empty text, or what is wrong.
std::string parse(int argc, char** argv, Arguments& arguments) {
  std::vector<std::string> words;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "-h" || word == "--help") {
      arguments.help = true;
      return "";
    }
    if (word.size() < 2 || word[0] != '-') {  // "-" is stdin
      words.emplace_back(word);
      continue;
    }
    if (word == "--") {
      words.insert(words.end(), argv + i + 1, argv + argc);
      break;
    }
    const bool is_count = word == "-n" || word == "--best";
    const bool is_device = word == "-d" || word == "--device";
    if (!is_count && !is_device && word != "--cache") return "There is no option '" + std::string(word) + "'.";
    if (++i == argc) return "The option '" + std::string(word) + "' has no value.";
    const std::string_view value = argv[i];
    if (is_count) {
      auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), arguments.best_count);
      if (error != std::errc() || end != value.data() + value.size() || arguments.best_count == 0)
        return "'" + std::string(value) + "' is not a number of sentences, 1 or more.";
    } else {
      (is_device ? arguments.encoder.device : arguments.encoder.cache_dir) = value;
    }
  }
  if (words.size() < 2 || words.size() > 3)
    return "There are 2 or 3 arguments, FOLDER QUERY [FILE], not " + std::to_string(words.size()) + ".";
  arguments.folder = words[0];
  arguments.query = words[1];
  if (words.size() == 3) arguments.file = words[2];
  if (arguments.query.find_first_not_of(" \t\r\n") == std::string::npos) return "The query is empty.";
  return "";
}

// The lines that say something.
bool read_sentences(const std::string& path, std::vector<std::string>& sentences) {
  std::ifstream file;
  if (path != "-") file.open(path, std::ios::binary);
  std::istream& in = path == "-" ? std::cin : file;
  if (!in) return false;
  for (std::string line; std::getline(in, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.find_first_not_of(" \t") != std::string::npos) sentences.push_back(std::move(line));
  }
  return !in.bad();
}

int fail(const std::string& message) {
  std::fprintf(stderr, "search: %s\n", message.c_str());
  return kFailed;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (const std::string wrong = parse(argc, argv, arguments); !wrong.empty()) {
    std::fprintf(stderr, "search: %s search --help says more.\n", wrong.c_str());
    return kWrongUsage;
  }
  if (arguments.help) {
    std::fputs(kUsage, stdout);
    return 0;
  }
  const std::string source = arguments.file == "-" ? "stdin" : "'" + arguments.file + "'";
  std::vector<std::string> texts = {arguments.query};
  if (!read_sentences(arguments.file, texts)) return fail(source + " cannot be read.");
  const size_t sentence_count = texts.size() - 1;
  if (sentence_count == 0) return fail("There is no sentence in " + source + ".");

  auto encoder = search::Encoder::open(arguments.folder, arguments.encoder);
  if (!encoder) return fail(encoder.error().message);
  size_t cut_count = 0;
  auto embeddings = encoder->encode(texts, &cut_count);
  if (!embeddings) return fail(embeddings.error().message);

  struct Found {
    size_t index;  // in texts
    double cosine;
  };
  const size_t size = encoder->size();
  const std::span<const float> all = *embeddings;
  std::vector<Found> found;
  for (size_t i = 1; i < texts.size(); ++i) found.push_back({i, search::cosine(all.first(size), all.subspan(i * size, size))});
  std::stable_sort(found.begin(), found.end(), [](const Found& a, const Found& b) { return a.cosine > b.cosine; });
  if (found.size() > arguments.best_count) found.resize(arguments.best_count);
  for (const Found& each : found) std::printf("%6.3f  %s\n", each.cosine, texts[each.index].c_str());
  if (std::fflush(stdout) != 0) return fail("The result cannot be written.");
  std::fprintf(stderr, "search: %zu sentences on '%s'\n", sentence_count, encoder->device_name().c_str());
  if (cut_count)
    std::fprintf(stderr, "search: %zu texts were longer than the network reads; what is behind that was left out\n", cut_count);
  return 0;
}
