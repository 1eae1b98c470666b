// A compile as a host lives with it: its threads, its cache, its progress and its cancelling; for a described device, so that
// no driver is needed. What a driver's part of a compile is: device/compile_test.cpp.
#include "compile_host.h"

#include <cstdio>
#include <fstream>
#include <iterator>

#include "fixture.h"

namespace {

constexpr uint32_t kKernels = 6;

// Six kernels where nothing is fused.
const char kSixKernels[] = R"(graph "six" {
  input %0 "x": f32[8, 32]
  %1: f32[8, 32] = map.tanh %0 from "Tanh_0"
  %2: f32[8, 32] = map.mul %1, %0 from "Mul_1"
  %3: f32[8, 1] = reduce.max %2 {axes=[1]} from "Max_2"
  %4: f32[8, 1] = map.exp %3 from "Exp_3"
  %5: f32[8, 1] = map.neg %4 from "Neg_4"
  %6: f32[8, 1] = map.abs %5 from "Abs_5"
  output %6 "y"
}
)";

struct Described {
  tuff_device_t* device = nullptr;
  tuff_model_t* model = nullptr;

  Described() {
    const std::string path = model_path() + ".six.graph";
    std::ofstream(path, std::ios::binary) << kSixKernels;
    tuff_error_t* error = nullptr;
    REQUIRE_MESSAGE(tuff_model_load_file(path.c_str(), TUFF_TEXT_END, nullptr, &model, &error) == TUFF_OK, message_of(error));
    std::remove(path.c_str());
    const char text[] = "name \"some device\"\n";
    REQUIRE(tuff_device_describe(text, TUFF_TEXT_END, "some.txt", TUFF_TEXT_END, &device, nullptr) == TUFF_OK);
  }
  ~Described() {
    tuff_model_release(model);
    tuff_device_release(device);
  }

  static tuff_program_desc_t desc() {
    tuff_program_desc_t d = TUFF_PROGRAM_DESC_INIT;
    d.no_fuse = 1;
    return d;
  }
  tuff_status_t compile(const tuff_program_desc_t& desc, std::string* message = nullptr) const {
    tuff_program_t* program = nullptr;
    tuff_error_t* error = nullptr;
    const tuff_status_t status = tuff_program_create(device, model, &desc, &program, &error);
    CHECK((program != nullptr) == (status == TUFF_OK));
    if (message) *message = message_of(error);
    tuff_error_release(error);
    tuff_program_release(program);
    return status;
  }
  // The artifact's bytes: graph, plans and modules.
  std::string artifact(const tuff_program_desc_t& desc) const {
    const std::string path = model_path() + ".tuff";
    tuff_error_t* error = nullptr;
    REQUIRE_MESSAGE(tuff_artifact_write_file(model, &device, 1, &desc, path.c_str(), TUFF_TEXT_END, &error) == TUFF_OK,
                    message_of(error));
    std::ifstream file(path, std::ios::binary);
    std::string bytes{std::istreambuf_iterator<char>(file), {}};
    std::remove(path.c_str());
    return bytes;
  }
};

TEST_CASE("the same bytes come out whatever threads compile, in whatever order") {
  Described d;
  tuff_program_desc_t desc = Described::desc();
  const std::string alone = d.artifact(desc);
  for (uint32_t thread_count : {0, 1, 2, 8}) {
    CAPTURE(thread_count);
    Lent lent;
    lent.thread_count = thread_count;
    lend(desc, lent);
    CHECK(d.artifact(desc) == alone);
    CHECK(lent.pieces >= kKernels);
  }
}

TEST_CASE("a parallel_for that leaves pieces out is told, and makes no program") {
  Described d;
  tuff_program_desc_t desc = Described::desc();
  desc.parallel_for = [](uint32_t count, tuff_task_callback_t task, void* task_data, void*) {
    for (uint32_t i = 1; i < count; ++i) task(i, task_data);
  };
  std::string message;
  CHECK(d.compile(desc, &message) == TUFF_INVALID_ARGUMENT);
  CHECK(message == "parallel_for called its task for 5 of 6 indices.");
  // One that calls it twice, or for more, does no harm.
  desc.parallel_for = [](uint32_t count, tuff_task_callback_t task, void* task_data, void*) {
    for (uint32_t i = 0; i < 2 * count; ++i) task(i / 2, task_data), task(count + i, task_data);
  };
  CHECK(d.compile(desc) == TUFF_OK);
}

