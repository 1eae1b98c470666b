// Threads: four of them on a VkDevice that a host lends and on two devices that Tuff opens, of two drivers at once. FAULTS,
// row 23. Built with ThreadSanitizer it shows that none of Tuff's own memory is raced for; without, that the answers are right.
#include <dlfcn.h>
#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "capi/compile_host.h"
#include "capi/device/device_fixture.h"

namespace {

constexpr int kThreads = 4;
constexpr int64_t kMostRows = 8;

// y = 2 x + 1, and its maximum of each row; x: f32[n, 64].
const char kModel[] = R"(graph "rows" {
  symbol n in 1..8 step 1
  input %0 "x": f32[n, 64]
  %1: f32[n, 64] = map.add %0, %0 from "Add_0"
  %2: f32[1, 1] = constant splat(1) from "one"
  %3: f32[n, 64] = broadcast %2 from "one"
  %4: f32[n, 64] = map.add %1, %3 from "Add_1"
  %5: f32[n, 1] = reduce.max %4 {axes=[1]} from "Max_2"
  output %4 "y"
  output %5 "largest"
}
)";

// A borrowed device, which is made here through the driver's own functions, and two that Tuff opens by their drivers' names.
class Devices {
 public:
  Devices() : model_(load(kModel)) {
    tuff_vulkan_device_desc_t lent = host_.desc();
    void* loader = dlopen("libvulkan.so.1", RTLD_NOW);
    REQUIRE(loader != nullptr);
    // Not the host's that counts: its lock would order the threads.
    lent.get_instance_proc_addr = reinterpret_cast<tuff_vulkan_function_t>(dlsym(loader, "vkGetInstanceProcAddr"));
    lent.lock_queue = [](void* mutex) { static_cast<std::mutex*>(mutex)->lock(); };
    lent.unlock_queue = [](void* mutex) { static_cast<std::mutex*>(mutex)->unlock(); };
    lent.queue_user_data = &queue_mutex_;
    REQUIRE(tuff_device_from_vulkan(&lent, &devices_[0], nullptr) == TUFF_OK);
    devices_[1] = open("llvmpipe");
    devices_[2] = open("SwiftShader");
  }
  ~Devices() {
    for (tuff_device_t* device : devices_) tuff_device_release(device);
    tuff_model_release(model_);
  }
  tuff_model_t* model() const { return model_; }
  const std::array<tuff_device_t*, 3>& all() const { return devices_; }

  tuff_program_t* program(tuff_device_t* device, Lent* lent = nullptr) const {
    tuff_program_desc_t desc = TUFF_PROGRAM_DESC_INIT;
    desc.no_fuse = 1;  // more kernels to compile
    if (lent) lend(desc, *lent);
    tuff_program_t* program = nullptr;
    tuff_error_t* error = nullptr;
    const tuff_status_t made = tuff_program_create(device, model_, &desc, &program, &error);
    CHECK_MESSAGE(made == TUFF_OK, message_of(error));
    return program;
  }

 private:
  static tuff_device_t* open(const char* name) {
    tuff_device_desc_t desc = TUFF_DEVICE_DESC_INIT;
    desc.selector = name;
    desc.allow_software = 1;
    tuff_device_t* device = nullptr;
    tuff_error_t* error = nullptr;
    const tuff_status_t opened = tuff_device_open(&desc, &device, &error);
    REQUIRE_MESSAGE(opened == TUFF_OK, message_of(error));
    return device;
  }

  VulkanHost host_;
  std::mutex queue_mutex_;
  tuff_model_t* model_;
  std::array<tuff_device_t*, 3> devices_{};
};

// One run's tensors, and whether its outputs are right.
struct Rows {
  std::vector<float> x, y, largest;
  std::array<int64_t, 2> shape;
  tuff_tensor_desc_t in, out[2];

  Rows(int64_t rows, float first) : x(static_cast<size_t>(rows) * 64), y(x.size()), largest(static_cast<size_t>(rows)) {
    for (size_t i = 0; i < x.size(); ++i) x[i] = first + static_cast<float>(i % 61);
    shape = {rows, 64};
    in = host_tensor(x);
    in.shape = shape.data();
    in.rank = 2;
    out[0] = host_tensor(y);
    out[1] = host_tensor(largest);
  }
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;

  bool right() const {
    for (size_t i = 0; i < x.size(); ++i)
      if (y[i] != 2 * x[i] + 1) return false;
    for (size_t row = 0; row < largest.size(); ++row) {
      float most = y[row * 64];
      for (size_t i = 0; i < 64; ++i) most = std::max(most, y[row * 64 + i]);
      if (largest[row] != most) return false;
    }
    return true;
  }
  tuff_run_desc_t desc() const {
    tuff_run_desc_t d = TUFF_RUN_DESC_INIT;
    d.inputs = &in;
    d.outputs = out;
    d.input_count = 1;
    d.output_count = 2;
    return d;
  }
};

template <class Body>
void on_threads(Body body) {
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) threads.emplace_back(body, t);
  for (std::thread& thread : threads) thread.join();
}

// A session of a program, with runs in flight and cancelling.
tuff_session_t* session_of(tuff_program_t* program) {
  tuff_session_desc_t desc = TUFF_SESSION_DESC_INIT;
  desc.in_flight_count = 2;
  desc.cancellable = 1;
  tuff_session_t* session = nullptr;
  return tuff_session_create(program, &desc, &session, nullptr) == TUFF_OK ? session : nullptr;
}

// Each is a way to use a session; false for a wrong answer.
bool runs(tuff_session_t* session, Rows& rows) {
  return tuff_session_run(session, &rows.in, 1, rows.out, 2, nullptr) == TUFF_OK && rows.right();
}

