// FAULTS, rows 18 to 21: damage to a cache costs speed only.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "program/cache.h"
#include "temporary_folder.h"

namespace tuff {
namespace {

namespace fs = std::filesystem;

std::vector<std::byte> blob_of(const std::string& text) {
  auto* data = reinterpret_cast<const std::byte*>(text.data());
  return {data, data + text.size()};
}

const Hash kKey{1, 2};

struct Warnings {
  std::vector<std::string> messages;
  auto callback() {
    return [this](std::string_view message) { messages.emplace_back(message); };
  }
};

fs::path only_file(const std::string& folder) {
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) files.push_back(entry.path());
  REQUIRE(files.size() == 1);
  return files[0];
}

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
void write(const fs::path& path, const std::string& content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

TEST_CASE("what was stored is loaded, by another object too, and only under its key and kind") {
  TemporaryFolder folder;
  Warnings warnings;
  Cache cache(folder_storage(folder.path + "/made/on/demand"), warnings.callback());
  CHECK_FALSE(cache.load(kKey, "spirv"));
  cache.store(kKey, "spirv", blob_of("words"));
  Cache other(folder_storage(folder.path + "/made/on/demand"), warnings.callback());
  CHECK(other.load(kKey, "spirv") == blob_of("words"));
  CHECK_FALSE(other.load(kKey, "pipelines"));
  CHECK_FALSE(other.load(Hash{1, 3}, "spirv"));
  cache.store(kKey, "spirv", {});
  CHECK(other.load(kKey, "spirv") == blob_of(""));
  CHECK(warnings.messages.empty());
}

TEST_CASE("every flipped bit and every truncation is noticed, with one warning, and made good by a store") {
  TemporaryFolder folder;
  Cache first(folder_storage(folder.path), nullptr);
  first.store(kKey, "spirv", blob_of("some words"));
  fs::path file = only_file(folder.path);
  const std::string whole = read(file);
  Warnings warnings;
  Cache cache(folder_storage(folder.path), warnings.callback());
  for (size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::string damaged = whole;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    write(file, damaged);
    CHECK_FALSE(cache.load(kKey, "spirv"));
  }
  for (size_t size = 0; size < whole.size(); ++size) {
    write(file, whole.substr(0, size));
    CHECK_FALSE(cache.load(kKey, "spirv"));
  }
  write(file, whole + "x");
  CHECK_FALSE(cache.load(kKey, "spirv"));
  CHECK(warnings.messages.size() == 1);
  cache.store(kKey, "spirv", blob_of("some words"));
  CHECK(cache.load(kKey, "spirv") == blob_of("some words"));
}

TEST_CASE("a file under another key's name is not taken for it") {
  TemporaryFolder folder;
  Cache cache(folder_storage(folder.path), nullptr);
  cache.store(kKey, "spirv", blob_of("words"));
  fs::rename(only_file(folder.path), folder.path + "/" + Hash{3, 4}.hex() + ".spirv");
  CHECK_FALSE(cache.load(Hash{3, 4}, "spirv"));
}

TEST_CASE("a folder that cannot be written costs one warning") {
  TemporaryFolder folder;
  std::string blocked = folder.path + "/file";
  write(blocked, "not a folder");
  Warnings warnings;
  Cache cache(folder_storage(blocked + "/inside"), warnings.callback());
  cache.store(kKey, "spirv", blob_of("words"));
  cache.store(kKey, "spirv", blob_of("words"));
  CHECK_FALSE(cache.load(kKey, "spirv"));
  CHECK(warnings.messages.size() == 1);
}

TEST_CASE("a folder in a file's place is not a crash") {
  TemporaryFolder folder;
  Warnings warnings;
  Cache cache(folder_storage(folder.path), warnings.callback());
  fs::create_directories(folder.path + "/" + kKey.hex() + ".spirv");
  CHECK_FALSE(cache.load(kKey, "spirv"));
  cache.store(kKey, "spirv", blob_of("words"));
  CHECK(warnings.messages.size() == 1);
}

TEST_CASE("writers and readers at once see whole files") {
  TemporaryFolder folder;
  Cache cache(folder_storage(folder.path), nullptr);
  const std::string a(5000, 'a'), b(9000, 'b');
  cache.store(kKey, "spirv", blob_of(a));
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) cache.store(kKey, "spirv", blob_of(t ? a : b));
    });
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        std::optional<std::vector<std::byte>> got = cache.load(kKey, "spirv");
        if (!got || (*got != blob_of(a) && *got != blob_of(b))) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
  CHECK(only_file(folder.path).extension() == ".spirv");  // no temporary file is left
}

}  // namespace
}  // namespace tuff
