// What tuning decides from times, and the text that it writes.
#include <doctest/doctest.h>

#include "cli/observations_text.h"
#include "cli/paired_times.h"

namespace tuff::cli {

TEST_CASE("a pair's ratio counts, not the times of a machine that slows down") {
  PairedTimes times;
  CHECK_FALSE(times.is_faster(0));
  CHECK(times.ratio() == 1);
  for (const uint64_t slowness : {1u, 2u, 5u, 1u, 3u}) times.add(100 * slowness, 90 * slowness);
  CHECK(times.ratio() == doctest::Approx(0.9));
  CHECK(times.is_faster(0.05));
  CHECK_FALSE(times.is_faster(0.15));
  CHECK(times.before_ns() == 200);
  CHECK(times.after_ns() == 180);
}

TEST_CASE("what wins in the middle but not in most pairs is noise") {
  PairedTimes times;
  for (const uint64_t after : {50u, 60u, 70u, 101u, 150u}) times.add(100, after);
  CHECK(times.ratio() == doctest::Approx(0.7));
  CHECK_FALSE(times.is_faster(0.03));
  for (int i = 0; i < 5; ++i) times.add(100, 70);
  CHECK(times.is_faster(0.03));
  times.add(100, 101);
  CHECK_FALSE(times.is_faster(0.03));
}

TEST_CASE("a time of nothing is no ratio of infinity") {
  PairedTimes times;
  times.add(0, 5);
  CHECK(times.ratio() == 5);
}

TEST_CASE("two times of nothing are equal") {
  PairedTimes times;
  for (int i = 0; i < 5; ++i) times.add(0, 0);
  CHECK(times.ratio() == 1);
  CHECK_FALSE(times.is_faster(0.03));
}

TEST_CASE("what was learnt replaces what is about the same and leaves the rest") {
  const std::string before =
      "# by hand\n"
      "rate launch_ns 5\n"
      "rate launch_ns_of_old 6\n"
      "\n"
      "schedule \"a\" \"old\"\n"
      "schedule \"a b\" \"stays\"\n"
      "compiled \"a\" \"old\" spills 2\n"
      "compiled \"a\" \"other\" spills 1\n"
      "quarantine \"q\"";
  KernelFigures figures;
  figures.registers = 96;
  figures.spills = 0;
  CHECK(with_learnt(before, {{{"launch_ns", 7}}, {{"a", "new"}, {"c", "more"}}, {{{"a", "old"}, figures}}}) ==
        "rate launch_ns_of_old 6\n"
        "schedule \"a b\" \"stays\"\n"
        "compiled \"a\" \"other\" spills 1\n"
        "quarantine \"q\"\n"
        "rate launch_ns 7\n"
        "schedule \"a\" \"new\"\n"
        "schedule \"c\" \"more\"\n"
        "compiled \"a\" \"old\" registers 96 spills 0\n");
  CHECK(with_learnt("", {}).empty());
}

TEST_CASE("kernels of one key have the worst of their figures, of those that are told") {
  KernelFigures figures;
  CHECK_FALSE(figures.are_told());
  CHECK(text_of(figures).empty());
  figures.take_worse({96, 0, 10, -1});
  figures.take_worse({80, 2, 12, -1});
  figures.take_worse({});
  CHECK(figures.are_told());
  CHECK(text_of(figures) == "registers 96 spills 2 occupancy 10");
}

}  // namespace tuff::cli