bool submits_and_polls(tuff_session_t* session, Rows& rows, Rows& second) {
  const tuff_run_desc_t descs[2] = {rows.desc(), second.desc()};
  tuff_run_t* in_flight[2] = {};
  for (int i = 0; i < 2; ++i)
    if (tuff_session_submit(session, &descs[i], &in_flight[i], nullptr) != TUFF_OK) return false;
  bool ok = true;
  for (tuff_run_t* run : in_flight) {
    int32_t finished = 0;
    while (ok && finished == 0) {
      ok = tuff_run_wait(run, 0, &finished, nullptr) == TUFF_OK;
      if (finished == 0) std::this_thread::yield();
    }
    tuff_run_release(run);
  }
  return ok && rows.right() && second.right();
}

bool cancels(tuff_session_t* session, Rows& rows) {
  const tuff_run_desc_t desc = rows.desc();
  tuff_run_t* run = nullptr;
  if (tuff_session_submit(session, &desc, &run, nullptr) != TUFF_OK) return false;
  const bool cancelled = tuff_run_cancel(run, nullptr) == TUFF_OK;
  const tuff_status_t status = tuff_run_wait(run, TUFF_WAIT_FOREVER, nullptr, nullptr);
  tuff_run_release(run);
  return cancelled && status == TUFF_CANCELLED;
}

bool forgets(tuff_session_t* session, Rows& rows) {
  const tuff_run_desc_t desc = rows.desc();
  tuff_run_t* run = nullptr;
  if (tuff_session_submit(session, &desc, &run, nullptr) != TUFF_OK) return false;
  tuff_run_release(run);
  return true;
}

TEST_CASE("threads compile for shared devices at once, each on threads that it lends") {
  const Devices devices;
  std::atomic<int> wrong = 0;
  on_threads([&](int t) {
    for (size_t d = 0; d < devices.all().size(); ++d) {
      Lent lent;
      lent.thread_count = 2;
      tuff_program_t* program = devices.program(devices.all()[(d + static_cast<size_t>(t)) % 3], &lent);
      tuff_session_t* session = session_of(program);
      Rows rows(2, static_cast<float>(t));
      if (!session || !runs(session, rows)) ++wrong;
      tuff_program_release(program);
      tuff_session_release(session);
    }
  });
  CHECK(wrong == 0);
}

TEST_CASE("sessions of shared programs run, poll, cancel and forget on their threads") {
  const Devices devices;
  std::array<tuff_program_t*, 3> programs{};
  for (size_t d = 0; d < 3; ++d) programs[d] = devices.program(devices.all()[d]);
  std::atomic<int> wrong = 0;
  on_threads([&](int t) {
    std::array<tuff_session_t*, 3> sessions{};
    for (size_t d = 0; d < 3; ++d) sessions[d] = session_of(programs[d]);
    for (int i = 0; i < 24; ++i) {
      tuff_session_t* session = sessions[static_cast<size_t>(i + t) % 3];
      const float first = static_cast<float>(100 * t + i);
      Rows rows(1 + (i / 3 + t) % kMostRows, first), second(1 + (i / 3 + t) % kMostRows, first + 7);
      bool ok = session != nullptr;
      switch ((i / 3) % 4) {
        case 0: ok = ok && runs(session, rows); break;
        case 1: ok = ok && submits_and_polls(session, rows, second); break;
        case 2: ok = ok && cancels(session, rows); break;
        case 3: ok = ok && forgets(session, rows) && runs(session, second); break;
      }
      if (!ok) ++wrong;
    }
    for (tuff_session_t* session : sessions) tuff_session_release(session);
  });
  CHECK(wrong == 0);
  for (tuff_program_t* program : programs) tuff_program_release(program);
}

TEST_CASE("threads that race on one session get BUSY or the right answer") {
  const Devices devices;
  for (tuff_device_t* device : devices.all()) {
    tuff_program_t* program = devices.program(device);
    tuff_session_t* session = session_of(program);
    REQUIRE(session != nullptr);
    std::atomic<int> wrong = 0, done = 0, busy = 0;
    on_threads([&](int t) {
      for (int i = 0; i < 40; ++i) {
        Rows rows(1 + i % kMostRows, static_cast<float>(t + i));
        const tuff_run_desc_t desc = rows.desc();
        tuff_run_t* run = nullptr;
        tuff_status_t status = TUFF_OK;
        if (i % 2 == 0) {
          status = tuff_session_run(session, &rows.in, 1, rows.out, 2, nullptr);
        } else if ((status = tuff_session_submit(session, &desc, &run, nullptr)) == TUFF_OK) {
          do status = tuff_run_wait(run, TUFF_WAIT_FOREVER, nullptr, nullptr);
          while (status == TUFF_BUSY);
          tuff_run_release(run);
        }
        if (status == TUFF_BUSY)
          ++busy;
        else if (status == TUFF_OK && rows.right())
          ++done;
        else
          ++wrong;
      }
    });
    CHECK(wrong == 0);
    CHECK(done > 0);
    CHECK(done + busy == kThreads * 40);
    tuff_session_release(session);
    tuff_program_release(program);
  }
}

TEST_CASE("handles are kept and let go by any thread") {
  const Devices devices;
  tuff_program_t* program = devices.program(devices.all()[1]);
  on_threads([&](int) {
    for (int i = 0; i < 200; ++i) {
      tuff_device_retain(devices.all()[1]);
      tuff_program_retain(program);
      tuff_model_retain(devices.model());
      tuff_device_release(devices.all()[1]);
      tuff_program_release(program);
      tuff_model_release(devices.model());
    }
  });
  // The last reference goes on another thread than made it.
  std::thread([&] { tuff_program_release(program); }).join();
}

}  // namespace
