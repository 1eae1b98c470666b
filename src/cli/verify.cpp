// tuff verify: a model's outputs against what they should be; by default against the reference on the CPU.
#include <cstdio>
#include <map>

#include "cli/bisect.h"
#include "cli/execute.h"
#include "cli/json.h"
#include "cli/model_inputs.h"
#include "cli/target_options.h"
#include "cli/tensor_file.h"
#include "cli/terminal.h"

namespace tuff::cli {
namespace {

struct Row {
  std::string name;
  Difference difference;
  bool passed = false;
};

Result<std::map<std::string, HostTensor>> expected_from_files(const Arguments& arguments, const Model& model) {
  std::vector<std::string> names;
  for (const TensorInfo& output : model.tensors(TUFF_OUTPUT)) names.push_back(output.name);
  std::map<std::string, HostTensor> expected;
  for (const std::string& text : arguments.all("--expect")) {
    auto parts = holds_many(text) ? std::nullopt : split_assignment(text);
    Result<std::vector<NamedTensor>> tensors = read_tensor_file(parts ? parts->second : text, "output", names);
    if (!tensors) return tensors.error();
    for (NamedTensor& t : *tensors) expected[parts ? parts->first : t.name] = std::move(t.tensor);
  }
  return expected;
}

void print_rows(const std::vector<Row>& rows, const std::vector<NamedTensor>& outputs,
                const std::map<std::string, HostTensor>& expected, const std::optional<FirstBeyond>& first) {
  for (size_t i = 0; i < rows.size(); ++i) {
    const Difference& d = rows[i].difference;
    std::printf("%s %s: max abs %.3g, max rel %.3g, %.3g of the tolerance, cosine %.9f, top-1 %.4g %%, bits %s\n",
                rows[i].passed ? "ok  " : "FAIL", rows[i].name.c_str(), d.max_abs, d.max_rel, d.share, d.cosine,
                100 * d.top_agreement, d.same_bits ? "same" : "differ");
    if (rows[i].passed) continue;
    std::printf("     %llu of %llu elements are beyond the tolerance; the worst is element %llu: %.9g instead of %.9g\n",
                static_cast<unsigned long long>(d.beyond), static_cast<unsigned long long>(d.count),
                static_cast<unsigned long long>(d.worst), element(outputs[i].tensor, d.worst),
                element(expected.at(rows[i].name), d.worst));
  }
  if (first)
    std::printf("first beyond the tolerance: '%s', of %s: max abs %.3g, max rel %.3g\n", first->value.name.c_str(),
                first->value.nodes.c_str(), first->difference.max_abs, first->difference.max_rel);
}

std::string as_json(const std::vector<Row>& rows, bool passed, const std::optional<FirstBeyond>& first) {
  Json json;
  json.open('{').key("passed").boolean(passed).key("outputs").open('[');
  for (const Row& row : rows) {
    const Difference& d = row.difference;
    json.open('{');
    json.key("name").string(row.name).key("passed").boolean(row.passed);
    json.key("max_abs").real(d.max_abs).key("max_rel").real(d.max_rel).key("cosine").real(d.cosine);
    json.key("top1_agreement").real(d.top_agreement).key("same_bits").boolean(d.same_bits);
    json.key("share_of_tolerance").real(d.share);
    json.key("beyond_tolerance").integer(static_cast<int64_t>(d.beyond)).key("elements").integer(static_cast<int64_t>(d.count));
    json.close('}');
  }
  json.close(']');
  if (first) {
    json.key("first_beyond").open('{').key("value").string(first->value.name).key("nodes").string(first->value.nodes);
    json.key("max_abs").real(first->difference.max_abs).key("max_rel").real(first->difference.max_rel).close('}');
  }
  json.close('}');
  return json.text();
}

int verify(const Arguments& arguments) {
  Result<ProgramOptions> options = read_program_options(arguments);
  if (!options) return exit_for(options.error());
  Result<double> rtol = arguments.real("--rtol", 1e-3);
  if (!rtol) return exit_for(rtol.error());
  Result<double> atol = arguments.real("--atol", 1e-4);
  if (!atol) return exit_for(atol.error());
  Result<std::vector<SymbolValue>> dims = read_dims(arguments);
  if (!dims) return exit_for(dims.error());
  Result<Model> model = open_model(arguments);
  if (!model) return exit_for(model.error());
  Result<std::vector<HostTensor>> inputs = read_inputs(arguments, *model, *dims, false);
  if (!inputs) return exit_for(inputs.error());
  Result<Device> device = open_device(arguments);
  if (!device) return exit_for(device.error());
  Result<Program> program = Program::create(*device, *model, *options);
  end_progress();
  if (!program) return exit_for(program.error());
  Result<std::vector<NamedTensor>> outputs = execute(*program, *model, *inputs, *dims);
  if (!outputs) return exit_for(outputs.error());

  bool from_files = arguments.has("--expect");
  Result<std::map<std::string, HostTensor>> expected =
      from_files ? expected_from_files(arguments, *model) : reference_outputs(*model, *options, *inputs);
  if (!expected) return exit_for(expected.error());
  // Exact mode promises the reference's bits; files may come from any engine.
  const Tolerance tolerance = {*rtol, *atol, arguments.has("--bits") || (arguments.has("--exact") && !from_files)};
  std::vector<Row> rows;
  bool passed = true;
  for (const NamedTensor& output : *outputs) {
    auto found = expected->find(output.name);
    if (found == expected->end()) return usage_error("'--expect' has no output '" + output.name + "'.");
    if (found->second.shape != output.tensor.shape) {
      std::printf("FAIL %s: shape %s instead of %s\n", output.name.c_str(), shape_text(output.tensor.shape).c_str(),
                  shape_text(found->second.shape).c_str());
      return kExitCheckFailed;
    }
    Row row{output.name, compare(output.tensor, found->second, tolerance)};
    row.passed = within(row.difference, tolerance);
    passed = passed && row.passed;
    rows.push_back(std::move(row));
  }
  std::optional<FirstBeyond> first;
  if (!passed && arguments.has("--bisect")) {
    Result<std::optional<FirstBeyond>> found = first_beyond(arguments, *device, *options, *inputs, tolerance);
    if (!found) return exit_for(found.error());
    first = *found;
    if (!first) std::fprintf(stderr, "tuff: note: no value with a name is beyond the tolerance by itself.\n");
  }
  if (arguments.has("--json"))
    std::printf("%s\n", as_json(rows, passed, first).c_str());
  else
    print_rows(rows, *outputs, *expected, first);
  return passed ? kExitOk : kExitCheckFailed;
}

}  // namespace

const Verb kVerifyVerb = {
    "verify",
    "MODEL.onnx -i inputs.npz [--expect outputs.npz] [options]",
    "compare a model's outputs with known ones or with the CPU reference",
    "  tuff verify model.onnx -i inputs.npz --expect outputs.npz\n"
    "  tuff verify model.onnx -i test_data_set_0 --expect test_data_set_0\n"
    "  tuff verify model.onnx --random-inputs 7 --exact\n"
    "  tuff verify model.onnx -i inputs.npz --expect outputs.npz --bisect\n"
    "Exit code 1 if an output is beyond the tolerance.\n",
    join({{{"--expect", nullptr, "[NAME=]FILE",
            "known outputs: .npy, .npz, .pb or a folder with output_0.pb; default: the CPU reference"},
           {"--rtol", nullptr, "X", "allowed |a - e| <= atol + rtol*|e|; default: 1e-3"},
           {"--atol", nullptr, "X", "default: 1e-4"},
           {"--bits", nullptr, nullptr, "allow no difference at all (with --exact and without --expect: the default)"},
           {"--bisect", nullptr, nullptr, "name the first value and model node beyond it, against the CPU reference"},
           {"--json", nullptr, nullptr, "one JSON object"}},
          input_options(),
          model_options(),
          device_options(),
          program_options()}),
    verify};

}  // namespace tuff::cli
