// Models, programs and devices through the C API.
#include <filesystem>
#include <fstream>
#include <string>

#include "fixture.h"

namespace {

std::string axis_text(const tuff_model_t* model, tuff_direction_t direction, uint32_t index, uint32_t axis, int64_t* size) {
  char buffer[64] = "";
  REQUIRE(tuff_model_tensor_axis(model, direction, index, axis, size, buffer, sizeof buffer, nullptr, nullptr) == TUFF_OK);
  return buffer;
}

TEST_CASE("a model names its tensors, their types and its symbols") {
  Handles h;
  CHECK(tuff_model_tensor_count(h.model, TUFF_INPUT) == 1);
  CHECK(tuff_model_tensor_count(h.model, TUFF_OUTPUT) == 2);
  CHECK(tuff_model_tensor_count(h.model, 7) == 0);
  char name[16] = "";
  REQUIRE(tuff_model_tensor_name(h.model, TUFF_OUTPUT, 1, name, sizeof name, nullptr, nullptr) == TUFF_OK);
  CHECK(std::string(name) == "z");
  tuff_dtype_t dtype = -1;
  uint32_t rank = 0;
  REQUIRE(tuff_model_tensor_type(h.model, TUFF_INPUT, 0, &dtype, &rank, nullptr) == TUFF_OK);
  CHECK(dtype == TUFF_F32);
  CHECK(rank == 2);
  int64_t size = 0;
  CHECK(axis_text(h.model, TUFF_INPUT, 0, 0, &size) == "n");
  CHECK(size == -1);
  CHECK(axis_text(h.model, TUFF_INPUT, 0, 1, &size) == "2");
  CHECK(size == 2);
  CHECK(tuff_model_tensor_axis(h.model, TUFF_INPUT, 0, 2, &size, nullptr, 0, nullptr, nullptr) == TUFF_INVALID_ARGUMENT);
  CHECK(tuff_model_tensor_name(h.model, TUFF_INPUT, 1, nullptr, 0, nullptr, nullptr) == TUFF_INVALID_ARGUMENT);
  CHECK(tuff_model_symbol_count(h.model) == 1);
  tuff_symbol_range_t range = TUFF_SYMBOL_RANGE_INIT;
  REQUIRE(tuff_model_symbol(h.model, 0, &range, name, sizeof name, nullptr, nullptr) == TUFF_OK);
  CHECK(std::string(name) == "n");
  CHECK(range.min == 1);
  CHECK(range.max == 64);
  CHECK(range.divisor == 1);
}

TEST_CASE("a model prints; JSON of a graph does not exist") {
  Handles h;
  uint64_t length = 0;
  REQUIRE(tuff_model_print(h.model, TUFF_STAGE_GRAPH, TUFF_FORMAT_TEXT, nullptr, 0, &length, nullptr) == TUFF_OK);
  std::string text(length, '\0');
  REQUIRE(tuff_model_print(h.model, TUFF_STAGE_GRAPH, TUFF_FORMAT_TEXT, text.data(), length + 1, &length, nullptr) == TUFF_OK);
  CHECK(text.find("map.add") != std::string::npos);
  CHECK(tuff_model_print(h.model, TUFF_STAGE_PLAN, TUFF_FORMAT_TEXT, nullptr, 0, nullptr, nullptr) == TUFF_UNSUPPORTED);
  CHECK(tuff_model_print(h.model, TUFF_STAGE_GRAPH, TUFF_FORMAT_JSON, nullptr, 0, nullptr, nullptr) == TUFF_UNSUPPORTED);
}

TEST_CASE("bytes that are no model are refused, whichever way they come") {
  const char bytes[] = "not a model";
  tuff_model_t* model = nullptr;
  for (int32_t borrow : {0, 1}) {
    tuff_model_desc_t desc = TUFF_MODEL_DESC_INIT;
    desc.borrow_memory = borrow;
    tuff_error_t* error = nullptr;
    tuff_status_t status = tuff_model_load_memory(bytes, sizeof bytes, "bad.onnx", TUFF_TEXT_END, &desc, &model, &error);
    CHECK(status == TUFF_CORRUPT);
    CHECK(message_of(error).find("bad.onnx") != std::string::npos);
    tuff_error_release(error);
  }
  CHECK(model == nullptr);
}

TEST_CASE("any value may be an output, by its name") {
  const std::string text = R"(graph "chain" {
  input %0 "x": f32[2]
  %1 "twice": f32[2] = map.add %0, %0 from "first"
  %2 "square": f32[2] = map.mul %1, %1 from "second", "third"
  output %2 "y"
}
)";
  const std::string path = (std::filesystem::temp_directory_path() / "tuff_capi_outputs.graph").string();
  std::ofstream(path) << text;
  tuff_value_name_t names[2] = {{TUFF_TEXT_END, "twice"}, {TUFF_TEXT_END, "y"}};
  tuff_model_desc_t desc = TUFF_MODEL_DESC_INIT;
  desc.outputs = names;
  desc.output_count = 2;
  tuff_model_t* model = nullptr;
  REQUIRE(tuff_model_load_file(path.c_str(), TUFF_TEXT_END, &desc, &model, nullptr) == TUFF_OK);
  CHECK(tuff_model_tensor_count(model, TUFF_OUTPUT) == 2);
  char name[32] = "";
  REQUIRE(tuff_model_tensor_name(model, TUFF_OUTPUT, 0, name, sizeof name, nullptr, nullptr) == TUFF_OK);
  CHECK(std::string(name) == "twice");

  CHECK(tuff_model_value_count(model) == 2);
  REQUIRE(tuff_model_value_name(model, 1, name, sizeof name, nullptr, nullptr) == TUFF_OK);
  CHECK(std::string(name) == "square");
  REQUIRE(tuff_model_value_nodes(model, 1, name, sizeof name, nullptr, nullptr) == TUFF_OK);
  CHECK(std::string(name) == "second, third");
  CHECK(tuff_model_value_name(model, 2, name, sizeof name, nullptr, nullptr) == TUFF_INVALID_ARGUMENT);

  Handles h;  // for its device
  tuff_program_t* program = nullptr;
  tuff_session_t* session = nullptr;
  REQUIRE(tuff_program_create(h.device, model, nullptr, &program, nullptr) == TUFF_OK);
  REQUIRE(tuff_session_create(program, nullptr, &session, nullptr) == TUFF_OK);
  float x[2] = {1, 3}, twice[2] = {}, y[2] = {};
  const int64_t shape[1] = {2};
  tuff_tensor_desc_t input = tensor(TUFF_F32, x, sizeof x, shape, 1);
  tuff_tensor_desc_t outputs[2] = {tensor(TUFF_F32, twice, sizeof twice), tensor(TUFF_F32, y, sizeof y)};
  REQUIRE(tuff_session_run(session, &input, 1, outputs, 2, nullptr) == TUFF_OK);
  CHECK(twice[1] == 6);
  CHECK(y[1] == 36);
  tuff_session_release(session);
  tuff_program_release(program);
  tuff_model_release(model);

  model = nullptr;
  for (const char* wrong : {"none", "y"}) {  // no value; asked for twice
    names[0].name = wrong;
    tuff_error_t* error = nullptr;
    CHECK(tuff_model_load_file(path.c_str(), TUFF_TEXT_END, &desc, &model, &error) == TUFF_INVALID_ARGUMENT);
    CHECK(message_of(error).find("'" + std::string(wrong) + "'") != std::string::npos);
    tuff_error_release(error);
  }
  desc.outputs = nullptr;
  CHECK(tuff_model_load_file(path.c_str(), TUFF_TEXT_END, &desc, &model, nullptr) == TUFF_INVALID_ARGUMENT);
  CHECK(model == nullptr);
  std::filesystem::remove(path);
}

