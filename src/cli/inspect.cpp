// tuff inspect and tuff explain: what the stages made of a model, for a device that need not be in this machine.
#include <cstdio>

#include "cli/target_options.h"
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

int print(const Arguments& arguments, tuff_stage_t stage, tuff_format_t format) {
  Result<ProgramOptions> options = read_program_options(arguments);
  if (!options) return exit_for(options.error());
  Result<std::vector<SymbolValue>> dims = read_dims(arguments);
  if (!dims) return exit_for(dims.error());
  Result<Model> model = open_model(arguments);
  if (!model) return exit_for(model.error());
  Result<Device> device = open_device(arguments);
  if (!device) return exit_for(device.error());
  Result<std::string> text = print_stage(*device, *model, *options, stage, format, *dims);
  end_progress();
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
    "MODEL.onnx --stage=STAGE [--json] [options]",
    "print any stage between the model's file and SPIR-V",
    "  tuff inspect model.onnx --stage=graph\n"
    "  tuff inspect model.onnx --stage=plan --json\n"
    "  tuff inspect model.onnx --stage=kernels --as phone.txt\n"
    "Stages: graph, simplified, layout, fusion, kernels, plan, bound, spirv. JSON: plan and bound.\n",
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
