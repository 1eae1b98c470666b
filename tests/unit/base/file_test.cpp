// Files as bytes, and that a write is seen whole or not at all.
#include <doctest/doctest.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"

using namespace tuff;

namespace {

struct TemporaryFolder {
  std::string path;
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "tuff-file-test-XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path); }
  std::string at(const char* name) const { return path + "/" + name; }
  size_t entry_count() const { return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(path), {})); }
};

}  // namespace

TEST_CASE("what is written is read") {
  TemporaryFolder folder;
  std::string text("bytes \0 and\n lines", 18);
  REQUIRE(write_text_file(folder.at("a"), text).ok());
  CHECK(*read_text_file(folder.at("a")) == text);
  Bytes mapped = *map_file(folder.at("a"));
  CHECK(mapped.data.size() == text.size());
  // A mapping outlives the file's replacement: readers see the old or the new one, never a mixture.
  REQUIRE(write_text_file(folder.at("a"), "new").ok());
  CHECK(std::string(reinterpret_cast<const char*>(mapped.data.data()), mapped.data.size()) == text);
  CHECK(*read_text_file(folder.at("a")) == "new");
  REQUIRE(write_text_file(folder.at("empty"), "").ok());
  CHECK(map_file(folder.at("empty"))->data.empty());
  CHECK(folder.entry_count() == 2);  // no temporary file stays
}

TEST_CASE("a write that fails keeps the old file and leaves nothing behind") {
  TemporaryFolder folder;
  REQUIRE(write_text_file(folder.at("a"), "old").ok());
  struct rlimit before;
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  auto handler = std::signal(SIGXFSZ, SIG_IGN);
  struct rlimit small = {100, before.rlim_max};  // the disk is full after 100 bytes
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  Status status = write_text_file(folder.at("a"), std::string(4096, 'x'));
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  CHECK(status.code() == Code::kIo);
  CHECK(status.message().find("Cannot write '" + folder.at("a") + "'") == 0);
  CHECK(*read_text_file(folder.at("a")) == "old");
  CHECK(folder.entry_count() == 1);
}

TEST_CASE("a process that is killed in the middle of a write leaves the old file") {
  TemporaryFolder folder;
  REQUIRE(write_text_file(folder.at("a"), "old").ok());
  for (rlim_t killed_at : {rlim_t{0}, rlim_t{100}, rlim_t{4095}}) {
    CAPTURE(killed_at);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      const struct rlimit none = {0, 0}, small = {killed_at, killed_at};
      ::setrlimit(RLIMIT_CORE, &none);
      ::setrlimit(RLIMIT_FSIZE, &small);
      std::signal(SIGXFSZ, SIG_DFL);  // the write that goes beyond the limit is the last
      ::_exit(write_text_file(folder.at("a"), std::string(4096, 'x')).ok() ? 0 : 1);
    }
    int ended = 0;
    REQUIRE(::waitpid(child, &ended, 0) == child);
    CHECK(WIFSIGNALED(ended));
    CHECK(*read_text_file(folder.at("a")) == "old");
  }
}

TEST_CASE("paths that cannot be used say why") {
  TemporaryFolder folder;
  CHECK(map_file(folder.at("none")).status().message() ==
        "Cannot open '" + folder.at("none") + "': No such file or directory.");
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

  std::filesystem::create_symlink(folder.at("secret"), model + "/link");
  std::filesystem::create_directory_symlink(folder.path, model + "/up");
  std::filesystem::create_hard_link(folder.at("secret"), model + "/hard");
  for (const char* path : {"link", "up/secret", "hard"})
    CHECK_MESSAGE(map_contained_file(model, path).status().code() == Code::kInvalidArgument, path);
  REQUIRE(::mkfifo((model + "/pipe").c_str(), 0600) == 0);
  CHECK_FALSE(map_contained_file(model, "pipe").ok());  // and does not wait for a writer
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
