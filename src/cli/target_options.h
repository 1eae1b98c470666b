// The options that every verb with a model has: which model at which sizes, on which device, compiled how.
#pragma once

#include "cli/arguments.h"

namespace tuff::cli {

std::vector<Option> model_options();    // --shape, --dim, --range, --value, --input-image, --output-image
std::vector<Option> device_options();   // --device, --as, and child_options()
std::vector<Option> program_options();  // --exact, --no-fuse, --precision, --observations, --cache, --no-cache
std::vector<Option> join(std::vector<std::vector<Option>> lists);

// A verb's only positional argument, and what the options say of it.
Result<Model> open_model(const Arguments& arguments);
// The same with these values as its outputs; none: its own.
Result<Model> open_model(const Arguments& arguments, std::vector<std::string> outputs);
// Says once on stderr if the device computes on the CPU.
Result<Device> open_device(const Arguments& arguments, bool kernel_statistics = false);
// The device that a text file describes.
Result<Device> describe_device(const std::string& path);
Result<ProgramOptions> read_program_options(const Arguments& arguments);
// --dim NAME=N.
Result<std::vector<SymbolValue>> read_dims(const Arguments& arguments);

// Usage errors exit with 2, what the library refused with 3; both were told on stderr.
int exit_for(const Error& error);

}  // namespace tuff::cli
