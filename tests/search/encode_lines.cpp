// What examples/search makes of each line of stdin: encode_lines tokens|embeddings|unfused FOLDER
// tokens: the numbers of the tokenizer, a line of text for each. Else the vectors, as floats one after the other.
#include <cstdio>
#include <cstring>
#include <iostream>
#include <string>
#include <vector>

#include "search/encoder.h"

namespace {

int fail(const tuff::Error& error) {
  std::fprintf(stderr, "encode_lines: %s\n", error.message.c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  std::vector<std::string> lines;
  for (std::string line; std::getline(std::cin, line);) lines.push_back(line);
  const std::string folder = argv[2];
  if (std::strcmp(argv[1], "tokens") == 0) {
    auto tokenizer = search::Tokenizer::load_file(folder + "/vocab.txt");
    if (!tokenizer) return fail(tokenizer.error());
    for (const std::string& line : lines) {
      for (int32_t id : tokenizer->encode(line, 256).ids) std::printf("%d ", id);
      std::printf("\n");
    }
    return 0;
  }
  search::EncoderOptions options;
  options.fuse = std::strcmp(argv[1], "unfused") != 0;
  auto encoder = search::Encoder::open(folder, options);
  if (!encoder) return fail(encoder.error());
  size_t cut_count = 0;
  auto embeddings = encoder->encode(lines, &cut_count);
  if (!embeddings) return fail(embeddings.error());
  std::fwrite(embeddings->data(), sizeof(float), embeddings->size(), stdout);
  std::fprintf(stderr, "encode_lines: %zu lines on '%s', %zu cut\n", lines.size(), encoder->device_name().c_str(), cut_count);
  return 0;
}
