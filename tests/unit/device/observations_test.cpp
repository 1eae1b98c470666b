#include <doctest/doctest.h>

#include "device/observations.h"

namespace tuff {
namespace {

Observations sample() {
  Observations o;
  o.rates["launch_ns"] = 2100;
  o.rates["dram_bytes_per_us"] = 431'000;
  o.schedules["contract f32 64x64 \"odd\""] = "tile 8x8, workgroup 8x8";
  o.quarantined.insert("map.exp f16");
  return o;
}

TEST_CASE("observations print in one order and read back") {
  const std::string text = print(sample());
  CHECK(text ==
        "rate dram_bytes_per_us 431000\n"
        "rate launch_ns 2100\n"
        "schedule \"contract f32 64x64 \\\"odd\\\"\" \"tile 8x8, workgroup 8x8\"\n"
        "quarantine \"map.exp f16\"\n");
  Result<Observations> read = parse_observations(text, "test");
  REQUIRE(read.ok());
  CHECK(print(*read) == text);
  CHECK(hash(*read) == hash(sample()));
}

TEST_CASE("nothing observed is an empty text with a hash of its own") {
  CHECK(print(Observations()).empty());
  REQUIRE(parse_observations("", "test").ok());
  CHECK(parse_observations("# nothing yet\n", "test")->empty());
  CHECK(hash(Observations()) != hash(sample()));
}

TEST_CASE("each observation is in the hash") {
  Observations o = sample();
  o.rates["launch_ns"] = 2101;
  CHECK(hash(o) != hash(sample()));
  o = sample();
  o.schedules.begin()->second += " ";
  CHECK(hash(o) != hash(sample()));
  o = sample();
  o.quarantined.clear();
  CHECK(hash(o) != hash(sample()));
}

TEST_CASE("observations say where they are wrong") {
  auto failure = [](const char* text) {
    Result<Observations> read = parse_observations(text, "test");
    REQUIRE(!read.ok());
    CHECK(read.status().code() == Code::kInvalidArgument);
    return read.status().message();
  };
  CHECK(failure("speed 3") == "test, line 1: rate, schedule or quarantine was expected, found 'speed'.");
  CHECK(failure("rate colour 3").find("a rate was expected, found 'colour'") != std::string::npos);
  CHECK(failure("rate launch_ns 0").find("a positive rate of at most 1099511627776 was expected") != std::string::npos);
  CHECK(failure("rate launch_ns 1099511627777").find("a positive rate of at most 1099511627776") != std::string::npos);
  CHECK(failure("rate launch_ns 1\nrate launch_ns 2").find("twice") != std::string::npos);
  CHECK(failure("quarantine \"a\" quarantine \"a\"").find("twice") != std::string::npos);
  CHECK(failure("schedule \"a\"").find("a quoted string was expected") != std::string::npos);
}

}  // namespace
}  // namespace tuff
