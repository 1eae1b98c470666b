// tuff run: a model's outputs for given inputs, as .npy files.
#include <cstdio>

#include "base/native_path.h"
#include "cli/execute.h"
#include "cli/made_program.h"
#include "cli/model_inputs.h"
#include "cli/npy.h"

namespace tuff::cli {
namespace {

// An output's name as a file's: what a path cannot hold becomes '_'.
std::string file_name(const std::string& output) {
  std::string name = output.empty() ? "output" : output;
  for (char& c : name) {
    if (c == '/' || c == '\\' || c == ':' || static_cast<unsigned char>(c) < 0x20) c = '_';
  }
  if (name[0] == '.') name[0] = '_';
  return name + ".npy";
}

Status write_outputs(const std::string& folder, const std::vector<NamedTensor>& outputs) {
  std::error_code failed;
  std::filesystem::create_directories(native_path(folder), failed);
  if (failed) return Error{TUFF_IO, "Cannot create the folder '" + folder + "': " + failed.message() + "."};
  for (const NamedTensor& output : outputs) {
    if (Status s = write_file(folder + "/" + file_name(output.name), format_npy(output.tensor)); !s) return s;
  }
  return {};
}

int run(const Arguments& arguments) {
  Result<SessionOptions> options = read_session_options(arguments);
  if (!options) return exit_for(options.error());
  Result<MadeProgram> made = make_program(arguments, false);
  if (!made) return exit_for(made.error());
  Result<std::vector<NamedTensor>> outputs =
      execute(made->program, made->model, made->inputs, made->dims, DataSizes::kAsTheyAre, *options);
  if (!outputs) return exit_for(outputs.error());
  if (arguments.has("--output")) {
    if (Status s = write_outputs(std::string(arguments.value("--output")), *outputs); !s) return exit_for(s.error());
  }
  for (const NamedTensor& output : *outputs) {
    std::printf("%s: %s %s\n", output.name.c_str(), dtype_name(output.tensor.dtype), shape_text(output.tensor.shape).c_str());
  }
  return kExitOk;
}

}  // namespace

const Verb kRunVerb = {"run",
                       "MODEL.onnx|M.tuff -i NAME=FILE.npy [-o FOLDER] [options]",
                       "run a model once and write its outputs",
                       "  tuff run resnet18.onnx -i data=photo.npy -o out/\n"
                       "  tuff run model.onnx -i inputs.npz -o out/ --exact\n"
                       "  tuff run model.tuff -i inputs.npz -o out/\n"
                       "  tuff run model.onnx --random-inputs 1 --dim height=480 --dim width=640\n",
                       join({input_options(),
                             {{"--output", "-o", "FOLDER", "where each output is written, as NAME.npy"}},
                             model_options(),
                             device_options(),
                             program_options(),
                             session_options()}),
                       run};

}  // namespace tuff::cli
