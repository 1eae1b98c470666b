#include <doctest/doctest.h>

#include <map>
#include <thread>

#include "codegen/codegen.h"
#include "unit/codegen/small_kernels.h"

namespace tuff {
namespace {

TEST_CASE("a kernel becomes a module of its own bindings and workgroup") {
  Kernel kernel = small_kernel("x + y", false);
  Result<CompiledKernel> compiled = compile_kernel(kernel, DeviceInfo{}, {});
  REQUIRE_MESSAGE(compiled.ok(), compiled.status().message());
  CHECK(compiled->texel_words == std::vector<int>(3));
  CHECK_FALSE(compiled->has_parameters);
  CHECK(compiled->workgroup == std::array<uint32_t, 3>{8, 1, 1});
  std::string text = disassemble(compiled->spirv);
  CHECK(contains(text, "OpExecutionMode %main LocalSize 8 1 1"));
  CHECK(contains(text, "OpFAdd"));
}

TEST_CASE("the same kernel gives the same words, from any thread") {
  Kernel kernel = small_kernel("x * y + x", true);
  Result<CompiledKernel> first = compile_kernel(kernel, DeviceInfo{}, {});
  REQUIRE(first.ok());
  std::vector<Hash> hashes(4);
  std::vector<std::thread> threads;
  for (Hash& hash : hashes) {
    threads.emplace_back([&] {
      Result<CompiledKernel> again = compile_kernel(kernel, DeviceInfo{}, {});
      if (again.ok()) hash = again->hash;
    });
  }
  for (std::thread& t : threads) t.join();
  for (const Hash& hash : hashes) CHECK(hash == first->hash);
}

TEST_CASE("GLSL that does not compile is told with its line") {
  Kernel kernel = small_kernel("x + nothing", false);
  Result<CompiledKernel> compiled = compile_kernel(kernel, DeviceInfo{}, {});
  REQUIRE_FALSE(compiled.ok());
  CHECK(compiled.status().code() == Code::kInternal);
  CHECK(contains(compiled.status().message(), "'small'"));
  CHECK(contains(compiled.status().message(), "line 10:   c[i] = x + nothing;"));
}

TEST_CASE("the modules of a plan come in the order of its kernels") {
  std::vector<Kernel> kernels = {small_kernel("x + y", false), small_kernel("x - y", false)};
  Result<CompiledKernels> compiled = compile_kernels(kernels, DeviceInfo{}, {});
  REQUIRE(compiled.ok());
  REQUIRE(compiled->kernels.size() == 2);
  CHECK(contains(disassemble(compiled->kernels[0].spirv), "OpFAdd"));
  CHECK(contains(disassemble(compiled->kernels[1].spirv), "OpFSub"));
}

struct MapCache {
  std::map<Hash, std::vector<uint32_t>> entries;
  int loads = 0, stores = 0;

  CodegenOptions options() {
    CodegenOptions o;
    o.cache.load = [this](const Hash& key) -> std::optional<std::vector<uint32_t>> {
      ++loads;
      auto it = entries.find(key);
      if (it == entries.end()) return std::nullopt;
      return it->second;
    };
    o.cache.store = [this](const Hash& key, std::span<const uint32_t> words) {
      ++stores;
      entries[key].assign(words.begin(), words.end());
    };
    return o;
  }
};

TEST_CASE("a cached module is used, and stored once") {
  MapCache cache;
  Kernel kernel = small_kernel("x + y", false);
  Result<CompiledKernel> fresh = compile_kernel(kernel, DeviceInfo{}, cache.options());
  Result<CompiledKernel> cached = compile_kernel(kernel, DeviceInfo{}, cache.options());
  REQUIRE(fresh.ok());
  REQUIRE(cached.ok());
  CHECK(cache.loads == 2);
  CHECK(cache.stores == 1);
  CHECK(fresh->hash == cached->hash);
}

TEST_CASE("exact and fast modules of one source have different keys") {
  MapCache cache;
  REQUIRE(compile_kernel(small_kernel("x * y", false), DeviceInfo{}, cache.options()).ok());
  REQUIRE(compile_kernel(small_kernel("x * y", true), DeviceInfo{}, cache.options()).ok());
  CHECK(cache.entries.size() == 2);
}

TEST_CASE("a truncated or foreign cache entry is compiled anew") {
  MapCache cache;
  Kernel kernel = small_kernel("x + y", true);
  Result<CompiledKernel> fresh = compile_kernel(kernel, DeviceInfo{}, cache.options());
  REQUIRE(fresh.ok());
  const std::vector<uint32_t> whole = fresh->spirv;
  auto& entry = cache.entries.begin()->second;

  SUBCASE("truncated at every word") {
    for (size_t size = 0; size < whole.size(); ++size) {
      entry.assign(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size));
      Result<CompiledKernel> again = compile_kernel(kernel, DeviceInfo{}, cache.options());
      REQUIRE(again.ok());
      CHECK(again->hash == fresh->hash);
    }
  }
  SUBCASE("the entry of another kernel") {
    Kernel other = small_kernel("x / y", false);
    Result<CompiledKernel> wrong = compile_kernel(other, DeviceInfo{}, {});
    REQUIRE(wrong.ok());
    entry = wrong->spirv;
    Result<CompiledKernel> again = compile_kernel(kernel, DeviceInfo{}, cache.options());
    REQUIRE(again.ok());
    CHECK(again->hash == fresh->hash);
  }
}

}  // namespace
}  // namespace tuff
