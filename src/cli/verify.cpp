// tuff verify: a model's outputs against what they should be; by default against the reference on the CPU.
#include <cstdio>
#include <map>

#include "cli/bisect.h"
#include "cli/execute.h"
#include "cli/json.h"
#include "cli/made_program.h"
#include "cli/model_inputs.h"
#include "cli/tensor_file.h"

namespace tuff::cli {
namespace {

struct Row {
  std::string name;
  Difference difference;
  std::optional<BoundShare> bound;  // none against files
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
                const std::map<std::string, HostTensor>& expected) {
  for (size_t i = 0; i < rows.size(); ++i) {
    const Difference& d = rows[i].difference;
    std::printf("%s %s: max abs %.3g, max rel %.3g, %.3g of the tolerance, ", rows[i].passed ? "ok  " : "FAIL",
                rows[i].name.c_str(), d.max_abs, d.max_rel, d.share);
    if (rows[i].bound) std::printf("%s of the bound, ", share_text(*rows[i].bound).c_str());
    std::printf("cosine %.9f, top-1 %.4g %%, bits %s\n", d.cosine, 100 * d.top_agreement, d.same_bits ? "same" : "differ");
    if (rows[i].passed) continue;
    std::printf("     %llu of %llu elements are beyond the tolerance; the worst is element %llu: %.9g instead of %.9g\n",
                static_cast<unsigned long long>(d.beyond), static_cast<unsigned long long>(d.count),
                static_cast<unsigned long long>(d.worst), element(outputs[i].tensor, d.worst),
                element(expected.at(rows[i].name), d.worst));
    if (rows[i].bound && rows[i].bound->beyond != 0)
      std::printf("     %llu elements are beyond the bound\n", static_cast<unsigned long long>(rows[i].bound->beyond));
  }
}

void print_bisection(const Bisection& found) {
  if (found.first_beyond)
    std::printf("first beyond the tolerance: '%s', of %s: max abs %.3g, max rel %.3g\n", found.first_beyond->value.name.c_str(),
                found.first_beyond->value.nodes.c_str(), found.first_beyond->difference.max_abs,
                found.first_beyond->difference.max_rel);
  if (!found.values) return;
  const BoundedValues& values = *found.values;
  std::printf("each of %zu values from those before it: at most %s of its bound, at '%s', of %s\n", values.count,
              share_text(values.worst.share).c_str(), values.worst.value.name.c_str(), values.worst.value.nodes.c_str());
  if (values.first_beyond)
    std::printf("first beyond its bound: '%s', of %s: %s of it, %llu elements\n", values.first_beyond->value.name.c_str(),
                values.first_beyond->value.nodes.c_str(), share_text(values.first_beyond->share).c_str(),
                static_cast<unsigned long long>(values.first_beyond->share.beyond));
}

void write_share(Json& json, const BoundShare& share) {
  json.key("share_of_bound").real(share.share).key("beyond_bound").integer(static_cast<int64_t>(share.beyond));
  json.key("without_bound").integer(static_cast<int64_t>(share.undecided));
}

void write_value(Json& json, const char* key, const ValueShare& value) {
  json.key(key).open('{').key("value").string(value.value.name).key("nodes").string(value.value.nodes);
  write_share(json, value.share);
  json.close('}');
}

std::string as_json(const std::vector<Row>& rows, bool passed, const Bisection& found) {
  Json json;
  json.open('{').key("passed").boolean(passed).key("outputs").open('[');
  for (const Row& row : rows) {
    const Difference& d = row.difference;
    json.open('{').key("name").string(row.name).key("passed").boolean(row.passed);
    json.key("max_abs").real(d.max_abs).key("max_rel").real(d.max_rel).key("cosine").real(d.cosine);
    json.key("top1_agreement").real(d.top_agreement).key("same_bits").boolean(d.same_bits);
    json.key("share_of_tolerance").real(d.share);
    json.key("beyond_tolerance").integer(static_cast<int64_t>(d.beyond)).key("elements").integer(static_cast<int64_t>(d.count));
    if (row.bound) write_share(json, *row.bound);
    json.close('}');
  }
  json.close(']');
  if (found.first_beyond) {
    const FirstBeyond& first = *found.first_beyond;
    json.key("first_beyond").open('{').key("value").string(first.value.name).key("nodes").string(first.value.nodes);
    json.key("max_abs").real(first.difference.max_abs).key("max_rel").real(first.difference.max_rel).close('}');
  }
  if (found.values) {
    json.key("values").integer(static_cast<int64_t>(found.values->count));
    write_value(json, "worst_value", found.values->worst);
    if (found.values->first_beyond) write_value(json, "first_beyond_bound", *found.values->first_beyond);
  }
  json.close('}');
  return json.text();
}

// What --bisect finds: where bits count the first value with others, else each value against its bound.
Result<Bisection> bisect(const Arguments& arguments, MadeProgram& made, const Tolerance& tolerance, bool passed) {
  Bisection found;
  if (tolerance.bits) {
    if (passed) return found;
    Result<std::optional<FirstBeyond>> first = first_beyond(arguments, made.device, made.inputs, tolerance);
    if (!first) return first.error();
    found.first_beyond = *first;
    if (!*first) std::fprintf(stderr, "tuff: note: no value with a name has other bits by itself.\n");
    return found;
  }
  Result<std::optional<BoundedValues>> values = bounded_values(arguments, made.device, made.inputs);
  if (!values) return values.error();
  found.values = *values;
  return found;
}

int verify(const Arguments& arguments) {
  Result<double> rtol = arguments.real("--rtol", 1e-3);
  if (!rtol) return exit_for(rtol.error());
  Result<double> atol = arguments.real("--atol", 1e-4);
  if (!atol) return exit_for(atol.error());
  Result<bool> artifact = is_artifact(arguments);
  if (!artifact) return exit_for(artifact.error());
  if (*artifact && arguments.has("--bisect"))
    return usage_error("'--bisect' compiles a model's values as outputs; an artifact has its own outputs alone.");
  Result<MadeProgram> made = make_program(arguments, false);
  if (!made) return exit_for(made.error());
  const bool from_files = arguments.has("--expect");
  Result<std::vector<NamedTensor>> outputs =
      execute(made->program, made->model, made->inputs, made->dims, from_files ? DataSizes::kAsTheyAre : DataSizes::kLargest);
  if (!outputs) return exit_for(outputs.error());
  Result<std::map<std::string, HostTensor>> expected =
      from_files ? expected_from_files(arguments, made->model) : reference_outputs(arguments, made->model, made->inputs);
  if (!expected) return exit_for(expected.error());
  std::optional<std::vector<BoundShare>> shares;
  if (!from_files) {
    Result<std::vector<BoundShare>> found = shares_of_bound(made->program, made->inputs, *outputs, made->dims);
    if (!found) return exit_for(found.error());
    shares = std::move(*found);
  }
  // Exact mode promises the reference's bits; files may come from any engine.
  const bool is_exact = made->program.info().exact != 0;
  const Tolerance tolerance = {*rtol, *atol, arguments.has("--bits") || (is_exact && !from_files)};
  std::vector<Row> rows;
  bool passed = true;
  for (size_t i = 0; i < outputs->size(); ++i) {
    const NamedTensor& output = (*outputs)[i];
    auto found = expected->find(output.name);
    // Other engines give the size by the shape.
    if (found == expected->end() && output.name.ends_with(".size")) continue;
    if (found == expected->end()) return usage_error("'--expect' has no output '" + output.name + "'.");
    if (found->second.shape != output.tensor.shape) {
      std::printf("FAIL %s: shape %s instead of %s\n", output.name.c_str(), shape_text(output.tensor.shape).c_str(),
                  shape_text(found->second.shape).c_str());
      return kExitCheckFailed;
    }
    Row row{output.name, compare(output.tensor, found->second, tolerance), std::nullopt};
    if (shares) row.bound = (*shares)[i];
    row.passed = within(row.difference, tolerance) && (!row.bound || row.bound->beyond == 0);
    passed = passed && row.passed;
    rows.push_back(std::move(row));
  }
  Bisection found;
  if (arguments.has("--bisect")) {
    Result<Bisection> bisected = bisect(arguments, *made, tolerance, passed);
    if (!bisected) return exit_for(bisected.error());
    found = std::move(*bisected);
    passed = passed && !(found.values && found.values->first_beyond);
  }
  if (arguments.has("--json")) {
    std::printf("%s\n", as_json(rows, passed, found).c_str());
  } else {
    print_rows(rows, *outputs, *expected);
    print_bisection(found);
  }
  return passed ? kExitOk : kExitCheckFailed;
}

}  // namespace

const Verb kVerifyVerb = {
    "verify",
    "MODEL.onnx|M.tuff -i inputs.npz [--expect outputs.npz] [options]",
    "compare a model's outputs with known ones or with the CPU reference",
    "  tuff verify model.onnx -i inputs.npz --expect outputs.npz\n"
    "  tuff verify model.onnx -i test_data_set_0 --expect test_data_set_0\n"
    "  tuff verify model.onnx --random-inputs 7 --exact\n"
    "  tuff verify model.onnx -i inputs.npz --expect outputs.npz --bisect\n"
    "Without --expect each output is compared twice: with the CPU reference in floats, by the tolerance, and with the truth "
    "in\n"
    "doubles, by the error bound that follows from the graph (README). Of a deep network's output that bound is wider than "
    "any\n"
    "error; --bisect makes every value an output and holds each against its own bound, computed from the values before it as\n"
    "the device gave them. Exit code 1 if anything is beyond its tolerance or bound.\n",
    join({{{"--expect", nullptr, "[NAME=]FILE",
            "known outputs: .npy, .npz, .pb or a folder with output_0.pb; default: the CPU reference"},
           {"--rtol", nullptr, "X", "allowed |a - e| <= atol + rtol*|e|; default: 1e-3"},
           {"--atol", nullptr, "X", "default: 1e-4"},
           {"--bits", nullptr, nullptr, "allow no difference at all (with --exact and without --expect: the default)"},
           {"--bisect", nullptr, nullptr,
            "hold every value against its bound (with --bits: the reference's bits); name the first beyond"},
           {"--json", nullptr, nullptr, "one JSON object"}},
          input_options(),
          model_options(),
          device_options(),
          program_options()}),
    verify};

}  // namespace tuff::cli
