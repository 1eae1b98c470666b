// The golden mechanism itself: what a difference looks like, and that a golden which is not there fails.
#include "golden.h"

TEST_CASE("a difference shows the first lines that differ") {
  CHECK(golden::difference("a\nb\nc\nd\ne\n", "a\nb\nc\nX\nY\ne\n") == "@@ line 4 @@\n  b\n  c\n- d\n+ X\n+ Y\n");
  CHECK(golden::difference("a\n", "a\nb\n") == "@@ line 2 @@\n  a\n+ b\n");
  CHECK(golden::difference("a\nb\n", "") == "@@ line 1 @@\n- a\n- b\n");
  CHECK(golden::difference("a", "a\n") == "the texts differ only in how they end");
  std::string many;
  for (int i = 0; i < 20; ++i) many += "line\n";
  CHECK(golden::difference("", many).find("+ ... 12 more lines\n") != std::string::npos);
  CHECK(golden::difference("x\nx\n", "x\nx\nx\n") == "@@ line 3 @@\n  x\n  x\n+ x\n");
}

TEST_CASE("a golden that is not there fails" * doctest::should_fail()) {
  golden::updating() = false;  // in this process only
  golden::check("base/no_such_golden", "text");
}
