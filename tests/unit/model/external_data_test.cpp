// Weights beside the model: read from inside its folder, by no way out of it.
#include "onnx_writer.h"

#include <filesystem>
#include <fstream>

#include "temporary_folder.h"

using namespace tuff;
using namespace onnx_test;

namespace {

namespace fs = std::filesystem;

struct Folder {
  TemporaryFolder made;
  fs::path path = made.path;
  void write(const std::string& name, const std::string& bytes) const {
    fs::create_directories((path / name).parent_path());
    std::ofstream(path / name, std::ios::binary) << bytes;
  }
};

const std::string kWeights("\0\0\x80\x3f\0\0\0\x40\0\0\x40\x40", 12);  // 1, 2, 3

Message entry(std::string_view key, std::string_view value) { return Message().text(1, key).text(2, value); }

Message external(std::string_view location, std::string_view offset = "", std::string_view length = "") {
  Message t = Message().packed(1, {2}).integer(2, onnx::kFloat).text(8, "w").integer(14, 1);
  t.message(13, entry("location", location));
  if (!offset.empty()) t.message(13, entry("offset", offset));
  if (!length.empty()) t.message(13, entry("length", length));
  return t;
}

Model model_with(const Message& tensor) {
  Model model;
  model.input("x", {2}).initializer(tensor).node("Add", {"x", "w"}, {"y"}).output("y");
  return model;
}

Result<Graph> load(const Folder& folder, const Message& tensor) {
  folder.write("model.onnx", model_with(tensor).bytes());
  return load_model_file((folder.path / "model.onnx").string());
}

}  // namespace

TEST_CASE("external data is mapped from the model's folder") {
  Folder folder;
  folder.write("weights.bin", kWeights);
  folder.write("deeper/weights.bin", kWeights);
  auto graph = load(folder, external("weights.bin", "4", "8"));
  REQUIRE_MESSAGE(graph.ok(), graph.status().message());
  CHECK(mentions(print(*graph, {true}), "constant list(2, 3)"));
  CHECK(load(folder, external("deeper/weights.bin")).ok());
  CHECK(load(folder, external("./weights.bin")).ok());
}

TEST_CASE("a path out of the folder, a link or a short file is refused") {
  Folder outside, folder;
  outside.write("secret.bin", kWeights);
  folder.write("weights.bin", kWeights);
  folder.write("inner/weights.bin", kWeights);
  std::error_code no_links;  // GCC 12's library makes none on Windows
  fs::create_symlink(outside.path / "secret.bin", folder.path / "link.bin", no_links);
  if (!no_links) fs::create_directory_symlink(outside.path, folder.path / "link", no_links);
  fs::create_hard_link(folder.path / "inner/weights.bin", folder.path / "hard.bin");
  const std::string absolute = (outside.path / "secret.bin").string();
  const std::string up = "../" + outside.path.filename().string() + "/secret.bin";

  check_fails(load(folder, external(absolute)), Code::kInvalidArgument, {"not a relative path", "'w'"});
  check_fails(load(folder, external(up)), Code::kInvalidArgument, {"'..'"});
  check_fails(load(folder, external("inner/../weights.bin")), Code::kInvalidArgument, {"'..'"});
  if (!no_links) {
    check_fails(load(folder, external("link.bin")), Code::kInvalidArgument, {"symbolic link"});
    check_fails(load(folder, external("link/secret.bin")), Code::kInvalidArgument, {"symbolic link"});
  }
  check_fails(load(folder, external("hard.bin")), Code::kInvalidArgument, {"hard link"});
  check_fails(load(folder, external("")), Code::kInvalidArgument, {"without a location"});
  check_fails(load(folder, external("missing.bin")), Code::kIo, {"missing.bin"});
  check_fails(load(folder, external("inner")), Code::kIo, {"not a regular file"});
  check_fails(load(folder, external("weights.bin", "8")), Code::kCorrupt, {"ends at 12"});
  check_fails(load(folder, external("weights.bin", "99999999999999")), Code::kCorrupt, {"ends at 12"});
  check_fails(load(folder, external("weights.bin", "0", "4")), Code::kCorrupt, {"needs 8 bytes"});
  check_fails(load(folder, external("weights.bin", "-4")), Code::kInvalidArgument, {"not a number"});
  check_fails(load(folder, external("weights.bin", "0", "many")), Code::kInvalidArgument, {"not a number"});
}

TEST_CASE("a model from memory needs a loader for external data") {
  Model model = model_with(external("weights.bin", "4"));
  check_fails(model.load(), Code::kInvalidArgument, {"'w'", "weights.bin", "loader"});
  LoadOptions options;
  int calls = 0;
  options.external_data = [&](std::string_view location) -> Result<Bytes> {
    ++calls;
    CHECK(location == "weights.bin");
    return bytes_from_string(std::make_shared<const std::string>(kWeights));
  };
  CHECK(mentions(print(loaded(model, options), {true}), "constant list(2, 3)"));
  CHECK(calls >= 1);
  options.external_data = [](std::string_view) -> Result<Bytes> { return io_error("no such file."); };
  check_fails(model.load(options), Code::kIo, {"'w'", "no such file."});
}
