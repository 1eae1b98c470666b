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

// Three kernels of several operators each, one of them with variants for a size that is known when it runs.
const char kBlock[] = R"(graph "block" {
  symbol h in 1..64 step 1
  input %0 "x": f32[1, 4, h, 8]
  input %7 "v": f32[h]
  %9: f32[h] = map.exp %7 from "Exp_5"
  %8: f32[h] = map.neg %9 from "Neg_6"
  %1: f32[1, 4, h, 8] = map.tanh %0 from "Tanh_0"
  %2: f32[4, 4, 1, 1] = constant random(seed=1, scale=0.5) from "w"
  %3: f32[1, 4, h, 8] = window.conv %1, %2 {kernel=[1, 1] strides=[1, 1] dilations=[1, 1] groups=1 order=serial} from "Conv_1"
  %4: f32[1, 4, h, 8] = map.add %3, %0 from "Add_2"
  %5: f32[1, 4, h, 8] = map.abs %4 from "Abs_3"
  %6: f32[1, 1, h, 8] = reduce.max %5 {axes=[1]} from "Max_4"
  %10: f32[1, 1, h, 8] = map.neg %6 from "Neg_7"
  output %5 "y"
  output %10 "z"
  output %8 "u"
}
)";

struct Block {
  VulkanHost host;
  tuff_device_t* device = host.lend();
  tuff_model_t* model;
  tuff_program_desc_t desc = TUFF_PROGRAM_DESC_INIT;

  explicit Block(const char* text) : model(load(text)) { desc.exact = 1; }
  ~Block() {
    tuff_model_release(model);
    tuff_device_release(device);
  }
  // What a run of two heights gives; `pipelines` gets how many the compile made, `dispatches` how many a run has.
  std::vector<float> run(uint32_t* pipelines, uint32_t* dispatches) {
    tuff_program_t* program = nullptr;
    tuff_session_t* session = nullptr;
    tuff_error_t* error = nullptr;
    const tuff_status_t status = tuff_program_create(device, model, &desc, &program, &error);
    REQUIRE_MESSAGE(status == TUFF_OK, message_of(error));
    REQUIRE(tuff_session_create(program, nullptr, &session, nullptr) == TUFF_OK);
    std::vector<float> all_y;
    for (int64_t h : {4, 3}) {
      const auto count = static_cast<size_t>(4 * h * 8);
      std::vector<float> x(count), y(count), z(count / 4), u(static_cast<size_t>(h));
      for (size_t i = 0; i < count; ++i) x[i] = static_cast<float>(i) / 16 - 2;
      tuff_tensor_desc_t in[2] = {host_tensor(x), {}}, out[3] = {host_tensor(y), host_tensor(z), host_tensor(u)};
      const int64_t shape[4] = {1, 4, h, 8};
      in[0].shape = shape;
      in[0].rank = 4;
      in[1] = in[0];
      in[1].shape = shape + 2;
      in[1].rank = 1;
      REQUIRE(tuff_session_run(session, in, 2, out, 3, nullptr) == TUFF_OK);
      for (const std::vector<float>* part : {&y, &z, &u}) all_y.insert(all_y.end(), part->begin(), part->end());
    }
    tuff_session_info_t info = TUFF_SESSION_INFO_INIT;
    REQUIRE(tuff_session_get_info(session, &info, nullptr) == TUFF_OK);
    *pipelines = static_cast<uint32_t>(info.device_pipelines) - made_;
    made_ = static_cast<uint32_t>(info.device_pipelines);
    *dispatches = info.dispatch_count;
    tuff_session_release(session);
    tuff_program_release(program);
    return all_y;
  }

 private:
  uint32_t made_ = 0;
};

TEST_CASE("whichever pipeline the driver does not make, other kernels do its work with the same bits") {
  Block b(kBlock);
  Kept kept;
  keep(b.desc, kept);
  uint32_t pipelines = 0, dispatches = 0;
  const std::vector<float> fresh = b.run(&pipelines, &dispatches);
  const uint32_t all_pipelines = pipelines, all_dispatches = dispatches;
  REQUIRE(all_pipelines > all_dispatches);  // there are variants
  uint32_t without_variant = 0, unfused = 0;
  for (uint32_t n = 0; n < all_pipelines; ++n) {
    CAPTURE(n);
    b.host.fail("vkCreateComputePipelines", n, VK_ERROR_UNKNOWN);
    CHECK(b.run(&pipelines, &dispatches) == fresh);
    without_variant += pipelines == all_pipelines - 1;
    unfused += dispatches > all_dispatches;
    // What is kept is not poisoned.
    CHECK(b.run(&pipelines, &dispatches) == fresh);
    CHECK(pipelines == all_pipelines);
    CHECK(dispatches == all_dispatches);
  }
  CHECK(without_variant > 0);
  CHECK(unfused > 0);
}

TEST_CASE("a driver that makes no pipeline at all is a status with a kernel's name") {
  Block b(kBlock);
  tuff_program_t* program = nullptr;
  for (auto [result, expected] :
       {std::pair(VK_ERROR_UNKNOWN, TUFF_INTERNAL), std::pair(VK_ERROR_OUT_OF_HOST_MEMORY, TUFF_OUT_OF_MEMORY)}) {
    tuff_error_t* error = nullptr;
    b.host.fail("vkCreateComputePipelines", 0, result, true);
    CHECK(tuff_program_create(b.device, b.model, &b.desc, &program, &error) == expected);
    CHECK(message_of(error).find("The kernel '") != std::string::npos);
    b.host.stop_failing();
  }
  CHECK(program == nullptr);
}

}  // namespace
