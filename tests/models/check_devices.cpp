// Runs each operator model on the device that the loader lists first, fused and unfused, fast and exact: fast mode against
// what onnxruntime computed, within the reference check's tolerances, exact mode against the reference's bits. Where nothing
// can be fused the unfused program is the fused one, and is not run again.
//
// check_devices FOLDER SKIPPED [I/N | NAME...]: FOLDER as make_operator_models.py writes it; SKIPPED lists what this device
// cannot compute, NAME and a part of the reason on each line, or "is not run: " and why; I/N takes each N-th case from the
// I-th on, counted from 0. Exit status 1 if a case fails, if the validation layer says anything, if a case is skipped that is
// not listed, or if a listed one is not; 77 without a device.
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <optional>
#include <set>
#include <utility>

#include "compile/compile.h"
#include "model/model.h"
#include "operator_cases.h"
#include "reference/reference.h"
#include "session/session.h"
#include "simplify/simplify.h"

namespace tuff::test {
namespace {

struct Mode {
  bool exact, fuse;
  const char* text;
};
constexpr Mode kModes[] = {
    {false, true, "fast fused"}, {true, true, "exact fused"}, {false, false, "fast unfused"}, {true, false, "exact unfused"}};

Result<std::vector<Tensor>> run_on_device(Session& session, const InputSet& set) {
  TUFF_TRY(session.prepare(set.symbols));
  for (size_t i = 0; i < set.inputs.size(); ++i) {
    const Tensor& t = set.inputs[i];
    TUFF_TRY(session.write_input(i, {t.dtype, t.shape, dense_byte_strides(t.dtype, t.shape), t.bytes.data()}));
  }
  TUFF_TRY(run(session, 60'000'000'000ull));
  std::vector<Tensor> outputs;
  for (size_t i = 0; i < session.prepared()->outputs.size(); ++i) {
    const BoundTensor& output = session.prepared()->outputs[i];
    Tensor t{output.dtype, {}, {}};
    TUFF_ASSIGN(t.shape, session.output_shape(i));
    t.bytes.resize(static_cast<size_t>(t.element_count() * dtype_size_bytes(t.dtype)));
    TUFF_TRY(session.read_output(i, {t.dtype, t.shape, dense_byte_strides(t.dtype, t.shape), t.bytes.data()}));
    outputs.push_back(std::move(t));
  }
  return outputs;
}

std::string exact_difference(const Tensor& reference, const Tensor& actual) {
  if (reference.dtype == actual.dtype && reference.shape == actual.shape && reference.bytes == actual.bytes) return "";
  if (auto wrong = difference(reference, actual, true)) return *wrong;
  return "differs from the reference in the sign of a zero or the bits of a NaN";
}

// The program that the options make, as text: equal texts are equal programs.
Result<std::string> program_text(const Graph& graph, const Target& target, const CompileOptions& options) {
  TUFF_ASSIGN(std::string kernels, print_stage(graph, target.info, options, {Stage::kKernels, TextFormat::kText, {}}));
  TUFF_ASSIGN(std::string plan, print_stage(graph, target.info, options, {Stage::kPlan, TextFormat::kText, {}}));
  return kernels + plan;
}

// "" where all is well. UNSUPPORTED where the device lacks what the model needs, in whichever mode.
Result<std::string> check(const std::string& folder, const Case& c, const Target& target) {
  TUFF_ASSIGN(Graph graph, load_model_file(model_path(folder, c)));
  SimplifyOptions simplify_options;
  simplify_options.exact = true;
  simplify_options.evaluate_constants = evaluate_closed;
  TUFF_ASSIGN(Graph simplified, simplify(graph, simplify_options));
  std::set<std::string> seen;
  for (const Mode& mode : kModes) {
    CompileOptions options;
    options.exact = mode.exact;
    options.fuse = mode.fuse;
    TUFF_ASSIGN(std::string text, program_text(graph, target, options));
    if (!seen.insert(std::move(text)).second) continue;
    TUFF_ASSIGN(auto program, compile_model(graph, target, options));
    TUFF_ASSIGN(auto session, make_session(program, {}));
    for (int set = 0; set < c.input_sets; ++set) {
      TUFF_ASSIGN(InputSet arrays, read_input_set(folder, c, set, graph));
      std::vector<Tensor> reference;
      if (mode.exact) {
        TUFF_ASSIGN(reference, evaluate(simplified, arrays.inputs, arrays.symbols));
        reference = cut_to_size(simplified, std::move(reference));
      }
      TUFF_ASSIGN(std::vector<Tensor> outputs, run_on_device(*session, arrays));
      for (size_t i = 0; i < outputs.size(); ++i) {
        const std::string wrong = mode.exact ? exact_difference(reference[i], outputs[i])
                                             : difference(arrays.expected[i], outputs[i], c.exact).value_or("");
        if (!wrong.empty())
          return std::string(mode.text) + ", input set " + std::to_string(set) + ": " + graph.output_names[i] + " " + wrong;
      }
    }
  }
  return std::string();
}

// A reason that begins so is of a case that would not end.
constexpr std::string_view kNotRun = "is not run: ";

Result<std::map<std::string, std::string>> read_skipped(const std::string& path) {
  std::ifstream file(path);
  if (!file) return io_error("There is no file '" + path + "'.");
  std::map<std::string, std::string> skipped;
  for (std::string line; std::getline(file, line);) {
    const size_t space = line.find(' ');
    if (line.empty() || line[0] == '#') continue;
    if (space == std::string::npos) return invalid_argument("'" + line + "' in '" + path + "' says no reason.");
    skipped[line.substr(0, space)] = line.substr(space + 1);
  }
  return skipped;
}

// Which cases run: those of the names, all without any, or a share of them.
struct Selection {
  std::vector<std::string> names;
  size_t share = 0, share_count = 1;

  bool takes(size_t index, const std::string& name) const {
    return index % share_count == share && (names.empty() || std::find(names.begin(), names.end(), name) != names.end());
  }
};

std::optional<Selection> read_selection(std::vector<std::string> arguments) {
  Selection selection;
  if (arguments.size() == 1 && arguments[0].find('/') != std::string::npos) {
    const int read = std::sscanf(arguments[0].c_str(), "%zu/%zu", &selection.share, &selection.share_count);
    if (read != 2 || selection.share >= selection.share_count) return std::nullopt;
  } else {
    selection.names = std::move(arguments);
  }
  return selection;
}

int run(const std::string& folder, const std::string& skipped_path, const Selection& selection) {
  auto cases = read_index(folder);
  auto skipped = read_skipped(skipped_path);
  for (const Status& status : {cases.status(), skipped.status()}) {
    if (status.ok()) continue;
    std::fprintf(stderr, "%s\n", status.message().c_str());
    return 2;
  }
  std::string validation;
  OpenOptions open_options;
  open_options.allow_software = true;
  open_options.log = [&](int severity, std::string_view message) {
    if (severity <= 1 && message.starts_with("Vulkan validation: ")) validation += std::string(message) + "\n";
  };
  auto target = open_target("", open_options);
  if (!target.ok() || target->kind != TargetKind::kDevice) {
    std::fprintf(stderr, "%s\n", target.ok() ? "There is no device." : target.status().message().c_str());
    return 77;
  }
  int passed = 0, skipped_count = 0, failed = 0;
  for (size_t i = 0; i < cases->size(); ++i) {
    const Case& c = (*cases)[i];
    if (!selection.takes(i, c.name)) continue;
    if (import_refusal(c.name)) continue;  // check_reference sees to these
    auto expected = skipped->find(c.name);
    if (expected != skipped->end() && expected->second.starts_with(kNotRun)) {
      ++skipped_count;
      continue;
    }
    auto wrong = check(folder, c, *target);
    std::string message = wrong.ok() ? *wrong : std::string(code_name(wrong.status().code())) + ": " + wrong.status().message();
    message += std::exchange(validation, {});
    if (expected != skipped->end() && wrong.status().code() == Code::kUnsupported &&
        message.find(expected->second) != std::string::npos) {
      ++skipped_count;
    } else if (message.empty() && expected == skipped->end()) {
      ++passed;
    } else {
      ++failed;
      std::printf("%s: %s\n", c.name.c_str(), message.empty() ? "should have been skipped" : message.c_str());
    }
  }
  std::printf("%s: %d passed, %d skipped as expected, %d failed\n", target->info.name.c_str(), passed, skipped_count, failed);
  return failed > 0 || passed == 0;
}

}  // namespace
}  // namespace tuff::test

int main(int argc, char** argv) {
  const auto selection = argc < 3 ? std::nullopt : tuff::test::read_selection({argv + 3, argv + argc});
  if (!selection) {
    std::fprintf(stderr, "usage: check_devices FOLDER SKIPPED [I/N | NAME...]\n");
    return 2;
  }
  return tuff::test::run(argv[1], argv[2], *selection);
}
