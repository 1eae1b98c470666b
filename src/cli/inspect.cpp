// tuff inspect and tuff explain: what the stages made of a model, for a device that need not be in this machine.
#include <cstdio>

#include "cli/made_program.h"
#include "cli/terminal.h"

namespace tuff::cli {
namespace {

struct StageRow {
  const char* name;
  tuff_stage_t stage;
};
constexpr StageRow kStages[] = {{"graph", TUFF_STAGE_GRAPH},     {"simplified", TUFF_STAGE_SIMPLIFIED},
                                {"layout", TUFF_STAGE_LAYOUT},   {"fusion", TUFF_STAGE_FUSION},
                                {"kernels", TUFF_STAGE_KERNELS}, {"plan", TUFF_STAGE_PLAN},
                                {"bound", TUFF_STAGE_BOUND},     {"spirv", TUFF_STAGE_SPIRV}};

// Of the artifact that was given: what was made for the device.
Result<std::string> text_of_artifact(const Arguments& arguments, tuff_stage_t stage, tuff_format_t format,
                                     const std::vector<SymbolValue>& dims) {
  Result<Device> device = open_device(arguments);
  if (!device) return device.error();
  Result<Program> program = load_artifact(arguments, *device);
  end_progress();
  if (!program) return program.error();
  return print_stage(*program, stage, format, dims);
}

Result<std::string> text_of_model(const Arguments& arguments, tuff_stage_t stage, tuff_format_t format,
                                  const std::vector<SymbolValue>& dims) {
  Result<ProgramOptions> options = read_program_options(arguments);
  if (!options) return options.error();
  Result<Model> model = open_model(arguments);
  if (!model) return model.error();
  Result<Device> device = open_device(arguments);
  if (!device) return device.error();
  Result<std::string> text = print_stage(*device, *model, *options, stage, format, dims);
  end_progress();
  return text;
}

int print(const Arguments& arguments, tuff_stage_t stage, tuff_format_t format) {
  Result<std::vector<SymbolValue>> dims = read_dims(arguments);
  if (!dims) return exit_for(dims.error());
  Result<bool> artifact = is_artifact(arguments);
  if (!artifact) return exit_for(artifact.error());
  Result<std::string> text =
      *artifact ? text_of_artifact(arguments, stage, format, *dims) : text_of_model(arguments, stage, format, *dims);
  if (!text) return exit_for(text.error());
  std::fwrite(text->data(), 1, text->size(), stdout);
  if (!text->empty() && text->back() != '\n') std::fputc('\n', stdout);
  return kExitOk;
}

int inspect(const Arguments& arguments) {
  std::string_view name = arguments.has("--stage") ? arguments.value("--stage") : "plan";
  std::string names;
  for (const StageRow& row : kStages) {
    if (name == row.name) return print(arguments, row.stage, arguments.has("--json") ? TUFF_FORMAT_JSON : TUFF_FORMAT_TEXT);
    names += (names.empty() ? "" : ", ") + std::string(row.name);
  }
  return usage_error("There is no stage '" + std::string(name) + "'; there are " + names + ".");
}

int explain(const Arguments& arguments) { return print(arguments, TUFF_STAGE_EXPLAIN, TUFF_FORMAT_TEXT); }

std::vector<Option> as_option() {
  return {{"--as", nullptr, "FILE", "the device that this text describes (tuff devices --text)"}};
}

}  // namespace

const Verb kInspectVerb = {
    "inspect",
    "MODEL.onnx|M.tuff --stage=STAGE [--json] [options]",
    "print any stage between the model's file and SPIR-V",
    "  tuff inspect model.onnx --stage=graph\n"
    "  tuff inspect model.onnx --stage=plan --json\n"
    "  tuff inspect model.onnx --stage=kernels --as phone.txt\n"
    "Stages: graph, simplified, layout, fusion, kernels, plan, bound, spirv. JSON: plan and bound. An artifact has graph, "
    "plan\n"
    "and bound.\n",
    join({{{"--stage", nullptr, "STAGE", "what to print; default: plan"}, {"--json", nullptr, nullptr, "as JSON"}},
          as_option(),
          model_options(),
          device_options(),
          program_options()}),
    inspect};

const Verb kExplainVerb = {"explain",
                           "MODEL.onnx [options]",
                           "say which operators share a kernel, and why the others do not",
                           "  tuff explain model.onnx\n"
                           "  tuff explain model.onnx --as phone.txt\n",
                           join({as_option(), model_options(), device_options(), program_options()}),
                           explain};

}  // namespace tuff::cli