TEST_CASE("ranges that cannot be are refused") {
  tuff_symbol_range_t range = TUFF_SYMBOL_RANGE_INIT;
  range.name = "n";
  range.min = 9;
  range.max = 3;
  tuff_model_desc_t desc = TUFF_MODEL_DESC_INIT;
  desc.symbols = &range;
  desc.symbol_count = 1;
  tuff_model_t* model = nullptr;
  CHECK(tuff_model_load_file(model_path().c_str(), TUFF_TEXT_END, &desc, &model, nullptr) == TUFF_INVALID_ARGUMENT);
  desc.symbols = nullptr;
  CHECK(tuff_model_load_file(model_path().c_str(), TUFF_TEXT_END, &desc, &model, nullptr) == TUFF_INVALID_ARGUMENT);
}

// y = -x, x: f32[n], as an ONNX file.
std::string negation() {
  auto field = [](int number, const std::string& bytes) {
    return std::string{static_cast<char>(number << 3 | 2), static_cast<char>(bytes.size())} + bytes;
  };
  auto value = [](int number, int v) { return std::string{static_cast<char>(number << 3), static_cast<char>(v)}; };
  const std::string type = field(1, value(1, 1) + field(2, field(1, field(2, "n"))));
  const std::string graph = field(1, field(1, "x") + field(2, "y") + field(4, "Neg")) + field(2, "g") +
                            field(11, field(1, "x") + field(2, type)) + field(12, field(1, "y"));
  return value(1, 8) + field(7, graph) + field(8, value(2, 17));
}

