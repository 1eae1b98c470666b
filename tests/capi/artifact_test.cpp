// Artifacts through the C API: written for a described device, loaded on the CPU, which takes their graph.
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
  CHECK(tuff_program_load_file(described, file.path.c_str(), TUFF_TEXT_END, nullptr, &program, nullptr) == TUFF_UNSUPPORTED);
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
