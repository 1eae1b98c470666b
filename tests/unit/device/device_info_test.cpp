#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

#include "base/file.h"
#include "device/device_info.h"
#include "device/fields.h"

namespace tuff {
namespace {

// Every text in tests/devices, with its name.
std::vector<std::pair<std::string, std::string>> device_texts() {
  std::vector<std::pair<std::string, std::string>> texts;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(TUFF_TEST_ROOT) + "/devices")) {
    if (entry.path().extension() != ".txt") continue;
    Result<std::string> text = read_text_file(entry.path().string());
    REQUIRE(text.ok());
    texts.emplace_back(entry.path().stem().string(), *text);
  }
  std::sort(texts.begin(), texts.end());
  return texts;
}

DeviceInfo parsed(const std::string& text) {
  Result<DeviceInfo> info = parse_device_info(text, "test");
  INFO(info.status().message());
  REQUIRE(info.ok());
  return *info;
}

std::string failure(const std::string& text) {
  Result<DeviceInfo> info = parse_device_info(text, "test");
  REQUIRE(!info.ok());
  CHECK(info.status().code() == Code::kInvalidArgument);
  return info.status().message();
}

TEST_CASE("the text of every known device reads and prints back") {
  const auto texts = device_texts();
  CHECK(texts.size() >= 11);
  for (const auto& entry : texts) {  // Clang 14 has no structured bindings in INFO's lambda
    INFO(entry.first);
    const std::string& text = entry.second;
    const DeviceInfo info = parsed(text);
    // The file is its comment and what print() gives.
    CHECK(text.substr(text.find('\n') + 1) == print(info));
    CHECK(hash(parsed(print(info))) == hash(info));
    CHECK(!info.name.empty());
    CHECK(info.uuid.size() == 32);
    CHECK(info.device_uuid.size() == 32);
    CHECK(info.rates.compute_units > 0);
  }
}

TEST_CASE("no two known devices have the same hash") {
  std::vector<Hash> hashes;
  for (const auto& [name, text] : device_texts()) hashes.push_back(hash(parsed(text)));
  std::sort(hashes.begin(), hashes.end());
  CHECK(std::adjacent_find(hashes.begin(), hashes.end()) == hashes.end());
}

// Changes one field after another.
struct Changer {
  int wanted, at = 0;
  bool is_turn() { return at++ == wanted; }
  void text(std::string_view, std::string& v) {
    if (is_turn()) v += "x";
  }
  void kind(std::string_view, DeviceKind& v) {
    if (is_turn()) v = DeviceKind::kVirtual;
  }
  template <class T>
  void integer(std::string_view, T& v, int64_t, int64_t) {
    if (is_turn()) v += 1;
  }
  void alignment(std::string_view, int64_t& v) {
    if (is_turn()) v *= 2;
  }
  void real(std::string_view, double& v, double) {
    if (is_turn()) v += 0.25;
  }
  void boolean(std::string_view, bool& v) {
    if (is_turn()) v = !v;
  }
  void triple(std::string_view, std::array<int64_t, 3>& v, int64_t) {
    if (is_turn()) v[2] += 1;
  }
  void matrices(std::string_view, std::vector<MatrixShape>& v) {
    if (is_turn()) v.push_back({16, 8, 16, "f16", "f16", "f32", "f32"});
  }
};

TEST_CASE("each field is in the hash and in the text") {
  DeviceInfo plain;
  plain.max_subgroup_size = 64;
  plain.rates = default_rates(plain);
  int count = 0;
  for (;; ++count) {
    DeviceInfo changed = plain;
    Changer changer{count};
    visit_fields(changed, changer);
    const bool is_rate = changer.at <= count;
    visit_rates(changed.rates, changer);
    if (changer.at <= count) break;
    if (!is_rate) changed.rates = default_rates(changed);
    INFO("field ", count);
    CHECK(hash(changed) != hash(plain));
    CHECK(print(changed) != print(plain));
    CHECK(print(parsed(print(changed))) == print(changed));
    CHECK(hash(parsed(print(changed))) == hash(changed));
  }
  CHECK(count > 50);
}

TEST_CASE("fields that a text leaves out are Vulkan's guarantees") {
  const DeviceInfo info = parsed("name \"small\"\n");
  CHECK(info.max_storage_buffers == 4);
  CHECK(info.max_shared_bytes == 16384);
  CHECK(info.max_workgroup_invocations == 128);
  CHECK(print(parsed("")) == print(parsed(print(parsed("")))));
}

TEST_CASE("a text says where it is wrong") {
  CHECK(failure("name \"a\"\nspeed 12\n") == "test, line 2: the name of a field was expected, found 'speed'.");
  CHECK(failure("int8 true int8 true") == "test: the field 'int8' occurs twice.");
  CHECK(failure("rates.launch_ns 1 rates.launch_ns 2") == "test: the field 'rates.launch_ns' occurs twice.");
  CHECK(failure("rates.colour 1").find("the name of a field was expected") != std::string::npos);
  CHECK(failure("int8 7").find("true or false was expected") != std::string::npos);
  CHECK(failure("kind fast").find("other, integrated, discrete, virtual or software was expected") != std::string::npos);
  CHECK(failure("max_shared_bytes -1").find("out of range for 'max_shared_bytes'") != std::string::npos);
  CHECK(failure("max_workgroup_count 1 0 1").find("out of range") != std::string::npos);
  CHECK(failure("storage_offset_alignment 48").find("out of range") != std::string::npos);
  CHECK(failure("subgroup_size 0").find("out of range") != std::string::npos);
  CHECK(failure("timestamp_period_ns nan").find("out of range") != std::string::npos);
  CHECK(failure("rates.fma_per_us 0").find("out of range") != std::string::npos);
  CHECK(failure("matrix 16 16 0 f16 f16 f32 f32").find("out of range") != std::string::npos);
  CHECK(failure("matrix 16 16 16 f16 f16 f32").find("a name was expected") != std::string::npos);
  CHECK(failure("min_subgroup_size 64 max_subgroup_size 32").find("is above") != std::string::npos);
  CHECK(failure("name").find("a quoted string was expected") != std::string::npos);
}

