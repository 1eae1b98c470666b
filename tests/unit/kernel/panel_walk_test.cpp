// How many workgroups share the columns of a tile of rows whose statistics each of them computes.
#include <doctest/doctest.h>

#include "fusion/exchange_tile.h"
#include "unit/device_text.h"

namespace tuff {
namespace {

// Of tiles of 8 rows and 128 columns, on two cores.
IntExpr workgroups(IntExpr rows, int64_t columns, int64_t depth) {
  DeviceInfo device = device_text("lavapipe_debian12");
  PanelWalk walk;
  walk.extents = {IntExpr(1), std::move(rows), IntExpr(columns), IntExpr(depth)};
  walk.row_tile = 8, walk.column_tile = 128, walk.steps = 4, walk.statistic_count = 2;
  walk.wanted = busy_workgroups(device);
  return walk.workgroups(device);
}

}  // namespace

TEST_CASE("workgroups walk over as many panels as leave eight a core") {
  CHECK(workgroups(IntExpr(145), 3072, 768).is(1));
  CHECK(workgroups(IntExpr(50), 3072, 768).is(3));
  CHECK(workgroups(IntExpr(17), 3072, 768).is(6));
  CHECK(workgroups(IntExpr(8), 3072, 768).is(12));  // of 2 panels each: 16 would have them, too
  CHECK(workgroups(IntExpr(8), 1000, 768).is(8));   // a panel each
  CHECK(workgroups(IntExpr(0), 3072, 768).is(12));
  CHECK(workgroups(IntExpr(145), 0, 768).is(0));
}

TEST_CASE("workgroups make no more rounds of loops than the device does") {
  // 1,024 rounds for each of 128 panels, after those of statistics.
  CHECK(workgroups(IntExpr(4096), 16384, 4096).is(5));
  // The statistics alone are too many.
  CHECK(workgroups(IntExpr(4096), 1024, 65536).is(8));
}

TEST_CASE("workgroups of rows whose number is known late are as many as those rows want") {
  const IntExpr rows = IntExpr::symbol({"rows", 0, 512, 1, nullptr});
  const IntExpr count = workgroups(rows, 3072, 768);
  auto at = [&](int64_t n) { return count.evaluate([&](std::string_view) { return std::optional<int64_t>(n); }); };
  CHECK(at(0) == 16);
  CHECK(at(8) == 16);
  CHECK(at(60) == 2);
  CHECK(at(512) == 1);
}

}  // namespace tuff
