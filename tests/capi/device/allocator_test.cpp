// The host's allocation callbacks on a device that Tuff opens: everything that Tuff asks Vulkan for goes through them and comes
// back, and memory that they do not give is OUT_OF_MEMORY.
#include <atomic>
#include <cstdlib>
#include <cstring>

#include "device_fixture.h"

namespace {

// VkAllocationCallbacks that count, and fail at the n-th allocation.
class Allocator {
 public:
  Allocator() {
    callbacks_.pUserData = this;
    callbacks_.pfnAllocation = allocate;
    callbacks_.pfnReallocation = reallocate;
    callbacks_.pfnFree = free;
  }
  const VkAllocationCallbacks* callbacks() const { return &callbacks_; }
  // The n-th allocation from now on fails (0: the next), and all later ones too if `lasting`; negative: none does.
  void fail(long n, bool lasting = false) {
    lasting_ = lasting;
    until_failure_ = n;
    failed_ = false;
  }
  bool failed() const { return failed_; }
  long made() const { return made_; }
  long alive() const { return alive_; }

 private:
  // What stands before each block, so that it can be moved and freed: alignment bytes or more.
  struct Block {
    void* start;
    size_t size_bytes;
  };
  static Block& block_of(void* memory) { return static_cast<Block*>(memory)[-1]; }

  static void* VKAPI_CALL allocate(void* self, size_t size_bytes, size_t alignment, VkSystemAllocationScope) {
    Allocator& a = *static_cast<Allocator*>(self);
    if (a.fails_now()) return nullptr;
    alignment = std::max(alignment, alignof(Block));
    auto* start = static_cast<char*>(std::malloc(sizeof(Block) + alignment + size_bytes));
    if (!start) return nullptr;
    const auto first = reinterpret_cast<uintptr_t>(start) + sizeof(Block);
    void* memory = start + sizeof(Block) + (alignment - first % alignment) % alignment;
    block_of(memory) = {start, size_bytes};
    ++a.made_;
    ++a.alive_;
    return memory;
  }
  static void* VKAPI_CALL reallocate(void* self, void* old, size_t size_bytes, size_t alignment,
                                     VkSystemAllocationScope scope) {
    if (size_bytes == 0) {
      free(self, old);
      return nullptr;
    }
    void* memory = allocate(self, size_bytes, alignment, scope);
    if (!memory || !old) return memory;
    std::memcpy(memory, old, std::min(size_bytes, block_of(old).size_bytes));
    free(self, old);
    return memory;
  }
  static void VKAPI_CALL free(void* self, void* memory) {
    if (!memory) return;
    --static_cast<Allocator*>(self)->alive_;
    std::free(block_of(memory).start);
  }
  bool fails_now() {
    const long left = until_failure_;
    if (left < 0) return false;
    until_failure_ = left > 0 ? left - 1 : (lasting_ ? 0 : -1);
    failed_ = failed_ || left == 0;
    return left == 0;
  }