TEST_CASE("a dimension may be empty where its range says so") {
  const std::string bytes = negation();
  for (const int64_t min : {int64_t{0}, int64_t{-1}}) {
    CAPTURE(min);
    Handles h;
    tuff_symbol_range_t range = TUFF_SYMBOL_RANGE_INIT;
    range.name = "n";
    range.min = min;
    range.max = 4;
    tuff_model_desc_t desc = TUFF_MODEL_DESC_INIT;
    desc.symbols = &range;
    desc.symbol_count = 1;
    tuff_model_t* model = nullptr;
    tuff_error_t* error = nullptr;
    const tuff_status_t loaded = tuff_model_load_memory(bytes.data(), bytes.size(), "n.onnx", 6, &desc, &model, &error);
    REQUIRE_MESSAGE(loaded == TUFF_OK, message_of(error));
    tuff_symbol_range_t found = TUFF_SYMBOL_RANGE_INIT;
    REQUIRE(tuff_model_symbol(model, 0, &found, nullptr, 0, nullptr, nullptr) == TUFF_OK);
    CHECK(found.min == (min == 0 ? 1 : -1));
    tuff_program_t* program = nullptr;
    REQUIRE(tuff_program_create(h.device, model, nullptr, &program, nullptr) == TUFF_OK);
    tuff_session_t* session = nullptr;
    REQUIRE(tuff_session_create(program, nullptr, &session, nullptr) == TUFF_OK);
    tuff_symbol_value_t n = TUFF_SYMBOL_VALUE_INIT;
    n.name = "n";
    CHECK(tuff_session_prepare(session, &n, 1, nullptr) == (min == 0 ? TUFF_INVALID_ARGUMENT : TUFF_OK));
    tuff_session_release(session);
    tuff_program_release(program);
    tuff_model_release(model);
    range.min = -2;
    CHECK(tuff_model_load_memory(bytes.data(), bytes.size(), "n.onnx", 6, &desc, &model, nullptr) == TUFF_INVALID_ARGUMENT);
  }
}