TEST_CASE("a text cut anywhere is read or refused") {
  for (const auto& [name, text] : device_texts()) {
    size_t refused = 0;
    for (size_t size = 0; size < text.size(); ++size) refused += !parse_device_info(text.substr(0, size), name).ok();
    CHECK(refused > 0);
    CHECK(refused < text.size());
  }
}

TEST_CASE("rates given in a text override the defaults that follow from the rest") {
  const std::string device = "kind discrete vendor_id 4318 compute_units 82 ";
  const DeviceInfo plain = parsed(device),
                   tuned = parsed("rates.launch_ns 1234 " + device + "rates.shared_memory_on_chip false");
  CHECK(plain.rates.launch_ns != 1234);
  CHECK(tuned.rates.launch_ns == 1234);
  CHECK(!tuned.rates.shared_memory_on_chip);
  CHECK(tuned.rates.fma_per_us == plain.rates.fma_per_us);
  CHECK(print(tuned).find("rates.launch_ns 1234\nrates.shared_memory_on_chip false\n") != std::string::npos);
  CHECK(print(plain).find("rates.") == std::string::npos);
}

TEST_CASE("default rates follow the name, then the vendor's count of units, then the kind") {
  const DeviceRates named = parsed("name \"NVIDIA GeForce RTX 3090 (NVK GA102)\" kind discrete vendor_id 4318").rates;
  CHECK(named.compute_units == 82);
  CHECK(named.dram_bytes_per_us == 936'000);
  CHECK(named.fma_per_us == 17'800'000);
  // The longer name is the more special one.
  CHECK(parsed("name \"NVIDIA GeForce RTX 3060 Ti\" vendor_id 4318").rates.compute_units == 38);
  CHECK(parsed("name \"NVIDIA GeForce RTX 3060\" vendor_id 4318").rates.compute_units == 28);
  // Another vendor's device of that name is not meant.
  CHECK(parsed("name \"RTX 3090\" kind discrete vendor_id 1").rates.compute_units == 32);

  const DeviceRates counted = parsed("name \"new\" kind discrete vendor_id 4318 compute_units 100").rates;
  CHECK(counted.compute_units == 100);
  CHECK(counted.fma_per_us == 100 * 128 * 1500);
  // A driver's count is that of the board, which rows of a family cannot know.
  CHECK(parsed("name \"AMD Radeon RX 6800 XT\" vendor_id 4098 compute_units 72").rates.compute_units == 72);

  const DeviceRates software = parsed("name \"llvmpipe\" kind software vendor_id 65541").rates;
  CHECK(!software.shared_memory_on_chip);
  CHECK(software.launch_ns > parsed("kind integrated").rates.launch_ns);
  CHECK(parsed("kind integrated").rates.launch_ns > parsed("kind discrete").rates.launch_ns);
}

TEST_CASE("texels are read where it pays and a view reaches all of a storage buffer") {
  const std::string llvmpipe =
      "kind software driver_name \"llvmpipe\" max_storage_buffer_bytes 1024 storage_offset_alignment 16 ";
  CHECK(usable_texel_buffers(parsed(llvmpipe + "max_texel_buffer_elements 256 max_texel_buffers 5")) == 5);
  CHECK(usable_texel_buffers(parsed(llvmpipe + "max_texel_buffer_elements 255")) == 0);
  CHECK(usable_texel_buffers(parsed("kind discrete max_storage_buffer_bytes 1024")) == 0);
  CHECK(buffer_offset_alignment(parsed(llvmpipe + "texel_offset_alignment 64")) == 64);
  CHECK(buffer_offset_alignment(parsed("kind discrete storage_offset_alignment 16 texel_offset_alignment 64")) == 16);
}

TEST_CASE("every row of the rates table is reachable and sane") {
  struct Row {
    uint32_t vendor_id;
    std::string_view names;
    int64_t units, gb_per_s, cache_mib;
    double tflops;
    std::string_view source;
  };
  const Row rows[] = {
#define TUFF_RATES(...) {__VA_ARGS__},
#include "device/rates.def"
#undef TUFF_RATES
  };
  for (const Row& row : rows) {
    std::string_view names = row.names;
    while (!names.empty()) {
      const std::string name(names.substr(0, names.find('|')));
      names.remove_prefix(std::min(names.size(), name.size() + 1));
      INFO(name);
      DeviceInfo info;
      info.name = name;
      info.vendor_id = row.vendor_id;
      const DeviceRates rates = default_rates(info);
      CHECK(rates.compute_units == row.units);
      CHECK(rates.dram_bytes_per_us == row.gb_per_s * 1000);
      CHECK(!row.source.empty());
    }
  }
}

}  // namespace
}  // namespace tuff
