// The driver's part of a compile: pipelines on lent threads, its cache in the host's keeping, and cancelling between them.
#include "../compile_host.h"
#include "device_fixture.h"

namespace {

// y = |-exp(tanh(x) * x)|: five kernels where nothing is fused.
const char kChain[] = R"(graph "chain" {
  input %0 "x": f32[64]
  %1: f32[64] = map.tanh %0 from "Tanh_0"
  %2: f32[64] = map.mul %1, %0 from "Mul_1"
  %3: f32[64] = map.exp %2 from "Exp_2"
  %4: f32[64] = map.neg %3 from "Neg_3"
  %5: f32[64] = map.abs %4 from "Abs_4"
  output %5 "y"
}
)";
constexpr uint32_t kKernels = 5;

struct Compiler {
  VulkanHost host;
  tuff_device_t* device = host.lend();
  tuff_model_t* model = load(kChain);
  tuff_program_desc_t desc = TUFF_PROGRAM_DESC_INIT;

  Compiler() { desc.no_fuse = 1; }
  ~Compiler() {
    tuff_model_release(model);
    tuff_device_release(device);
  }
  tuff_status_t compile(tuff_program_t** program) { return tuff_program_create(device, model, &desc, program, nullptr); }
  std::vector<float> run_fresh() {
    tuff_program_t* program = nullptr;
    tuff_session_t* session = nullptr;
    REQUIRE(compile(&program) == TUFF_OK);
    REQUIRE(tuff_session_create(program, nullptr, &session, nullptr) == TUFF_OK);
    std::vector<float> x(kCount), y = all(0);
    for (uint32_t i = 0; i < kCount; ++i) x[i] = static_cast<float>(i) / 16 - 2;
    const tuff_tensor_desc_t in = host_tensor(x), out = host_tensor(y);
    REQUIRE(tuff_session_run(session, &in, 1, &out, 1, nullptr) == TUFF_OK);
    tuff_session_release(session);
    tuff_program_release(program);
    return y;
  }
};

TEST_CASE("pipelines are made on the threads that are lent, and compute the same bits") {
  Compiler c;
  const std::vector<float> alone = c.run_fresh();
  for (uint32_t thread_count : {0, 4}) {
    Lent lent;
    lent.thread_count = thread_count;
    lend(c.desc, lent);
    CHECK(c.run_fresh() == alone);
    CHECK(lent.pieces == 2 * kKernels);
  }
}

TEST_CASE("what the host keeps for the driver is used, and any damage to it costs speed only") {
  Compiler c;
  const std::vector<float> fresh = c.run_fresh();
  Kept kept;
  keep(c.desc, kept);
  CHECK(c.run_fresh() == fresh);
  REQUIRE(kept.entries.size() == kKernels + 1);
  auto pipelines = std::find_if(kept.entries.begin(), kept.entries.end(),
                                [](const auto& entry) { return entry.first.ends_with(".pipelines"); });
  REQUIRE(pipelines != kept.entries.end());
  CHECK(c.run_fresh() == fresh);
  const std::string whole = pipelines->second;
  for (size_t at = 0; at < whole.size(); at += 1 + whole.size() / 24) {
    CAPTURE(at);
    pipelines->second[at] = static_cast<char>(pipelines->second[at] ^ 32);
    const std::string damaged = pipelines->second;
    CHECK(c.run_fresh() == fresh);
    CHECK(pipelines->second != damaged);  // made again
    pipelines->second = whole.substr(0, at);
    CHECK(c.run_fresh() == fresh);
    pipelines->second = whole;
  }
}

TEST_CASE("a compile that is cancelled among its pipelines answers CANCELLED and leaves nothing behind") {
  Compiler c;
  const std::vector<float> fresh = c.run_fresh();
  for (uint32_t thread_count : {1, 3}) {
    Watcher watcher;
    Lent lent;
    lent.thread_count = thread_count;
    watcher.cancel_in = "pipelines";
    watcher.cancel_after = 1;
    REQUIRE(tuff_cancel_token_create(&watcher.token, nullptr) == TUFF_OK);
    watch(c.desc, watcher);
    lend(c.desc, lent);
    tuff_program_t* program = nullptr;
    CHECK(c.compile(&program) == TUFF_CANCELLED);
    CHECK(program == nullptr);
    CHECK(watcher.stages.back() == "pipelines");
    CHECK(watcher.kernels.size() >= kKernels + 1);
    CHECK(watcher.kernels.size() <= kKernels + thread_count);
    c.desc.cancel_token = nullptr;
    tuff_cancel_token_release(watcher.token);
    watcher.token = nullptr;
    CHECK(c.run_fresh() == fresh);
  }
}

TEST_CASE("a pipeline that the driver does not make is a status with the kernel's name, from lent threads too") {
  Compiler c;
  for (uint32_t thread_count : {0, 3}) {
    Lent lent;
    lent.thread_count = thread_count;
    lend(c.desc, lent);
    for (auto [result, status] :
         {std::pair(VK_ERROR_OUT_OF_HOST_MEMORY, TUFF_OUT_OF_MEMORY), std::pair(VK_ERROR_UNKNOWN, TUFF_INTERNAL),
          std::pair(VK_ERROR_INVALID_SHADER_NV, TUFF_INTERNAL)}) {
      c.host.fail("vkCreateComputePipelines", 2, result);
      tuff_program_t* program = nullptr;
      tuff_error_t* error = nullptr;
      CHECK(tuff_program_create(c.device, c.model, &c.desc, &program, &error) == status);
      CHECK(program == nullptr);
      CHECK(message_of(error).find("The kernel '") != std::string::npos);
    }
    CHECK(c.run_fresh().size() == kCount);
  }
}

}  // namespace