TEST_CASE("progress counts the kernels, one at a time") {
  Described d;
  tuff_program_desc_t desc = Described::desc();
  Watcher watcher;
  Lent lent;
  lent.thread_count = 4;
  watch(desc, watcher);
  lend(desc, lent);
  REQUIRE(d.compile(desc) == TUFF_OK);
  CHECK(watcher.stages.back() == "codegen");
  REQUIRE(watcher.kernels.size() == kKernels);
  for (uint32_t i = 0; i < kKernels; ++i) CHECK(watcher.kernels[i] == std::pair(i + 1, kKernels));
}

TEST_CASE("the host keeps the modules, and any damage to them costs speed only") {
  Described d;
  tuff_program_desc_t desc = Described::desc();
  const std::string fresh = d.artifact(desc);
  Kept kept;
  keep(desc, kept);
  CHECK(d.artifact(desc) == fresh);
  REQUIRE(kept.entries.size() >= kKernels);
  for (const auto& [key, bytes] : kept.entries) CHECK(key.ends_with(".spirv"));
  const auto whole = kept.entries;
  const int stores = kept.stores;
  CHECK(d.artifact(desc) == fresh);
  CHECK(kept.stores == stores);
  // Each entry damaged in its own way: shortened, emptied, lengthened, a bit flipped, another's bytes.
  size_t n = 0;
  for (auto& [key, bytes] : kept.entries) {
    switch (n++ % 5) {
      case 0: bytes.pop_back(); break;
      case 1: bytes.clear(); break;
      case 2: bytes += '\0'; break;
      case 3: bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 4); break;
      case 4: bytes = whole.begin()->second; break;
    }
  }
  Lent lent;
  lent.thread_count = 4;
  lend(desc, lent);
  CHECK(d.artifact(desc) == fresh);
  CHECK(kept.entries == whole);
}

TEST_CASE("half a cache: entries that are only read, or only written") {
  Described d;
  tuff_program_desc_t desc = Described::desc();
  Kept kept;
  keep(desc, kept);
  desc.cache_load = nullptr;
  REQUIRE(d.compile(desc) == TUFF_OK);
  CHECK(kept.stores == kKernels);
  keep(desc, kept);
  desc.cache_store = nullptr;
  kept.entries.begin()->second.clear();
  REQUIRE(d.compile(desc) == TUFF_OK);
  CHECK(kept.loads == kKernels);
  CHECK(kept.entries.begin()->second.empty());
  desc.cache_dir = "/nowhere";
  std::string message;
  CHECK(d.compile(desc, &message) == TUFF_INVALID_ARGUMENT);
  CHECK(message == "A cache is a folder or the host's callbacks, not both.");
}

TEST_CASE("a cancelled compile answers CANCELLED, keeps what was compiled, and can be made again") {
  Described d;
  CHECK(tuff_cancel_token_create(nullptr, nullptr) == TUFF_INVALID_ARGUMENT);
  tuff_cancel_token_retain(nullptr);
  tuff_cancel_token_cancel(nullptr);
  tuff_cancel_token_release(nullptr);
  for (uint32_t thread_count : {1, 3}) {
    tuff_program_desc_t desc = Described::desc();
    Watcher watcher;
    Kept kept;
    Lent lent;
    lent.thread_count = thread_count;
    watcher.cancel_in = "codegen";
    watcher.cancel_after = 2;
    REQUIRE(tuff_cancel_token_create(&watcher.token, nullptr) == TUFF_OK);
    watch(desc, watcher);
    keep(desc, kept);
    lend(desc, lent);
    std::string message;
    CHECK(d.compile(desc, &message) == TUFF_CANCELLED);
    CHECK(message == "The work was cancelled by its caller.");
    // What other threads had begun by then they finished.
    CHECK(watcher.kernels.size() >= 2);
    CHECK(watcher.kernels.size() <= 1 + thread_count);
    CHECK(kept.stores == static_cast<int>(watcher.kernels.size()));
    watcher.kernels.clear();
    CHECK(d.compile(desc) == TUFF_CANCELLED);
    CHECK(watcher.kernels.empty());
    tuff_cancel_token_release(watcher.token);
    desc.cancel_token = nullptr;
    watcher.token = nullptr;
    CHECK(d.compile(desc) == TUFF_OK);
    CHECK(kept.stores == kKernels);
  }
}

}  // namespace
