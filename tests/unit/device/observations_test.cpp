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
  KernelUsage& usage = o.compiled[{"contract f32 64x64 \"odd\"", "tile 8x8"}];
  usage.registers = 128;
  usage.spills = 3;
  usage.occupancy = 8;
  o.compiled[{"attend f32", "2 queries"}].spills = 0;
  return o;
}

TEST_CASE("observations print in one order and read back") {
  const std::string text = print(sample());
  CHECK(text ==
        "rate dram_bytes_per_us 431000\n"
        "rate launch_ns 2100\n"
        "schedule \"contract f32 64x64 \\\"odd\\\"\" \"tile 8x8, workgroup 8x8\"\n"
        "quarantine \"map.exp f16\"\n"
        "compiled \"attend f32\" \"2 queries\" spills 0\n"
        "compiled \"contract f32 64x64 \\\"odd\\\"\" \"tile 8x8\" registers 128 spills 3 occupancy 8\n");
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
  o = sample();
  o.compiled.begin()->second.spills = 1;
  CHECK(hash(o) != hash(sample()));
}

TEST_CASE("what was compiled is looked up by kernel and schedule; what is not told does not spill") {
  const Observations o = sample();
  CHECK(o.spill_count("contract f32 64x64 \"odd\"", "tile 8x8") == 3);
  CHECK(o.spill_count("contract f32 64x64 \"odd\"", "tile 4x8") == 0);
  CHECK(o.spill_count("attend f32", "2 queries") == 0);
  Result<Observations> read = parse_observations("compiled \"a\" \"b\" shared_bytes 0 registers 7", "test");
  REQUIRE(read.ok());
  CHECK_FALSE(read->empty());
  CHECK(read->spill_count("a", "b") == 0);
  CHECK(print(*read) == "compiled \"a\" \"b\" registers 7 shared_bytes 0\n");
}

TEST_CASE("observations say where they are wrong") {
  auto failure = [](const char* text) {
    Result<Observations> read = parse_observations(text, "test");
    REQUIRE(!read.ok());
    CHECK(read.status().code() == Code::kInvalidArgument);
    return read.status().message();
  };
  CHECK(failure("speed 3") == "test, line 1: rate, schedule, quarantine or compiled was expected, found 'speed'.");
  CHECK(failure("rate colour 3").find("a rate was expected, found 'colour'") != std::string::npos);
  CHECK(failure("rate launch_ns 0").find("a positive rate of at most 1099511627776 was expected") != std::string::npos);
  CHECK(failure("rate launch_ns 1099511627777").find("a positive rate of at most 1099511627776") != std::string::npos);
  CHECK(failure("rate launch_ns 1\nrate launch_ns 2").find("twice") != std::string::npos);
  CHECK(failure("quarantine \"a\" quarantine \"a\"").find("twice") != std::string::npos);
  CHECK(failure("schedule \"a\"").find("a quoted string was expected") != std::string::npos);
  const std::string_view figure = "registers, spills, occupancy or shared_bytes was expected";
  CHECK(failure("compiled \"a\" \"b\"").find(figure) != std::string::npos);
  CHECK(failure("compiled \"a\" \"b\" \"registers\" 3").find(figure) != std::string::npos);
  CHECK(failure("compiled \"a\" \"b\" colour 3").find(figure) != std::string::npos);
  CHECK(failure("compiled \"a\" \"b\" spills 3 colour 3").find("compiled was expected, found 'colour'") != std::string::npos);
  CHECK(failure("compiled \"a\" \"b\" spills 3 spills 3").find("not there yet was expected") != std::string::npos);
  CHECK(failure("compiled \"a\" \"b\" spills").find("an integer was expected") != std::string::npos);
  CHECK(failure("compiled \"a\" \"b\" spills -1").find("a figure from 0 to 1099511627776") != std::string::npos);
  CHECK(failure("compiled \"a\" \"b\" spills 1099511627777").find("a figure from 0 to") != std::string::npos);
  CHECK(failure("compiled \"a\" spills 1").find("a quoted string was expected") != std::string::npos);
  CHECK(failure("compiled \"a\" \"b\" spills 1 compiled \"a\" \"b\" spills 2").find("twice") != std::string::npos);
}

}  // namespace
}  // namespace tuff