TEST_CASE("the list ends with the CPU, and its text describes a device that compiles and does not run") {
  tuff_device_list_t* list = nullptr;
  REQUIRE(tuff_device_list_create(&list, nullptr) == TUFF_OK);
  uint32_t last = tuff_device_list_count(list) - 1;
  char name[16] = "";
  REQUIRE(tuff_device_list_name(list, last, name, sizeof name, nullptr, nullptr) == TUFF_OK);
  CHECK(std::string(name) == "cpu");
  CHECK(tuff_device_list_name(list, last + 1, name, sizeof name, nullptr, nullptr) == TUFF_INVALID_ARGUMENT);
  uint64_t length = 0;
  REQUIRE(tuff_device_list_text(list, last, nullptr, 0, &length, nullptr) == TUFF_OK);
  std::string text(length, '\0');
  REQUIRE(tuff_device_list_text(list, last, text.data(), length + 1, &length, nullptr) == TUFF_OK);
  tuff_device_list_release(list);

  Handles h;
  tuff_device_t* described = nullptr;
  REQUIRE(tuff_device_describe(text.data(), text.size(), "cpu.txt", TUFF_TEXT_END, &described, nullptr) == TUFF_OK);
  tuff_program_t* program = nullptr;
  tuff_error_t* error = nullptr;
  REQUIRE_MESSAGE(tuff_program_create(described, h.model, nullptr, &program, &error) == TUFF_OK, message_of(error));
  tuff_session_t* session = nullptr;
  CHECK(tuff_session_create(program, nullptr, &session, nullptr) == TUFF_UNSUPPORTED);
  tuff_program_release(program);
  tuff_device_release(described);
  CHECK(tuff_device_describe("nonsense", TUFF_TEXT_END, nullptr, 0, &described, nullptr) != TUFF_OK);
}

TEST_CASE("every stage prints for a described device") {
  Handles h;
  std::string text = "";
  for (tuff_stage_t stage = TUFF_STAGE_GRAPH; stage <= TUFF_STAGE_SPIRV; ++stage) {
    CAPTURE(stage);
    tuff_symbol_value_t n = TUFF_SYMBOL_VALUE_INIT;
    n.name = "n";
    n.value = 5;
    tuff_print_desc_t desc = TUFF_PRINT_DESC_INIT;
    desc.stage = stage;
    desc.symbols = &n;
    desc.symbol_count = 1;
    uint64_t length = 0;
    tuff_error_t* error = nullptr;
    CHECK_MESSAGE(tuff_program_print(h.device, h.model, nullptr, &desc, nullptr, 0, &length, &error) == TUFF_OK,
                  message_of(error));
    CHECK(length > 0);
  }
  tuff_print_desc_t desc = TUFF_PRINT_DESC_INIT;
  desc.stage = 99;
  CHECK(tuff_program_print(h.device, h.model, nullptr, &desc, nullptr, 0, nullptr, nullptr) == TUFF_INVALID_ARGUMENT);
}

TEST_CASE("a program tells its stages and calls back before each") {
  Handles h;
  tuff_program_info_t info = TUFF_PROGRAM_INFO_INIT;
  REQUIRE(tuff_program_get_info(h.program, &info, nullptr) == TUFF_OK);
  REQUIRE(info.stage_count >= 1);
  char stage[16] = "";
  uint64_t time_ns = 0;
  REQUIRE(tuff_program_stage_time(h.program, 0, &time_ns, stage, sizeof stage, nullptr, nullptr) == TUFF_OK);
  CHECK(std::string(stage) == "simplify");
  CHECK(time_ns > 0);
  std::string heard;
  tuff_program_desc_t desc = TUFF_PROGRAM_DESC_INIT;
  desc.progress = [](const char* name, uint64_t length, void* user_data) {
    static_cast<std::string*>(user_data)->append(name, length).append(" ");
  };
  desc.progress_user_data = &heard;
  tuff_program_t* program = nullptr;
  REQUIRE(tuff_program_create(h.device, h.model, &desc, &program, nullptr) == TUFF_OK);
  CHECK(heard == "simplify ");
  tuff_program_release(program);
}

TEST_CASE("the version is the header's") { CHECK(tuff_version() == TUFF_VERSION); }

}  // namespace
