#include "cli/target_options.h"

#include <algorithm>
#include <cstdio>

#include "base/process.h"
#include "cli/child.h"
#include "cli/image_option.h"
#include "cli/npy.h"
#include "cli/terminal.h"
#include "cli/threads.h"

namespace tuff::cli {
namespace {

std::string default_cache_dir() {
  const std::string folder = user_cache_folder();
  return folder.empty() ? "" : folder + "/tuff";
}

// "1x3x224x224"
std::optional<std::vector<int64_t>> parse_sizes(std::string_view text) {
  std::vector<int64_t> sizes;
  while (!text.empty()) {
    size_t end = std::min(text.find('x'), text.size());
    std::optional<int64_t> size = parse_integer(text.substr(0, end));
    if (!size || *size < 0) return std::nullopt;
    sizes.push_back(*size);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return sizes;
}

// "NAME=A..B" or "NAME=A..B/D"
std::optional<SymbolRange> parse_range(const std::string& text) {
  auto parts = split_assignment(text);
  if (!parts) return std::nullopt;
  std::string_view rest = parts->second;
  SymbolRange range;
  range.name = parts->first;
  if (size_t slash = rest.find('/'); slash != std::string_view::npos) {
    std::optional<int64_t> divisor = parse_integer(rest.substr(slash + 1));
    if (!divisor || *divisor < 1 || *divisor > INT32_MAX) return std::nullopt;
    range.divisor = static_cast<uint32_t>(*divisor);
    rest = rest.substr(0, slash);
  }
  size_t dots = rest.find("..");
  std::optional<int64_t> low = parse_integer(rest.substr(0, dots));
  std::optional<int64_t> high = dots == std::string_view::npos ? low : parse_integer(rest.substr(dots + 2));
  if (!low || !high || *low < 0 || *high < std::max<int64_t>(*low, 1)) return std::nullopt;
  range.min = *low == 0 ? -1 : *low;  // whose 0 means 1
  range.max = *high;
  return range;
}

}  // namespace

std::vector<Option> model_options() {
  return {{"--shape", nullptr, "NAME=1x3x224x224", "the shape of an input, instead of the file's (repeatable)"},
          {"--range", nullptr, "NAME=A..B[/D]", "the range of a dimension, and what divides it; A alone fixes it (repeatable)"},
          {"--dim", nullptr, "NAME=N", "the value of a dimension for this run (repeatable)"},
          {"--value", nullptr, "NAME", "an output instead of the model's: any value of it (repeatable)"},
          {"--input-image", nullptr, kImageSyntax,
           "an input is pixels: rgb, bgr, rgba, bgra, grey or nv12; keys size=WxH crop=X:Y:WxH turn=1..8 (EXIF) resize=linear "
           "rows=ALIGNMENT yuv=bt601 mean=A:B:C scale=A:B:C (repeatable)"},
          {"--output-image", nullptr, kImageSyntax, "the same of an output; keys rows, mean, scale (repeatable)"}};
}

std::vector<Option> device_options() {
  return join(
      {{{"--device", "-d", "WHICH", "index, part of the name, UUID, or 'cpu'; default: the best GPU"}}, child_options()});
}

std::vector<Option> program_options() {
  return {{"--exact", nullptr, nullptr, "the same bits on every device"},
          {"--no-fuse", nullptr, nullptr, "one kernel an operator"},
          {"--precision", nullptr, "WHICH",
           "model (default), f16_storage: weights and intermediate values in f16, or f16: as a model in f16"},
          {"--observations", nullptr, "FILE", "schedules, rates and registers that were measured (tuff tune)"},
          {"--cache", nullptr, "DIR", "where compiled kernels are kept; default: the user's cache folder"},
          {"--no-cache", nullptr, nullptr, "keep nothing"}};
}

std::vector<Option> join(std::vector<std::vector<Option>> lists) {
  std::vector<Option> all;
  for (const std::vector<Option>& list : lists) all.insert(all.end(), list.begin(), list.end());
  return all;
}

Result<Model> open_model(const Arguments& arguments) { return open_model(arguments, arguments.all("--value")); }

Result<Model> open_model(const Arguments& arguments, std::vector<std::string> outputs) {
  if (arguments.positional().size() != 1) {
    return usage("One model is needed, " + std::to_string(arguments.positional().size()) + " were given.");
  }
  ModelOptions options;
  options.outputs = std::move(outputs);
  for (const std::string& text : arguments.all("--shape")) {
    auto parts = split_assignment(text);
    std::optional<std::vector<int64_t>> sizes = parts ? parse_sizes(parts->second) : std::nullopt;
    if (!sizes) return usage("'--shape' takes NAME=1x3x224x224, not '" + text + "'.");
    options.input_shapes.push_back({parts->first, std::move(*sizes)});
  }
  for (const std::string& text : arguments.all("--range")) {
    std::optional<SymbolRange> range = parse_range(text);
    if (!range) return usage("'--range' takes NAME=A..B or NAME=A..B/D, not '" + text + "'.");
    options.symbols.push_back(std::move(*range));
  }
  for (tuff_direction_t direction : {TUFF_INPUT, TUFF_OUTPUT}) {
    const char* option = direction == TUFF_INPUT ? "--input-image" : "--output-image";
    for (const std::string& text : arguments.all(option)) {
      std::optional<Image> image = parse_image(text, direction);
      if (!image) return usage("'" + std::string(option) + "' takes " + kImageSyntax + ", not '" + text + "'.");
      options.images.push_back(std::move(*image));
    }
  }
  return Model::load_file(arguments.positional()[0], options);
}

Result<Device> describe_device(const std::string& path) {
  Result<std::vector<std::byte>> bytes = read_file(path);
  if (!bytes) return bytes.error();
  return Device::describe({reinterpret_cast<const char*>(bytes->data()), bytes->size()}, path);
}

Result<Device> open_device(const Arguments& arguments, bool kernel_statistics) {
  if (arguments.has("--as")) return describe_device(std::string(arguments.value("--as")));
  DeviceOptions options;
  options.selector = arguments.value("--device");
  options.allow_software = true;
  options.log = log_to_stderr;
  options.kernel_statistics = kernel_statistics;
  Result<Device> device = Device::open(options);
  if (device && device->info().kind == TUFF_DEVICE_SOFTWARE) {
    std::fprintf(stderr, "tuff: note: '%s' computes on the CPU; its times say nothing of a GPU.\n", device->name().c_str());
  }
  return device;
}

Result<ProgramOptions> read_program_options(const Arguments& arguments) {
  if (arguments.has("--cache") && arguments.has("--no-cache")) {
    return usage("'--cache' and '--no-cache' exclude each other.");
  }
  ProgramOptions options;
  options.exact = arguments.has("--exact");
  options.fuse = !arguments.has("--no-fuse");
  if (const std::string_view precision = arguments.value("--precision"); precision == "f16_storage") {
    options.precision = TUFF_PRECISION_F16_STORAGE;
  } else if (precision == "f16") {
    options.precision = TUFF_PRECISION_F16;
  } else if (!precision.empty() && precision != "model") {
    return usage("'--precision' takes model, f16_storage or f16, not '" + std::string(precision) + "'.");
  }
  if (arguments.has("--observations")) {
    Result<std::vector<std::byte>> text = read_file(std::string(arguments.value("--observations")));
    if (!text) return text.error();
    options.observations.assign(reinterpret_cast<const char*>(text->data()), text->size());
  }
  if (!arguments.has("--no-cache")) {
    options.cache_dir = arguments.has("--cache") ? std::string(arguments.value("--cache")) : default_cache_dir();
  }
  options.progress = progress_callback();
  options.kernel_progress = kernel_progress_callback();
  options.parallel_for = parallel_for_threads;
  return options;
}

Result<std::vector<SymbolValue>> read_dims(const Arguments& arguments) {
  std::vector<SymbolValue> dims;
  for (const std::string& text : arguments.all("--dim")) {
    auto parts = split_assignment(text);
    std::optional<int64_t> value = parts ? parse_integer(parts->second) : std::nullopt;
    if (!value) return usage("'--dim' takes NAME=N, not '" + text + "'.");
    dims.push_back({parts->first, *value});
  }
  return dims;
}

int exit_for(const Error& error) {
  end_progress();
  return error.status == kUsage ? usage_error(error.message) : refused(error);
}

}  // namespace tuff::cli
