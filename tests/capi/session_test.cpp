// Sessions through the C API, on the CPU.
#include <atomic>
#include <thread>
#include <vector>

#include "fixture.h"

namespace {

TEST_CASE("run gives the outputs; the shape comes from the inputs") {
  Handles h;
  float x[6] = {1, 2, 4, 3, -5, -6}, y[6] = {}, z[3] = {};
  const int64_t shape[2] = {3, 2};
  tuff_tensor_desc_t input = tensor(TUFF_F32, x, sizeof x, shape, 2);
  tuff_tensor_desc_t outputs[2] = {tensor(TUFF_F32, y, sizeof y), tensor(TUFF_F32, z, sizeof z)};
  tuff_error_t* error = nullptr;
  REQUIRE_MESSAGE(tuff_session_run(h.session, &input, 1, outputs, 2, &error) == TUFF_OK, message_of(error));
  CHECK(std::vector<float>(y, y + 6) == std::vector<float>{2, 4, 8, 6, -10, -12});
  CHECK(std::vector<float>(z, z + 3) == std::vector<float>{2, 4, -5});
  int64_t sizes[2] = {};
  uint32_t rank = 0;
  CHECK(tuff_session_tensor_shape(h.session, TUFF_OUTPUT, 1, sizes, 2, &rank, nullptr) == TUFF_OK);
  CHECK(rank == 2);
  CHECK(sizes[0] == 3);
  CHECK(sizes[1] == 1);
}

TEST_CASE("inputs and outputs may lie with strides and an offset") {
  Handles h;
  // x column by column: x[i][j] at 2 + 2*j + i.
  float x[6] = {99, 99, 1, 2, 3, 4}, y[4] = {};
  const int64_t shape[2] = {2, 2}, strides[2] = {4, 8};
  tuff_tensor_desc_t input = tensor(TUFF_F32, x, sizeof x, shape, 2);
  input.byte_strides = strides;
  input.offset_bytes = 8;
  tuff_tensor_desc_t output = tensor(TUFF_F32, y, sizeof y);
  REQUIRE(tuff_session_run(h.session, &input, 1, &output, 1, nullptr) == TUFF_OK);
  CHECK(std::vector<float>(y, y + 4) == std::vector<float>{2, 6, 4, 8});
}

TEST_CASE("what would reach outside the caller's memory is refused") {
  Handles h;
  float x[4] = {1, 2, 3, 4}, y[4] = {};
  const int64_t shape[2] = {2, 2};
  tuff_tensor_desc_t input = tensor(TUFF_F32, x, sizeof x - 1, shape, 2);
  tuff_error_t* error = nullptr;
  CHECK(tuff_session_run(h.session, &input, 1, nullptr, 0, &error) == TUFF_INVALID_ARGUMENT);
  CHECK(message_of(error) == "Tensor 'x' reaches bytes 0 to 16 of memory that has 15 bytes.");
  tuff_error_release(error);
  input = tensor(TUFF_F32, x, sizeof x, shape, 2);
  tuff_tensor_desc_t output = tensor(TUFF_F32, y, 8);
  CHECK(tuff_session_run(h.session, &input, 1, &output, 1, nullptr) == TUFF_INVALID_ARGUMENT);
  input.data = nullptr;
  CHECK(tuff_session_run(h.session, &input, 1, nullptr, 0, nullptr) == TUFF_INVALID_ARGUMENT);
  input.memory = 7;
  CHECK(tuff_session_run(h.session, &input, 1, nullptr, 0, nullptr) == TUFF_UNSUPPORTED);
  input = tensor(99, x, sizeof x, shape, 2);
  CHECK(tuff_session_run(h.session, &input, 1, nullptr, 0, nullptr) == TUFF_INVALID_ARGUMENT);
  input = tensor(TUFF_I32, x, sizeof x, shape, 2);
  CHECK(tuff_session_run(h.session, &input, 1, nullptr, 0, nullptr) == TUFF_INVALID_ARGUMENT);
}

TEST_CASE("set, run, read: inputs stay for the next run") {
  Handles h;
  tuff_symbol_value_t n = TUFF_SYMBOL_VALUE_INIT;
  n.name = "n";
  n.value = 1;
  REQUIRE(tuff_session_prepare(h.session, &n, 1, nullptr) == TUFF_OK);
  float x[2] = {3, 4}, y[2] = {};
  tuff_tensor_desc_t input = tensor(TUFF_F32, x, sizeof x), output = tensor(TUFF_F32, y, sizeof y);
  CHECK(tuff_session_read_output(h.session, 0, &output, nullptr) == TUFF_INVALID_ARGUMENT);
  REQUIRE(tuff_session_set_input(h.session, 0, &input, nullptr) == TUFF_OK);
  for (int run = 0; run < 2; ++run) {
    REQUIRE(tuff_session_run(h.session, nullptr, 0, nullptr, 0, nullptr) == TUFF_OK);
    REQUIRE(tuff_session_read_output(h.session, 0, &output, nullptr) == TUFF_OK);
    CHECK(y[0] == 6);
    CHECK(y[1] == 8);
  }
  CHECK(tuff_session_set_input(h.session, 1, &input, nullptr) == TUFF_INVALID_ARGUMENT);
  CHECK(tuff_session_read_output(h.session, 2, &output, nullptr) == TUFF_INVALID_ARGUMENT);
}

TEST_CASE("a submitted run is waited for before the next one, and its outputs are copied then") {
  Handles h;
  float x[2] = {1, 2}, y[2] = {};
  const int64_t shape[2] = {1, 2};
  tuff_tensor_desc_t input = tensor(TUFF_F32, x, sizeof x, shape, 2), output = tensor(TUFF_F32, y, sizeof y);
  tuff_run_desc_t desc = TUFF_RUN_DESC_INIT;
  desc.inputs = &input;
  desc.input_count = 1;
  desc.outputs = &output;
  desc.output_count = 1;
  tuff_run_t* run = nullptr;
  REQUIRE(tuff_session_submit(h.session, &desc, &run, nullptr) == TUFF_OK);
  CHECK(y[0] == 0);
  tuff_run_t* second = nullptr;
  CHECK(tuff_session_submit(h.session, &desc, &second, nullptr) == TUFF_BUSY);
  int32_t finished = 0;
  REQUIRE(tuff_run_wait(run, TUFF_WAIT_FOREVER, &finished, nullptr) == TUFF_OK);
  CHECK(finished == 1);
  CHECK(y[1] == 4);
  REQUIRE(tuff_session_submit(h.session, &desc, &second, nullptr) == TUFF_OK);
  tuff_run_release(second);  // never waited for
  REQUIRE(tuff_session_run(h.session, &input, 1, &output, 1, nullptr) == TUFF_OK);
  tuff_run_release(run);
}

TEST_CASE("sessions of one program run in threads at once") {
  Handles h;
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      tuff_session_t* session = nullptr;
      if (tuff_session_create(h.program, nullptr, &session, nullptr) != TUFF_OK) ++wrong;
      for (int i = 1; i <= 50; ++i) {
        float x[2] = {static_cast<float>(t), static_cast<float>(i)}, y[2] = {};
        const int64_t shape[2] = {1, 2};
        tuff_tensor_desc_t input = tensor(TUFF_F32, x, sizeof x, shape, 2), output = tensor(TUFF_F32, y, sizeof y);
        if (tuff_session_run(session, &input, 1, &output, 1, nullptr) != TUFF_OK) ++wrong;
        if (y[0] != 2 * x[0] || y[1] != 2 * x[1]) ++wrong;
      }
      tuff_session_release(session);
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
}

TEST_CASE("threads that race on one session get BUSY or the right answer") {
  Handles h;
  std::atomic<int> wrong = 0, done = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 1; i <= 100; ++i) {
        float x[2] = {static_cast<float>(i), 1}, y[2] = {};
        const int64_t shape[2] = {1, 2};
        tuff_tensor_desc_t input = tensor(TUFF_F32, x, sizeof x, shape, 2), output = tensor(TUFF_F32, y, sizeof y);
        tuff_status_t status = tuff_session_run(h.session, &input, 1, &output, 1, nullptr);
        if (status == TUFF_OK && y[0] == 2 * x[0])
          ++done;
        else if (status != TUFF_BUSY)
          ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
  CHECK(done > 0);
}

TEST_CASE("handles may go in any order; a run keeps its session") {
  Handles h;
  tuff_device_release(h.device);
  tuff_model_release(h.model);
  tuff_program_release(h.program);
  h.device = nullptr;
  h.model = nullptr;
  h.program = nullptr;
  float x[2] = {1, 2}, y[2] = {};
  const int64_t shape[2] = {1, 2};
  tuff_tensor_desc_t input = tensor(TUFF_F32, x, sizeof x, shape, 2), output = tensor(TUFF_F32, y, sizeof y);
  tuff_run_desc_t desc = TUFF_RUN_DESC_INIT;
  desc.inputs = &input;
  desc.input_count = 1;
  desc.outputs = &output;
  desc.output_count = 1;
  tuff_run_t* run = nullptr;
  REQUIRE(tuff_session_submit(h.session, &desc, &run, nullptr) == TUFF_OK);
  tuff_session_release(h.session);
  h.session = nullptr;
  CHECK(tuff_run_wait(run, TUFF_WAIT_FOREVER, nullptr, nullptr) == TUFF_OK);
  CHECK(y[0] == 2);
  tuff_run_release(run);
}

TEST_CASE("sizes outside a symbol's range are refused by name") {
  Handles h;
  tuff_symbol_value_t n = TUFF_SYMBOL_VALUE_INIT;
  n.name = "n";
  n.value = 65;
  tuff_error_t* error = nullptr;
  CHECK(tuff_session_prepare(h.session, &n, 1, &error) == TUFF_INVALID_ARGUMENT);
  CHECK(message_of(error) == "Dimension 'n' is 65, outside its range 1 to 64.");
  tuff_error_release(error);
}

TEST_CASE("the CPU has no kernels to profile") {
  Handles h;
  tuff_profile_t* profile = nullptr;
  tuff_error_t* error = nullptr;
  tuff_profile_desc_t desc = TUFF_PROFILE_DESC_INIT;
  CHECK(tuff_session_profile(h.session, &desc, &profile, &error) == TUFF_UNSUPPORTED);
  CHECK(message_of(error).find("no kernels") != std::string::npos);
  tuff_error_release(error);
  desc.run_count = 1'000'001;
  CHECK(tuff_session_profile(h.session, &desc, &profile, &error) == TUFF_LIMIT);
  CHECK(message_of(error) == "A profile is of at most 1000000 runs, not 1000001.");
  tuff_error_release(error);
  CHECK(tuff_session_profile(h.session, nullptr, nullptr, nullptr) == TUFF_INVALID_ARGUMENT);
  CHECK(profile == nullptr);
}

TEST_CASE("an empty tensor needs no memory") {
  // n may not be 0 here; the tensor desc itself may say so, and the model's range answers.
  Handles h;
  const int64_t shape[2] = {0, 2};
  tuff_tensor_desc_t input = tensor(TUFF_F32, nullptr, 0, shape, 2);
  tuff_error_t* error = nullptr;
  CHECK(tuff_session_run(h.session, &input, 1, nullptr, 0, &error) == TUFF_INVALID_ARGUMENT);
  CHECK(message_of(error).find("outside its range") != std::string::npos);
  tuff_error_release(error);
}

}  // namespace
