#include "cli/made_program.h"

#include <chrono>

#include "cli/model_inputs.h"
#include "cli/terminal.h"

namespace tuff::cli {
namespace {

template <class Make>
Result<Program> timed(uint64_t& time_ns, Make make) {
  const auto start = std::chrono::steady_clock::now();
  Result<Program> program = make();
  const auto elapsed = std::chrono::steady_clock::now() - start;
  time_ns = static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(elapsed).count());
  end_progress();
  return program;
}

}  // namespace

Result<bool> is_artifact(const Arguments& arguments) {
  if (arguments.positional().size() != 1 || !arguments.positional()[0].ends_with(".tuff")) return false;
  for (const char* option : {"--shape", "--range", "--value", "--input-image", "--output-image", "--exact", "--no-fuse",
                             "--precision", "--observations"}) {
    if (arguments.has(option))
      return usage("'" + std::string(option) + "' says how a model is compiled; '" + arguments.positional()[0] +
                   "' was. Give it to tuff compile.");
  }
  return true;
}

Result<Program> load_artifact(const Arguments& arguments, const Device& device) {
  Result<ProgramOptions> options = read_program_options(arguments);
  if (!options) return options.error();
  return Program::load_file(device, arguments.positional()[0], *options);
}

Result<MadeProgram> make_program(const Arguments& arguments, bool random_by_default, bool kernel_statistics) {
  Result<ProgramOptions> options = read_program_options(arguments);
  if (!options) return options.error();
  Result<std::vector<SymbolValue>> dims = read_dims(arguments);
  if (!dims) return dims.error();
  Result<bool> artifact = is_artifact(arguments);
  if (!artifact) return artifact.error();
  MadeProgram made;
  made.dims = *dims;
  auto take_inputs = [&]() -> Status {
    Result<std::vector<HostTensor>> inputs = read_inputs(arguments, made.model, *dims, random_by_default);
    if (!inputs) return inputs.error();
    made.inputs = std::move(*inputs);
    return {};
  };
  // What is wrong with the inputs is said before a model is compiled; an artifact says only when it is loaded what they are.
  if (!*artifact) {
    Result<Model> model = open_model(arguments);
    if (!model) return model.error();
    made.model = std::move(*model);
    if (Status s = take_inputs(); !s) return s.error();
  }
  Result<Device> device = open_device(arguments, kernel_statistics);
  if (!device) return device.error();
  made.device = std::move(*device);
  Result<Program> program = timed(made.make_ns, [&] {
    return *artifact ? load_artifact(arguments, made.device) : Program::create(made.device, made.model, *options);
  });
  if (!program) return program.error();
  made.program = std::move(*program);
  if (*artifact) {
    made.model = made.program.model();
    if (Status s = take_inputs(); !s) return s.error();
  }
  return made;
}

}  // namespace tuff::cli
