#include "fixture.h"

#include <cstdio>
#include <filesystem>

namespace {

const char kModel[] = R"(graph "small" {
  symbol n in 1..64 step 1
  input %0 "x": f32[n, 2]
  %1: f32[n, 2] = map.add %0, %0 from "Add_0"
  %2: f32[n, 1] = reduce.max %0 {axes=[1]} from "Max_1"
  output %1 "y"
  output %2 "z"
}
)";

// Removed when the test program ends.
struct ModelFile {
  std::string path;
  ModelFile() {
    std::string name = "tuff_capi_" + std::to_string(reinterpret_cast<uintptr_t>(this)) + ".graph";
    path = (std::filesystem::temp_directory_path() / name).string();
    FILE* file = std::fopen(path.c_str(), "wb");
    REQUIRE(file != nullptr);
    REQUIRE(std::fwrite(kModel, 1, sizeof kModel - 1, file) == sizeof kModel - 1);
    std::fclose(file);
  }
  ~ModelFile() { std::remove(path.c_str()); }
};

}  // namespace

std::string model_path() {
  static ModelFile file;
  return file.path;
}

std::string message_of(const tuff_error_t* error) {
  uint64_t length = 0;
  tuff_error_message(error, nullptr, 0, &length);
  std::string text(length, '\0');
  tuff_error_message(error, text.data(), length + 1, &length);
  return text;
}

tuff_tensor_desc_t tensor(tuff_dtype_t dtype, void* data, uint64_t size_bytes, const int64_t* shape, uint32_t rank) {
  tuff_tensor_desc_t t = TUFF_TENSOR_DESC_INIT;
  t.dtype = dtype;
  t.data = data;
  t.size_bytes = size_bytes;
  t.shape = shape;
  t.rank = rank;
  return t;
}

Handles::Handles() {
  tuff_error_t* error = nullptr;
  tuff_device_desc_t desc = TUFF_DEVICE_DESC_INIT;
  desc.selector = "cpu";
  desc.allow_software = 1;
  REQUIRE_MESSAGE(tuff_device_open(&desc, &device, &error) == TUFF_OK, message_of(error));
  REQUIRE_MESSAGE(tuff_model_load_file(model_path().c_str(), TUFF_TEXT_END, nullptr, &model, &error) == TUFF_OK,
                  message_of(error));
  REQUIRE_MESSAGE(tuff_program_create(device, model, nullptr, &program, &error) == TUFF_OK, message_of(error));
  REQUIRE_MESSAGE(tuff_session_create(program, nullptr, &session, &error) == TUFF_OK, message_of(error));
}

Handles::~Handles() {
  tuff_device_release(device);
  tuff_model_release(model);
  tuff_program_release(program);
  tuff_session_release(session);
}
