// tuff compile: a model compiled ahead, for devices that need not be in this machine.
#include <cstdio>
#include <filesystem>

#include "cli/npy.h"
#include "cli/target_options.h"
#include "cli/terminal.h"

namespace tuff::cli {
namespace {

Result<std::vector<Device>> described_devices(const std::vector<std::string>& paths) {
  std::vector<Device> devices;
  for (const std::string& path : paths) {
    Result<std::vector<std::byte>> text = read_file(path);
    if (!text) return text.error();
    Result<Device> device = Device::describe({reinterpret_cast<const char*>(text->data()), text->size()}, path);
    if (!device) return device.error();
    devices.push_back(std::move(*device));
  }
  return devices;
}

int compile(const Arguments& arguments) {
  const std::string path(arguments.value("--output"));
  if (path.empty()) return usage_error("Say with '-o FILE' where the artifact should be.");
  Result<ProgramOptions> options = read_program_options(arguments);
  if (!options) return exit_for(options.error());
  Result<Model> model = open_model(arguments);
  if (!model) return exit_for(model.error());
  Result<std::vector<Device>> devices = described_devices(arguments.all("--for"));
  if (!devices) return exit_for(devices.error());
  std::optional<Error> failed = write_artifact(*model, *devices, path, *options);
  end_progress();
  if (failed) return exit_for(*failed);
  std::error_code unknown;
  const uintmax_t size_bytes = std::filesystem::file_size(path, unknown);
  if (!unknown) std::printf("%s: %ju bytes, for %zu named devices and others\n", path.c_str(), size_bytes, devices->size());
  return kExitOk;
}

}  // namespace

const Verb kCompileVerb = {"compile",
                           "MODEL.onnx -o FILE.tuff [--for DEVICE.txt ...] [options]",
                           "compile a model ahead, for devices that need not be in this machine",
                           "  tuff compile model.onnx -o model.tuff\n"
                           "  tuff compile model.onnx -o model.tuff --for phone.txt --for desktop.txt\n",
                           join({{{"--output", "-o", "FILE", "where the artifact is written"},
                                  {"--for", nullptr, "FILE", "a device that it is for (tuff devices --text)"}},
                                 model_options(),
                                 program_options()}),
                           compile};

}  // namespace tuff::cli
