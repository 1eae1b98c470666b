// Errors, descs and strings: the rules that hold for every function.
#include <cstring>

#include "fixture.h"

namespace {

TEST_CASE("a failed call sets a status, a sentence and nothing else") {
  tuff_error_t* error = nullptr;
  tuff_model_t* model = reinterpret_cast<tuff_model_t*>(1);
  CHECK(tuff_model_load_file("/nonexistent/x.onnx", TUFF_TEXT_END, nullptr, &model, &error) == TUFF_IO);
  CHECK(model == reinterpret_cast<tuff_model_t*>(1));
  REQUIRE(error != nullptr);
  CHECK(tuff_error_status(error) == TUFF_IO);
  CHECK(message_of(error).find("/nonexistent/x.onnx") != std::string::npos);
  tuff_error_release(error);
  CHECK(tuff_model_load_file("/nonexistent/x.onnx", TUFF_TEXT_END, nullptr, &model, nullptr) == TUFF_IO);
}

TEST_CASE("success clears the error") {
  Handles h;
  tuff_error_t* error = reinterpret_cast<tuff_error_t*>(1);
  CHECK(tuff_session_prepare(h.session, nullptr, 0, &error) == TUFF_INVALID_ARGUMENT);
  tuff_error_release(error);
  error = reinterpret_cast<tuff_error_t*>(1);
  tuff_symbol_value_t n = TUFF_SYMBOL_VALUE_INIT;
  n.name = "n";
  n.value = 2;
  CHECK(tuff_session_prepare(h.session, &n, 1, &error) == TUFF_OK);
  CHECK(error == nullptr);
}

TEST_CASE("NULL is an answer, not a crash") {
  tuff_device_release(nullptr);
  tuff_device_retain(nullptr);
  tuff_model_release(nullptr);
  tuff_program_release(nullptr);
  tuff_session_release(nullptr);
  tuff_run_release(nullptr);
  tuff_error_release(nullptr);
  tuff_device_list_release(nullptr);
  CHECK(tuff_error_status(nullptr) == TUFF_OK);
  CHECK(message_of(nullptr).empty());
  CHECK(tuff_device_list_count(nullptr) == 0);
  CHECK(tuff_model_tensor_count(nullptr, TUFF_INPUT) == 0);
  CHECK(tuff_model_symbol_count(nullptr) == 0);
  CHECK(tuff_model_load_time_ns(nullptr) == 0);
  CHECK(tuff_device_open(nullptr, nullptr, nullptr) == TUFF_INVALID_ARGUMENT);
  CHECK(tuff_device_describe(nullptr, 0, nullptr, 0, nullptr, nullptr) == TUFF_INVALID_ARGUMENT);
  CHECK(tuff_device_name(nullptr, nullptr, 0, nullptr, nullptr) == TUFF_INVALID_ARGUMENT);
  CHECK(tuff_device_driver(nullptr, nullptr, 0, nullptr, nullptr) == TUFF_INVALID_ARGUMENT);
  CHECK(tuff_device_get_info(nullptr, nullptr, nullptr) == TUFF_INVALID_ARGUMENT);
  CHECK(tuff_device_list_create(nullptr, nullptr) == TUFF_INVALID_ARGUMENT);
  CHECK(tuff_model_load_file(nullptr, 0, nullptr, nullptr, nullptr) == TUFF_INVALID_ARGUMENT);
  CHECK(tuff_model_load_memory(nullptr, 0, nullptr, 0, nullptr, nullptr, nullptr) == TUFF_INVALID_ARGUMENT);
  CHECK(tuff_model_tensor_name(nullptr, 0, 0, nullptr, 0, nullptr, nullptr) == TUFF_INVALID_ARGUMENT);
  CHECK(tuff_model_print(nullptr, 0, 0, nullptr, 0, nullptr, nullptr) == TUFF_INVALID_ARGUMENT);
  CHECK(tuff_program_create(nullptr, nullptr, nullptr, nullptr, nullptr) == TUFF_INVALID_ARGUMENT);
  CHECK(tuff_program_print(nullptr, nullptr, nullptr, nullptr, nullptr, 0, nullptr, nullptr) == TUFF_INVALID_ARGUMENT);
  CHECK(tuff_program_get_info(nullptr, nullptr, nullptr) == TUFF_INVALID_ARGUMENT);
  CHECK(tuff_session_create(nullptr, nullptr, nullptr, nullptr) == TUFF_INVALID_ARGUMENT);
  CHECK(tuff_session_prepare(nullptr, nullptr, 0, nullptr) == TUFF_INVALID_ARGUMENT);
  CHECK(tuff_session_prepare_inputs(nullptr, nullptr, 0, nullptr) == TUFF_INVALID_ARGUMENT);
  CHECK(tuff_session_run(nullptr, nullptr, 0, nullptr, 0, nullptr) == TUFF_INVALID_ARGUMENT);
  CHECK(tuff_session_submit(nullptr, nullptr, nullptr, nullptr) == TUFF_INVALID_ARGUMENT);
  CHECK(tuff_run_wait(nullptr, 0, nullptr, nullptr) == TUFF_INVALID_ARGUMENT);
  CHECK(tuff_session_dispatch_times(nullptr, nullptr, 0, nullptr, nullptr) == TUFF_INVALID_ARGUMENT);
  tuff_profile_retain(nullptr);
  tuff_profile_release(nullptr);
  CHECK(tuff_session_profile(nullptr, nullptr, nullptr, nullptr) == TUFF_INVALID_ARGUMENT);
  CHECK(tuff_profile_get_info(nullptr, nullptr, nullptr) == TUFF_INVALID_ARGUMENT);
  CHECK(tuff_profile_kernel(nullptr, 0, nullptr, nullptr) == TUFF_INVALID_ARGUMENT);
  CHECK(tuff_profile_kernel_times(nullptr, 0, nullptr, 0, nullptr, nullptr) == TUFF_INVALID_ARGUMENT);
  CHECK(tuff_profile_kernel_text(nullptr, 0, 0, nullptr, 0, nullptr, nullptr) == TUFF_INVALID_ARGUMENT);
}

TEST_CASE("a larger desc is accepted while its tail is zero") {
  struct Larger {
    tuff_device_desc_t desc;
    uint64_t unknown;
  } larger = {TUFF_DEVICE_DESC_INIT, 0};
  larger.desc.struct_size = sizeof larger;
  larger.desc.selector = "cpu";
  larger.desc.allow_software = 1;
  tuff_device_t* device = nullptr;
  CHECK(tuff_device_open(&larger.desc, &device, nullptr) == TUFF_OK);
  tuff_device_release(device);
  larger.unknown = 1;
  CHECK(tuff_device_open(&larger.desc, &device, nullptr) == TUFF_UNSUPPORTED);
}

TEST_CASE("arrays of descs of another version are walked by their own size") {
  struct Larger {
    tuff_tensor_desc_t desc;
    uint64_t unknown;
  };
  Handles h;
  float x[2] = {1, 2}, y[2] = {}, z[1] = {};
  const int64_t shape[2] = {1, 2};
  tuff_tensor_desc_t input = tensor(TUFF_F32, x, sizeof x, shape, 2);
  Larger outputs[2] = {{tensor(TUFF_F32, y, sizeof y), 0}, {tensor(TUFF_F32, z, sizeof z), 0}};
  for (Larger& output : outputs) output.desc.struct_size = sizeof(Larger);
  REQUIRE(tuff_session_run(h.session, &input, 1, &outputs[0].desc, 2, nullptr) == TUFF_OK);
  CHECK(y[1] == 4);
  CHECK(z[0] == 2);
}

TEST_CASE("a smaller desc has the default for what it lacks; one without a size is refused") {
  tuff_device_desc_t desc = TUFF_DEVICE_DESC_INIT;
  desc.struct_size = 8;  // up to allow_software
  desc.selector = "never read";
  tuff_device_list_t* list = nullptr;
  REQUIRE(tuff_device_list_create(&list, nullptr) == TUFF_OK);
  CHECK(tuff_device_list_count(list) >= 1);
  tuff_device_list_release(list);
  tuff_session_info_t info = TUFF_SESSION_INFO_INIT;
  info.struct_size = 0;
  Handles h;
  float x[2] = {1, 2};
  const int64_t shape[2] = {1, 2};
  tuff_tensor_desc_t input = tensor(TUFF_F32, x, sizeof x, shape, 2);
  REQUIRE(tuff_session_run(h.session, &input, 1, nullptr, 0, nullptr) == TUFF_OK);
  CHECK(tuff_session_get_info(h.session, &info, nullptr) == TUFF_INVALID_ARGUMENT);
  desc.struct_size = 0;
  tuff_device_t* device = nullptr;
  CHECK(tuff_device_open(&desc, &device, nullptr) == TUFF_INVALID_ARGUMENT);
}

TEST_CASE("an info struct of an older caller is filled as far as it reaches") {
  Handles h;
  struct {
    uint32_t struct_size, kind, vendor, beyond;
  } older = {12, 0, 0, 77};
  CHECK(tuff_device_get_info(h.device, reinterpret_cast<tuff_device_info_t*>(&older), nullptr) == TUFF_OK);
  CHECK(older.struct_size == 12);
  CHECK(older.kind == TUFF_DEVICE_SOFTWARE);
  CHECK(older.beyond == 77);
}

TEST_CASE("strings are cut to the buffer, and their length is told") {
  char buffer[5] = "????";
  uint64_t length = 0;
  tuff_status_name(TUFF_OUT_OF_MEMORY, buffer, 4, &length);
  CHECK(length == 13);
  CHECK(std::strcmp(buffer, "OUT") == 0);
  CHECK(buffer[4] == '\0');
  tuff_status_name(TUFF_IO, buffer, sizeof buffer, nullptr);
  CHECK(std::strcmp(buffer, "IO") == 0);
  tuff_status_name(1234, nullptr, 0, &length);
  CHECK(length == std::strlen("UNKNOWN"));
}

TEST_CASE("strings in may be pieces of longer ones") {
  tuff_device_desc_t desc = TUFF_DEVICE_DESC_INIT;
  desc.selector = "cpuXYZ";
  desc.selector_length = 3;
  desc.allow_software = 1;
  tuff_device_t* device = nullptr;
  CHECK(tuff_device_open(&desc, &device, nullptr) == TUFF_OK);
  tuff_device_release(device);
}

TEST_CASE("software runs only if it is allowed") {
  tuff_device_desc_t desc = TUFF_DEVICE_DESC_INIT;
  desc.selector = "cpu";
  tuff_device_t* device = nullptr;
  CHECK(tuff_device_open(&desc, &device, nullptr) == TUFF_UNSUPPORTED);
}

}  // namespace
