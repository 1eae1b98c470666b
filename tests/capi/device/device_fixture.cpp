#include "device_fixture.h"

#include <unistd.h>

#include <cstdio>
#include <filesystem>

const char kShift[] = R"(graph "shift" {
  input %0 "x": f32[64]
  %1: f32[64] = constant splat(3) from "w"
  %2: f32[64] = map.add %0, %1 from "Add_0"
  output %2 "y"
}
)";

std::string message_of(tuff_error_t* error) {
  char text[512];
  tuff_error_message(error, text, sizeof text, nullptr);
  tuff_error_release(error);
  return text;
}

tuff_model_t* load(const char* text) {
  const std::string path =
      (std::filesystem::temp_directory_path() / ("tuff_device_test_" + std::to_string(getpid()) + ".graph"));
  FILE* file = std::fopen(path.c_str(), "wb");
  REQUIRE(file != nullptr);
  std::fputs(text, file);
  std::fclose(file);
  tuff_model_t* model = nullptr;
  tuff_error_t* error = nullptr;
  const tuff_status_t loaded = tuff_model_load_file(path.c_str(), TUFF_TEXT_END, nullptr, &model, &error);
  std::filesystem::remove(path);
  REQUIRE_MESSAGE(loaded == TUFF_OK, message_of(error));
  return model;
}

Fixture::Fixture(const char* text) : model(load(text)) {
  tuff_error_t* error = nullptr;
  const tuff_status_t made = tuff_program_create(device, model, nullptr, &program, &error);
  REQUIRE_MESSAGE(made == TUFF_OK, message_of(error));
}

Fixture::~Fixture() {
  for (tuff_session_t* session : sessions) tuff_session_release(session);
  tuff_program_release(program);
  tuff_model_release(model);
  tuff_device_release(device);
}

tuff_session_t* Fixture::session(uint32_t in_flight_count, bool cancellable, uint64_t submit_time_limit_ns) {
  tuff_session_desc_t desc = TUFF_SESSION_DESC_INIT;
  desc.in_flight_count = in_flight_count;
  desc.cancellable = cancellable;
  desc.submit_time_limit_ns = submit_time_limit_ns;
  tuff_session_t* made = nullptr;
  REQUIRE(tuff_session_create(program, &desc, &made, nullptr) == TUFF_OK);
  sessions.push_back(made);
  return made;
}

tuff_tensor_desc_t host_tensor(std::vector<float>& data) {
  tuff_tensor_desc_t t = TUFF_TENSOR_DESC_INIT;
  t.data = data.data();
  t.size_bytes = data.size() * sizeof(float);
  return t;
}

tuff_run_desc_t run_desc(const tuff_tensor_desc_t& in, const tuff_tensor_desc_t& out) {
  tuff_run_desc_t desc = TUFF_RUN_DESC_INIT;
  desc.inputs = &in;
  desc.outputs = &out;
  desc.input_count = desc.output_count = 1;
  return desc;
}
