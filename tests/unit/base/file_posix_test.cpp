// Files where the system has limits, pipes and mappings that outlive what they map.
#include <doctest/doctest.h>

#include <csignal>

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "temporary_folder.h"

using namespace tuff;

TEST_CASE("a mapping outlives the file's replacement") {
  TemporaryFolder folder;
  REQUIRE(write_text_file(folder.at("a"), "old").ok());
  Bytes mapped = *map_file(folder.at("a"));
  // Readers see the old or the new one, never a mixture.
  REQUIRE(write_text_file(folder.at("a"), "new, and longer").ok());
  CHECK(std::string(reinterpret_cast<const char*>(mapped.data.data()), mapped.data.size()) == "old");
  CHECK(*read_text_file(folder.at("a")) == "new, and longer");
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

TEST_CASE("the system's words are in the message") {
  TemporaryFolder folder;
  CHECK(map_file(folder.at("none")).status().message() ==
        "Cannot open '" + folder.at("none") + "': No such file or directory.");
}

TEST_CASE("a pipe in a folder is not waited for") {
  TemporaryFolder folder;
  REQUIRE(::mkfifo(folder.at("pipe").c_str(), 0600) == 0);
  CHECK_FALSE(map_contained_file(folder.path, "pipe").ok());
}