  VkAllocationCallbacks callbacks_{};
  std::atomic<long> made_ = 0, alive_ = 0, until_failure_ = -1;
  std::atomic<bool> lasting_ = false, failed_ = false;
};

struct Opened {
  tuff_device_t* device = nullptr;
  explicit Opened(const Allocator& allocator) {
    tuff_device_desc_t desc = TUFF_DEVICE_DESC_INIT;
    desc.allow_software = 1;
    desc.vulkan_allocator = allocator.callbacks();
    tuff_error_t* error = nullptr;
    const tuff_status_t opened = tuff_device_open(&desc, &device, &error);
    REQUIRE_MESSAGE(opened == TUFF_OK, message_of(error));
  }
  ~Opened() { tuff_device_release(device); }
};

// The status of the first call that fails, of those of a compile.
tuff_status_t compile(tuff_device_t* device, tuff_model_t* model) {
  tuff_program_t* program = nullptr;
  const tuff_status_t status = tuff_program_create(device, model, nullptr, &program, nullptr);
  tuff_program_release(program);
  return status;
}

// Of a session's life.
tuff_status_t prepare_and_run(tuff_program_t* program) {
  tuff_session_t* session = nullptr;
  tuff_status_t status = tuff_session_create(program, nullptr, &session, nullptr);
  if (status == TUFF_OK) status = tuff_session_prepare(session, nullptr, 0, nullptr);
  std::vector<float> x = all(1), y = all(0);
  const tuff_tensor_desc_t in = host_tensor(x), out = host_tensor(y);
  if (status == TUFF_OK) status = tuff_session_run(session, &in, 1, &out, 1, nullptr);
  if (status == TUFF_OK) CHECK(y == all(4));
  tuff_session_release(session);
  return status;
}

// Fails each allocation of what `attempt` does, once and from then on; it then answers OUT_OF_MEMORY, or does without.
template <class Attempt>
void fail_each(Allocator& allocator, Attempt attempt) {
  for (bool lasting : {false, true}) {
    CAPTURE(lasting);
    long n = 0;
    for (bool failed = true; failed; ++n) {
      REQUIRE(n < 10'000);
      CAPTURE(n);
      allocator.fail(n, lasting);
      const tuff_status_t status = attempt();
      failed = allocator.failed();
      allocator.fail(-1);
      CHECK((status == TUFF_OUT_OF_MEMORY || status == TUFF_OK));
      if (!failed) CHECK(status == TUFF_OK);
    }
    CHECK(n > 5);
    CHECK(attempt() == TUFF_OK);
  }
}

bool is_llvmpipe(const tuff_device_t* device) {
  char name[256];
  REQUIRE(tuff_device_name(device, name, sizeof name, nullptr, nullptr) == TUFF_OK);
  return std::strstr(name, "llvmpipe") != nullptr;
}

TEST_CASE("a device that Tuff opens takes its host memory from the host's callbacks, and gives all of it back") {
  Allocator allocator;
  tuff_model_t* model = load(kShift);
  {
    Opened opened(allocator);
    const long to_open = allocator.made();
    CHECK(to_open > 0);
    CHECK(compile(opened.device, model) == TUFF_OK);
    CHECK(allocator.made() > to_open);
  }
  CHECK(allocator.alive() == 0);
  tuff_model_release(model);
}

TEST_CASE("whichever allocation of the host's fails, a compile, a prepare and a run say so, and the next ones succeed") {
  Allocator allocator;
  tuff_model_t* model = load(kShift);
  {
    Opened opened(allocator);
    // Mesa's lavapipe (22.3.6) follows null pointers where vkCreateDescriptorSetLayout or a vkCmd... call finds no memory.
    if (is_llvmpipe(opened.device)) {
      MESSAGE("this driver does not survive it");
    } else {
      fail_each(allocator, [&] { return compile(opened.device, model); });
      tuff_program_t* program = nullptr;
      REQUIRE(tuff_program_create(opened.device, model, nullptr, &program, nullptr) == TUFF_OK);
      fail_each(allocator, [&] { return prepare_and_run(program); });
      tuff_program_release(program);
    }
  }
  CHECK(allocator.alive() == 0);
  tuff_model_release(model);
}

TEST_CASE("whichever allocation of the host's fails, opening says so, and what was allocated comes back") {
  Allocator allocator;
  tuff_device_desc_t desc = TUFF_DEVICE_DESC_INIT;
  desc.allow_software = 1;
  desc.vulkan_allocator = allocator.callbacks();
  // Two ways to run out, and more places than are worth a whole start each.
  for (long n = 0; n < 400; n += 1 + n / 8) {
    CAPTURE(n);
    allocator.fail(n);
    tuff_device_t* device = nullptr;
    const tuff_status_t status = tuff_device_open(&desc, &device, nullptr);
    allocator.fail(-1);
    CHECK((device != nullptr) == (status == TUFF_OK));
    CHECK((status == TUFF_OK || status == TUFF_OUT_OF_MEMORY || status == TUFF_UNSUPPORTED));
    tuff_device_release(device);
    CHECK(allocator.alive() == 0);
  }
}

}  // namespace
