// Files as bytes, and that a write is seen whole or not at all.
#include <doctest/doctest.h>

#include <filesystem>

#include "base/file.h"
#include "base/hash.h"
#include "temporary_folder.h"

using namespace tuff;

TEST_CASE("what is written is read") {
  TemporaryFolder folder;
  std::string text("bytes \0 and\n lines", 18);
  REQUIRE(write_text_file(folder.at("a"), text).ok());
  CHECK(*read_text_file(folder.at("a")) == text);
  CHECK(map_file(folder.at("a"))->data.size() == text.size());
  REQUIRE(write_text_file(folder.at("a"), "new").ok());
  CHECK(*read_text_file(folder.at("a")) == "new");
  REQUIRE(write_text_file(folder.at("empty"), "").ok());
  CHECK(map_file(folder.at("empty"))->data.empty());
  CHECK(folder.entry_count() == 2);  // no temporary file stays
}

TEST_CASE("paths that cannot be used say why") {
  TemporaryFolder folder;
  CHECK(map_file(folder.at("none")).status().message().find("Cannot open '" + folder.at("none") + "': ") == 0);
  CHECK(map_file(folder.path).status().message() == "'" + folder.path + "' is not a regular file.");
  CHECK(write_text_file(folder.at("none/a"), "x").code() == Code::kIo);
  REQUIRE(make_folders(folder.at("b/c")).ok());
  CHECK(make_folders(folder.at("b/c")).ok());
  CHECK(write_text_file(folder.at("b"), "x").code() == Code::kIo);  // a folder is not replaced
  CHECK(folder.entry_count() == 1);
  REQUIRE(write_text_file(folder.at("a"), "x").ok());
  CHECK(make_folders(folder.at("a/d")).code() == Code::kIo);
}

TEST_CASE("a file that another file names lies inside its folder") {
  TemporaryFolder folder;
  REQUIRE(make_folders(folder.at("model/data")).ok());
  REQUIRE(write_text_file(folder.at("model/data/weights"), "inside").ok());
  REQUIRE(write_text_file(folder.at("secret"), "outside").ok());
  const std::string model = folder.at("model");
  CHECK(map_contained_file(model, "data/weights")->data.size() == 6);
  CHECK(map_contained_file(model, "./data/weights").ok());
  CHECK(map_contained_file(model, "data/none").status().code() == Code::kIo);
  for (std::string_view path : {"../secret", "data/../../secret", "/etc/passwd", "", "data//weights"})
    CHECK_MESSAGE(map_contained_file(model, path).status().code() == Code::kInvalidArgument, path);
  CHECK(map_contained_file(model, std::string_view("data/weights\0x", 14)).status().code() == Code::kInvalidArgument);
  for (std::string_view path : {"data", "data/weights/"}) CHECK_FALSE(map_contained_file(model, path).ok());

  std::filesystem::create_hard_link(folder.at("secret"), model + "/hard");
  CHECK(map_contained_file(model, "hard").status().code() == Code::kInvalidArgument);
  std::error_code no_links;  // GCC 12's library makes none on Windows
  std::filesystem::create_symlink(folder.at("secret"), model + "/link", no_links);
  if (!no_links) std::filesystem::create_directory_symlink(folder.path, model + "/up", no_links);
  if (!no_links) {
    for (const char* path : {"link", "up/secret"})
      CHECK_MESSAGE(map_contained_file(model, path).status().code() == Code::kInvalidArgument, path);
  }
}

TEST_CASE("paths are UTF-8") {
  TemporaryFolder folder;
  const std::string name = "\xc3\xa4\xe2\x82\xac\xf0\x9f\x8c\x8b";  // ä€🌋, of one, two and three words in other encodings
  REQUIRE(make_folders(folder.at(name)).ok());
  REQUIRE(write_text_file(folder.at(name + "/" + name), "text").ok());
  CHECK(*read_text_file(folder.at(name + "/" + name)) == "text");
  CHECK(map_contained_file(folder.path, name + "/" + name).ok());
  CHECK(path_exists(folder.at(name)));
  CHECK_FALSE(path_exists(folder.at(name + "/none")));
  CHECK(folder_of(folder.at(name)) == folder.path);
  CHECK(folder_of(name) == ".");
  CHECK(folder_of("/" + name) == "/");
  CHECK(std::filesystem::exists(std::filesystem::path(folder.path) / std::u8string(name.begin(), name.end())));
}

TEST_CASE("bytes keep their owner alive") {
  auto storage = std::make_shared<std::string>("kept");
  std::weak_ptr<std::string> watch = storage;
  Bytes bytes = bytes_from_string(std::move(storage));
  CHECK_FALSE(watch.expired());
  CHECK(bytes.data.size() == 4);
  bytes = {};
  CHECK(watch.expired());
}

TEST_CASE("hashes tell contents apart and stay what they are") {
  CHECK(hash_bytes("", 0).hex().size() == 32);
  CHECK(hash_bytes("abc", 3) == hash_bytes("abc", 3));
  // Fixed: goldens and caches hold such hashes.
  CHECK(hash_bytes("", 0).hex() == "fac44af202bbf1355bd8d6dda44d6e0a");
  CHECK(hash_bytes("The quick brown fox", 19).hex() == "1ef10925204b02a921d71c97eb52ecaa");
  std::string data(64, 'a');
  Hash whole = hash_bytes(data.data(), data.size());
  for (size_t bit = 0; bit < 8 * data.size(); ++bit) {
    std::string changed = data;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    Hash other = hash_bytes(changed.data(), changed.size());
    CHECK(other.high != whole.high);
    CHECK(other.low != whole.low);
  }
  for (size_t length = 0; length < data.size(); ++length) CHECK(hash_bytes(data.data(), length) != whole);
  CHECK(hash_bytes("\0", 1) != hash_bytes("", 0));
  // A text carries its length, so that two texts in a row do not run together.
  CHECK(Hasher().text("ab").text("c").finish() != Hasher().text("a").text("bc").finish());
  CHECK(Hash{0x0123456789abcdef, 1}.hex() == "0123456789abcdef0000000000000001");
}
