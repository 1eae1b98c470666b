// Names that Windows takes for something else than a file of that name.
#include <doctest/doctest.h>

#include "base/file.h"
#include "temporary_folder.h"

using namespace tuff;

TEST_CASE("a file that another file names is the one of exactly that name") {
  TemporaryFolder folder;
  REQUIRE(make_folders(folder.at("data")).ok());
  REQUIRE(write_text_file(folder.at("data/weights"), "inside").ok());
  CHECK(map_contained_file(folder.path, "data/weights").ok());
  for (const char* path : {"C:/data/weights", "C:weights", "\\data\\weights", "data\\weights", "data/weights:stream",
                           "data/weights.", "data/weights ", "data/.. /weights", "data/weight?", "..\\data"})
    CHECK_MESSAGE(map_contained_file(folder.path, path).status().code() == Code::kInvalidArgument, path);
  for (const char* path : {"NUL", "data/NUL", "CON"}) CHECK_MESSAGE(!map_contained_file(folder.path, path).ok(), path);
}
