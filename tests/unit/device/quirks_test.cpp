#include <doctest/doctest.h>

#include "device/quirks.h"

namespace tuff {
namespace {

DeviceInfo device(uint32_t vendor_id, const char* name, const char* driver) {
  DeviceInfo info;
  info.vendor_id = vendor_id;
  info.name = name;
  info.driver_name = driver;
  info.matrix_shapes = {{16, 16, 16, "f16", "f16", "f32", "f32"}};
  return info;
}

bool keeps_matrices(DeviceInfo info) {
  apply_quirks(info);
  return !info.matrix_shapes.empty();
}

TEST_CASE("matrix shapes that a driver only emulates are dropped") {
  CHECK(!keeps_matrices(device(0x1002, "AMD Radeon RX 6800 XT", "AMD proprietary driver")));
  CHECK(!keeps_matrices(device(0x1002, "AMD Radeon RX 5700", "AMD open-source driver")));
  CHECK(keeps_matrices(device(0x1002, "AMD Radeon RX 7900 XTX", "AMD proprietary driver")));
  CHECK(keeps_matrices(device(0x1002, "AMD Radeon RX 6800 XT (RADV NAVI21)", "radv")));
  CHECK(!keeps_matrices(device(0x8086, "Intel(R) UHD Graphics 770 (ADL-S GT1)", "Intel open-source Mesa driver")));
  CHECK(keeps_matrices(device(0x8086, "Intel(R) Arc(tm) A770M Graphics (DG2)", "Intel open-source Mesa driver")));
  CHECK(keeps_matrices(device(0x8086, "Intel(R) Graphics (LNL)", "Intel open-source Mesa driver")));
}

TEST_CASE("llvmpipe's limit on loops is known by the version of Mesa") {
  DeviceInfo info = device(0x10005, "llvmpipe (LLVM 15.0.6, 256 bits)", "llvmpipe");
  info.driver_version = "Mesa 26.1.6-1 (LLVM 21.1.8)";
  apply_quirks(info);
  CHECK(info.max_loop_rounds == 0);
  info.driver_version = "Mesa 22.3.6 (LLVM 15.0.6)";
  apply_quirks(info);
  CHECK(info.max_loop_rounds == 65535);
}

TEST_CASE("a query that crashes is known by device and driver") {
  CHECK(has_quirk(device(0x1002, "AMD Radeon 860M Graphics", "AMD proprietary driver"), Quirk::amd_matrix_query_crashes));
  CHECK(!has_quirk(device(0x1002, "AMD Radeon 860M Graphics", "radv"), Quirk::amd_matrix_query_crashes));
  CHECK(quirks_of(device(0x10de, "NVIDIA GeForce RTX 4090", "NVIDIA")).empty());
}

TEST_CASE("each quirk says why, where it is told, and when it may go") {
  for (int i = 0;; ++i) {
    const QuirkRow& row = quirk_row(static_cast<Quirk>(i));
    CHECK(!row.why.empty());
    CHECK(row.link.substr(0, 8) == "https://");
    CHECK(!row.ends.empty());
    if (row.name == "llvmpipe_keeps_halves") break;  // the last row
  }
}

}  // namespace
}  // namespace tuff
