// Artifacts through the C API: written for a described device, loaded on the CPU, which takes their graph.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <vector>

#include <unistd.h>

#include "fixture.h"

namespace {

// Some device with the guaranteed limits.
constexpr const char kDevice[] = "name \"some device\"\n";

struct ArtifactFile {
  std::string path;
  ArtifactFile() {
    char name[] = "/tmp/tuff_artifact_XXXXXX";
    int file = mkstemp(name);
    REQUIRE(file >= 0);
    close(file);
    path = name;
  }
  ~ArtifactFile() { std::remove(path.c_str()); }
  std::string content() const {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
};

void write_for_described(const Handles& h, const ArtifactFile& file) {
  tuff_device_t* described = nullptr;
  tuff_error_t* error = nullptr;
  REQUIRE_MESSAGE(tuff_device_describe(kDevice, TUFF_TEXT_END, "some.txt", TUFF_TEXT_END, &described, &error) == TUFF_OK,
                  message_of(error));
  REQUIRE_MESSAGE(
      tuff_artifact_write_file(h.model, &described, 1, nullptr, file.path.c_str(), TUFF_TEXT_END, &error) == TUFF_OK,
      message_of(error));
  tuff_program_t* program = nullptr;
  REQUIRE_MESSAGE(tuff_program_load_file(described, file.path.c_str(), TUFF_TEXT_END, nullptr, &program, &error) == TUFF_OK,
                  message_of(error));
  tuff_session_t* session = nullptr;
  CHECK(tuff_session_create(program, nullptr, &session, nullptr) == TUFF_UNSUPPORTED);  // to be looked at, not run
  tuff_program_release(program);
  tuff_device_release(described);
}

std::vector<float> doubled(tuff_program_t* program) {
  tuff_session_t* session = nullptr;
  tuff_error_t* error = nullptr;
  REQUIRE_MESSAGE(tuff_session_create(program, nullptr, &session, &error) == TUFF_OK, message_of(error));
  float x[4] = {1, 2, 4, 3}, y[4] = {};
  const int64_t shape[2] = {2, 2};
  tuff_tensor_desc_t input = tensor(TUFF_F32, x, sizeof x, shape, 2), output = tensor(TUFF_F32, y, sizeof y);
  REQUIRE_MESSAGE(tuff_session_run(session, &input, 1, &output, 1, &error) == TUFF_OK, message_of(error));
  tuff_session_release(session);
  return {y, y + 4};
}

TEST_CASE("the numerics version of the header is the library's") { CHECK(tuff_numerics_version() == TUFF_NUMERICS_VERSION); }

TEST_CASE("an artifact runs from a file and from memory, and is the same bytes each time") {
  Handles h;
  ArtifactFile file, again;
  write_for_described(h, file);
  write_for_described(h, again);
  std::string bytes = file.content();
  CHECK(bytes == again.content());
  tuff_error_t* error = nullptr;
  tuff_program_t* program = nullptr;
  REQUIRE_MESSAGE(tuff_program_load_file(h.device, file.path.c_str(), TUFF_TEXT_END, nullptr, &program, &error) == TUFF_OK,
                  message_of(error));
  CHECK(doubled(program) == std::vector<float>{2, 4, 8, 6});
  tuff_program_release(program);
  REQUIRE_MESSAGE(tuff_program_load_memory(h.device, bytes.data(), bytes.size(), nullptr, &program, &error) == TUFF_OK,
                  message_of(error));
  bytes.assign(bytes.size(), '\0');  // copied
  CHECK(doubled(program) == std::vector<float>{2, 4, 8, 6});
  tuff_program_release(program);
}

std::string text_of(const tuff_program_t* program, tuff_stage_t stage) {
  tuff_print_desc_t desc = TUFF_PRINT_DESC_INIT;
  desc.stage = stage;
  uint64_t length = 0;
  tuff_error_t* error = nullptr;
  REQUIRE_MESSAGE(tuff_program_text(program, &desc, nullptr, 0, &length, &error) == TUFF_OK, message_of(error));
  std::string text(length, '\0');
  REQUIRE(tuff_program_text(program, &desc, text.data(), length + 1, &length, nullptr) == TUFF_OK);
  return text;
}

TEST_CASE("a loaded program names its tensors as the model does, and its model outlives it") {
  Handles h;
  ArtifactFile file;
  write_for_described(h, file);
  tuff_error_t* error = nullptr;
  tuff_program_t* program = nullptr;
  REQUIRE_MESSAGE(tuff_program_load_file(h.device, file.path.c_str(), TUFF_TEXT_END, nullptr, &program, &error) == TUFF_OK,
                  message_of(error));
  CHECK(text_of(program, TUFF_STAGE_GRAPH).find("map.add") != std::string::npos);
  tuff_print_desc_t plan = TUFF_PRINT_DESC_INIT;
  plan.stage = TUFF_STAGE_PLAN;
  CHECK(tuff_program_text(program, &plan, nullptr, 0, nullptr, nullptr) == TUFF_UNSUPPORTED);  // the CPU has none
  CHECK(tuff_program_text(nullptr, &plan, nullptr, 0, nullptr, nullptr) == TUFF_INVALID_ARGUMENT);
  tuff_model_t *model = nullptr, *compiled = nullptr;
  REQUIRE(tuff_program_model(program, &model, nullptr) == TUFF_OK);
  REQUIRE(tuff_program_model(h.program, &compiled, nullptr) == TUFF_OK);
  CHECK(tuff_program_model(nullptr, &model, nullptr) == TUFF_INVALID_ARGUMENT);
  CHECK(tuff_program_model(program, nullptr, nullptr) == TUFF_INVALID_ARGUMENT);
  tuff_program_release(program);
  for (const tuff_model_t* each : {model, compiled}) {
    CHECK(tuff_model_tensor_count(each, TUFF_INPUT) == 1);
    CHECK(tuff_model_tensor_count(each, TUFF_OUTPUT) == 2);
    CHECK(tuff_model_symbol_count(each) == 1);
    char name[8] = "", axis[8] = "";
    REQUIRE(tuff_model_tensor_name(each, TUFF_OUTPUT, 1, name, sizeof name, nullptr, nullptr) == TUFF_OK);
    CHECK(std::string(name) == "z");
    tuff_dtype_t dtype = -1;
    uint32_t rank = 0;
    int64_t size = 0;
    REQUIRE(tuff_model_tensor_type(each, TUFF_INPUT, 0, &dtype, &rank, nullptr) == TUFF_OK);
    REQUIRE(tuff_model_tensor_axis(each, TUFF_INPUT, 0, 0, &size, axis, sizeof axis, nullptr, nullptr) == TUFF_OK);
    CHECK(dtype == TUFF_F32);
    CHECK(rank == 2);
    CHECK(size == -1);
    CHECK(std::string(axis) == "n");
  }
  tuff_model_release(model);
  tuff_model_release(compiled);
}

TEST_CASE("the bounds of a run say what is right and what is not") {
  Handles h;
  const int64_t shape[2] = {1, 2}, rows[2] = {1, 1};
  float x[2] = {0.1f, 3}, y[2] = {0.2f, 6.001f}, z[1] = {3};
  double truths[3] = {}, bounds[3] = {};
  tuff_tensor_desc_t input = tensor(TUFF_F32, x, sizeof x, shape, 2);
  const tuff_tensor_desc_t outputs[2] = {tensor(TUFF_F32, y, sizeof y, shape, 2), tensor(TUFF_F32, z, sizeof z, rows, 2)};
  tuff_tensor_desc_t truth[2] = {tensor(TUFF_F64, truths, 16, shape, 2), tensor(TUFF_F64, truths + 2, 8, rows, 2)};
  tuff_tensor_desc_t bound[2] = {tensor(TUFF_F64, bounds, 16, shape, 2), tensor(TUFF_F64, bounds + 2, 8, rows, 2)};
  tuff_error_t* error = nullptr;
  REQUIRE_MESSAGE(tuff_program_error_bounds(h.program, &input, 1, nullptr, 0, outputs, truth, bound, 2, &error) == TUFF_OK,
                  message_of(error));
  CHECK(std::abs(static_cast<double>(y[0]) - truths[0]) <= bounds[0]);
  CHECK(std::abs(static_cast<double>(y[1]) - truths[1]) > bounds[1]);
  CHECK(truths[1] == 6);
  CHECK(truths[2] == 3);
  CHECK(bounds[2] < 1e-6);
  CHECK(tuff_program_error_bounds(h.program, &input, 1, nullptr, 0, outputs, truth, bound, 1, nullptr) ==
        TUFF_INVALID_ARGUMENT);
  CHECK(tuff_program_error_bounds(h.program, &input, 0, nullptr, 0, outputs, truth, bound, 2, nullptr) ==
        TUFF_INVALID_ARGUMENT);
  CHECK(tuff_program_error_bounds(h.program, &input, 1, nullptr, 0, outputs, nullptr, bound, 2, nullptr) ==
        TUFF_INVALID_ARGUMENT);
  bound[1].dtype = TUFF_F32;
  CHECK(tuff_program_error_bounds(h.program, &input, 1, nullptr, 0, outputs, truth, bound, 2, nullptr) ==
        TUFF_INVALID_ARGUMENT);
  input.memory = TUFF_MEMORY_VULKAN;
  CHECK(tuff_program_error_bounds(h.program, &input, 1, nullptr, 0, outputs, truth, bound, 2, nullptr) ==
        TUFF_INVALID_ARGUMENT);
}

TEST_CASE("an artifact for no named device has the fallback") {
  Handles h;
  ArtifactFile file;
  CHECK(tuff_artifact_write_file(h.model, nullptr, 0, nullptr, file.path.c_str(), TUFF_TEXT_END, nullptr) == TUFF_OK);
  CHECK(file.content().find("any Vulkan 1.1 device") != std::string::npos);
}

TEST_CASE("what is no artifact, and what no artifact is for, is refused") {
  Handles h;
  ArtifactFile file;
  tuff_error_t* error = nullptr;
  tuff_program_t* program = nullptr;
  CHECK(tuff_program_load_file(h.device, file.path.c_str(), TUFF_TEXT_END, nullptr, &program, nullptr) == TUFF_CORRUPT);
  CHECK(tuff_program_load_file(h.device, "/nowhere.tuff", TUFF_TEXT_END, nullptr, &program, nullptr) == TUFF_IO);
  CHECK(tuff_program_load_memory(h.device, "nonsense", 8, nullptr, &program, &error) == TUFF_CORRUPT);
  CHECK(message_of(error) == "artifact in memory: The bytes are no .tuff artifact: they do not begin like one.");
  tuff_error_release(error);
  CHECK(tuff_artifact_write_file(h.model, &h.device, 1, nullptr, file.path.c_str(), TUFF_TEXT_END, nullptr) ==
        TUFF_INVALID_ARGUMENT);
  CHECK(tuff_artifact_write_file(nullptr, nullptr, 0, nullptr, "x", 1, nullptr) == TUFF_INVALID_ARGUMENT);
  CHECK(tuff_artifact_write_file(h.model, nullptr, 0, nullptr, "/nowhere/x.tuff", TUFF_TEXT_END, nullptr) == TUFF_IO);
}

}  // namespace
