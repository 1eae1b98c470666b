// tuff compile: a model compiled ahead, for devices that need not be in this machine.
#include <cstdio>

#include "base/native_path.h"
#include "cli/target_options.h"
#include "cli/terminal.h"

namespace tuff::cli {
namespace {

int compile(const Arguments& arguments) {
  const std::string path(arguments.value("--output"));
  if (path.empty()) return usage_error("Say with '-o FILE' where the artifact should be.");
  Result<ProgramOptions> options = read_program_options(arguments);
  if (!options) return exit_for(options.error());
  Result<Model> model = open_model(arguments);
  if (!model) return exit_for(model.error());
  std::vector<Device> devices;
  for (const std::string& file : arguments.all("--for")) {
    Result<Device> device = describe_device(file);
    if (!device) return exit_for(device.error());
    devices.push_back(std::move(*device));
  }
  Status written = write_artifact(*model, devices, path, *options);
  end_progress();
  if (!written) return exit_for(written.error());
  std::error_code unknown;
  const uintmax_t size_bytes = std::filesystem::file_size(native_path(path), unknown);
  if (!unknown) std::printf("%s: %ju bytes, for %zu named devices and others\n", path.c_str(), size_bytes, devices.size());
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
