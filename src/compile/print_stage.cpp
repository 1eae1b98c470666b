// Any stage of a compile as text: what `tuff inspect` and `tuff explain` show.
#include <array>
#include <set>

#include "compile/stages.h"
#include "kernel/make_kernels.h"

namespace tuff {
namespace {

constexpr std::array<std::string_view, 9> kStageNames = {"graph",   "simplified", "layout", "fusion", "explain",
                                                         "kernels", "plan",       "bound",  "spirv"};

std::string title(const Kernel& kernel) {
  return "// kernel " + kernel.name + ": " + kernel.skeleton + ", " + schedule_text(kernel) + "\n";
}

std::string print_kernels(const Plan& plan) {
  std::string out;
  for (const Kernel& kernel : plan.kernels) out += title(kernel) + kernel.source + "\n";
  return out;
}

std::string print_modules(const Stages& stages) {
  std::string out;
  for (const CompiledKernel& module : stages.modules.kernels) {
    out += "; kernel " + module.name + ", " + std::to_string(module.spirv.size()) + " words, hash " + module.hash.hex() + "\n" +
           disassemble(module.spirv) + "\n";
  }
  return out;
}

std::string explain_lowered(const std::vector<std::string>& lowered) {
  if (lowered.empty()) return {};
  std::string out = "\nKept in another dtype than the model's, as asked:\n";
  for (const std::string& line : lowered) out += "  " + line + "\n";
  return out;
}

// What came of the schedules that were observed, to be faster or to spill; nothing where there are none.
std::string explain_schedules(const Plan& plan, const Observations& observations) {
  std::string out;
  std::set<std::string> used;
  for (const Kernel& kernel : plan.kernels) {
    const KernelTuning& tuning = kernel.tuning;
    if (tuning.source != KernelTuning::Source::kPredicted) used.insert(tuning.key);
    if (!tuning.spilled.empty())
      out += tuning.spilled == kernel.schedule ? "  [spills] " : "  [smaller] ";
    else if (tuning.source != KernelTuning::Source::kPredicted)
      out += tuning.source == KernelTuning::Source::kObserved ? "  [tuned] " : "  [refused] ";
    else
      continue;
    out += kernel.name + " (" + tuning.key + "): " + schedule_text(kernel) + "\n";
  }
  if (const size_t others = observations.schedules.size() - used.size(); others != 0)
    out += "  " + std::to_string(others) + " of " + std::to_string(observations.schedules.size()) +
           " are of kernels that there are not here\n";
  return out.empty() ? out : "\nSchedules that were observed:\n" + out;
}

// How far the stages have to go for a text: the schedules are the kernels'.
Stage last_stage(Stage shown, const Observations& observations) {
  const bool are_observed = !observations.schedules.empty() || !observations.compiled.empty();
  return shown == Stage::kExplain && are_observed ? Stage::kKernels : shown;
}

// The sizes for one set of dimensions; nothing where they are not all given and `required` is false.
Result<std::optional<BoundPlan>> bind_for_print(const Plan& plan, const DeviceInfo& device, const SymbolValues& given,
                                                bool required) {
  Result<SymbolValues> symbols = complete_symbols(plan.graph, given);
  if (!symbols.ok()) {
    if (required || !given.empty()) return symbols.status();
    return std::optional<BoundPlan>();
  }
  TUFF_ASSIGN(BoundPlan bound, tuff::bind(plan, *symbols, device));
  TUFF_TRY(verify(plan, bound, device));
  return std::optional<BoundPlan>(std::move(bound));
}

std::string stage_name(Stage stage) { return "'" + std::string(kStageNames[static_cast<size_t>(stage)]) + "'"; }

// The sentence for a stage that has no such text.
Status check_format(const PrintRequest& request) {
  if (request.format != TextFormat::kJson || request.stage == Stage::kPlan || request.stage == Stage::kBound)
    return ok_status();
  return unsupported("Stage " + stage_name(request.stage) + " has no JSON; 'plan' and 'bound' have.");
}

// kPlan or kBound.
Result<std::string> print_plan(const Plan& plan, const DeviceInfo& device, const PrintRequest& request) {
  const bool is_text = request.format == TextFormat::kText, is_bound = request.stage == Stage::kBound;
  if (is_text && !is_bound) return print(plan);
  TUFF_ASSIGN(std::optional<BoundPlan> bound, bind_for_print(plan, device, request.symbols, is_bound));
  return is_text ? print(*bound) : print_json(plan, bound ? &*bound : nullptr, device);
}

}  // namespace

std::optional<Stage> stage_from_name(std::string_view name) {
  for (size_t i = 0; i < kStageNames.size(); ++i) {
    if (kStageNames[i] == name) return static_cast<Stage>(i);
  }
  return std::nullopt;
}

Result<std::string> print_stage(const Graph& graph, const DeviceInfo& device, const CompileOptions& options,
                                const PrintRequest& request) {
  TUFF_TRY(check_format(request));
  if (request.stage == Stage::kGraph) return print(graph);
  TUFF_ASSIGN(Stages stages, run_stages(graph, device, options, last_stage(request.stage, options.observations)));
  switch (request.stage) {
    case Stage::kGraph:
    case Stage::kSimplified: return print(stages.simplified);
    case Stage::kLayout: {
      std::string orders = print(stages.layouts, stages.laid_out);
      return orders.empty() ? "Every value is row-major.\n" : orders;
    }
    case Stage::kFusion: return print(stages.fusion, stages.laid_out);
    case Stage::kExplain: {
      TUFF_ASSIGN(const std::string products, explain_integer_products(stages.laid_out, stages.layouts, stages.fusion, device));
      TUFF_ASSIGN(const std::string sums,
                  explain_shared_sums(stages.laid_out, stages.layouts, stages.fusion, device, options.exact));
      TUFF_ASSIGN(const std::string first_layers,
                  explain_first_layers(stages.laid_out, stages.layouts, stages.fusion, device, options.exact));
      return explain(stages.fusion, stages.laid_out) + products + sums + first_layers + explain_lowered(stages.lowered) +
             explain_schedules(stages.plan, options.observations);
    }
    case Stage::kKernels: return print_kernels(stages.plan);
    case Stage::kSpirv: return print_modules(stages);
    case Stage::kPlan:
    case Stage::kBound: return print_plan(stages.plan, device, request);
  }
  return internal_error("A stage without a text.");
}

Result<std::string> print_stage(const Program& program, const PrintRequest& request) {
  TUFF_TRY(check_format(request));
  if (request.stage == Stage::kGraph || request.stage == Stage::kSimplified) return print(program.plan.graph);
  if (request.stage != Stage::kPlan && request.stage != Stage::kBound)
    return unsupported("A program that is made keeps no stage " + stage_name(request.stage) +
                       "; it has 'graph', 'plan' and 'bound'. The model it was made of has them all.");
  if (program.target.kind == TargetKind::kCpu)
    return unsupported("The CPU interprets the program's graph; there is no stage " + stage_name(request.stage) + ".");
  return print_plan(program.plan, program.target.info, request);
}

}  // namespace tuff
