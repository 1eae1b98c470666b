// What drivers say of a kernel, as they say it, read into one form.
#include <doctest/doctest.h>

#include "backend/vulkan/kernel_usage.h"

namespace tuff::vulkan {

using Statistics = std::vector<std::pair<std::string, std::string>>;

KernelUsage usage(std::optional<int64_t> registers, std::optional<int64_t> spills, std::optional<int64_t> occupancy,
                  std::optional<int64_t> shared_bytes) {
  return {registers, spills, occupancy, shared_bytes};
}

TEST_CASE("each driver has its own names") {
  const Statistics radv = {{"SGPRs", "108"},        {"VGPRs", "96"},     {"Spilled SGPRs", "2"}, {"Spilled VGPRs", "5"},
                           {"Code size", "6992"},   {"LDS size", "512"}, {"Scratch size", "0"},  {"Subgroups per SIMD", "10"},
                           {"Instructions", "1404"}};
  CHECK(usage_of(radv) == usage(96, 7, 10, 512));
  const Statistics anv = {{"Instructions", "943"},
                          {"Spills", "0"},
                          {"Fills", "0"},
                          {"GRF registers", "0"},
                          {"Max dispatch width", "8"},
                          {"Max live registers", "90"},
                          {"Workgroup Memory Size", "0"}};
  CHECK(usage_of(anv) == usage(90, 0, 8, 0));
  CHECK(usage_of({{"Instruction Count", "9"}, {"Spill Count", "3"}, {"Fill Count", "4"}}) == usage({}, 3, {}, {}));
  const Statistics nvk = {{"Max warps/SM", "16"}, {"Spills to memory", "0"}, {"Spills to reg", "4"}, {"Number of GPRs", "112"}};
  CHECK(usage_of(nvk) == usage(112, 0, 16, {}));
  const Statistics turnip = {
      {"Max Waves Per Core", "6"}, {"Registers used", "32"}, {"Half-registers used", "0"}, {"STP Count", "1"}};
  CHECK(usage_of(turnip) == usage(32, 1, 6, {}));
  CHECK(usage_of({{"Thread Count", "2"}, {"Spill Size", "64"}, {"TMU Spills", "4"}}) == usage({}, 4, 2, {}));
  CHECK(usage_of({{"Register Count", "40"}, {"Binary Size", "5000"}}) == usage(40, {}, {}, {}));
}

TEST_CASE("what is not known, or is no whole number, is not told") {
  CHECK(usage_of({}).empty());
  CHECK(usage_of({{"Code Size", "4736"}, {"vgprs", "3"}}).empty());
  for (const char* value : {"", "many", "true", "3.5", "-1", "12 ", "99999999999999999999"}) {
    CAPTURE(value);
    CHECK(usage_of({{"VGPRs", value}}).empty());
  }
}

TEST_CASE("of several widths the one that spills least counts") {
  CHECK(usage_of_best({}).empty());
  CHECK(usage_of_best({usage(128, 9, 32, {}), usage(100, 0, 16, {}), usage(60, 0, 8, {})}) == usage(100, 0, 16, {}));
}

}  // namespace tuff::vulkan
