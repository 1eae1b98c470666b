// tuff verify: a model's outputs against what they should be; by default against the reference on the CPU.
#include <cmath>
#include <cstdio>
#include <cstring>
#include <map>

#include "cli/execute.h"
#include "cli/json.h"
#include "cli/model_inputs.h"
#include "cli/npy.h"
#include "cli/target_options.h"
#include "cli/terminal.h"

namespace tuff::cli {
namespace {

struct Difference {
  uint64_t count = 0;
  double max_abs = 0, max_rel = 0, cosine = 1;
  uint64_t worst = 0;    // the index that is furthest beyond the tolerance
  uint64_t beyond = 0;   // how many are
  bool same_top = true;  // the largest element is at the same place, along the last axis
  bool same_bits = true;
};

// |actual - expected| <= atol + rtol*|expected|, NaN equal to NaN only.
Difference compare(const HostTensor& actual, const HostTensor& expected, double rtol, double atol) {
  Difference d;
  d.count = actual.bytes.size() / dtype_size_bytes(actual.dtype);
  d.same_bits = actual.dtype == expected.dtype && actual.bytes.size() == expected.bytes.size() &&
                (actual.bytes.empty() || std::memcmp(actual.bytes.data(), expected.bytes.data(), actual.bytes.size()) == 0);
  uint64_t row = actual.shape.empty() || actual.shape.back() == 0 ? 1 : static_cast<uint64_t>(actual.shape.back());
  double dot = 0, actual_norm = 0, expected_norm = 0, worst_excess = -INFINITY;
  uint64_t actual_top = 0, expected_top = 0;
  for (uint64_t i = 0; i < d.count; ++i) {
    double a = element(actual, i), e = element(expected, i);
    bool same = a == e || (std::isnan(a) && std::isnan(e));
    double abs = same ? 0 : std::fabs(a - e);
    double excess = same ? -atol : abs - (atol + rtol * std::fabs(e));
    bool beyond = !same && !(excess <= 0);  // also where NaN or Inf meets a number
    if (beyond) ++d.beyond;
    if (std::isnan(excess)) excess = INFINITY;
    if (excess > worst_excess) {
      worst_excess = excess;
      d.worst = i;
    }
    if (!(abs <= d.max_abs)) d.max_abs = abs;
    double rel = same ? 0 : abs / std::fabs(e);
    if (!(rel <= d.max_rel)) d.max_rel = rel;
    dot += a * e;
    actual_norm += a * a;
    expected_norm += e * e;
    if (i % row == 0 || a > element(actual, actual_top)) actual_top = i;
    if (i % row == 0 || e > element(expected, expected_top)) expected_top = i;
    if (i % row == row - 1 && actual_top != expected_top) d.same_top = false;
  }
  double norms = std::sqrt(actual_norm) * std::sqrt(expected_norm);
  d.cosine = norms > 0 ? dot / norms : (actual_norm == expected_norm ? 1 : 0);
  return d;
}

struct Row {
  std::string name;
  Difference difference;
  bool passed = false;
};

Result<std::map<std::string, HostTensor>> expected_from_files(const Arguments& arguments) {
  std::map<std::string, HostTensor> expected;
  for (const std::string& text : arguments.all("--expect")) {
    auto parts = text.ends_with(".npz") ? std::nullopt : split_assignment(text);
    Result<std::vector<NamedTensor>> tensors = read_tensor_file(parts ? parts->second : text);
    if (!tensors) return tensors.error();
    for (NamedTensor& t : *tensors) expected[parts ? parts->first : t.name] = std::move(t.tensor);
  }
  return expected;
}

Result<std::map<std::string, HostTensor>> expected_from_reference(const Model& model, const ProgramOptions& options,
                                                                  std::vector<HostTensor>& inputs) {
  DeviceOptions cpu;
  cpu.selector = "cpu";
  cpu.allow_software = true;
  Result<Device> device = Device::open(cpu);
  if (!device) return device.error();
  Result<Program> program = Program::create(*device, model, options);
  end_progress();
  if (!program) return program.error();
  Result<std::vector<NamedTensor>> outputs = execute(*program, model, inputs);
  if (!outputs) return outputs.error();
  std::map<std::string, HostTensor> expected;
  for (NamedTensor& t : *outputs) expected[t.name] = std::move(t.tensor);
  return expected;
}

void print_rows(const std::vector<Row>& rows, const std::vector<NamedTensor>& outputs,
                const std::map<std::string, HostTensor>& expected) {
  for (size_t i = 0; i < rows.size(); ++i) {
    const Difference& d = rows[i].difference;
    std::printf("%s %s: max abs %.3g, max rel %.3g, cosine %.9f, top-1 %s, bits %s\n", rows[i].passed ? "ok  " : "FAIL",
                rows[i].name.c_str(), d.max_abs, d.max_rel, d.cosine, d.same_top ? "same" : "differs",
                d.same_bits ? "same" : "differ");
    if (rows[i].passed) continue;
    std::printf("     %llu of %llu elements are beyond the tolerance; the worst is element %llu: %.9g instead of %.9g\n",
                static_cast<unsigned long long>(d.beyond), static_cast<unsigned long long>(d.count),
                static_cast<unsigned long long>(d.worst), element(outputs[i].tensor, d.worst),
                element(expected.at(rows[i].name), d.worst));
  }
}

std::string as_json(const std::vector<Row>& rows, bool passed) {
  Json json;
  json.open('{').key("passed").boolean(passed).key("outputs").open('[');
  for (const Row& row : rows) {
    const Difference& d = row.difference;
    json.open('{');
    json.key("name").string(row.name).key("passed").boolean(row.passed);
    json.key("max_abs").real(d.max_abs).key("max_rel").real(d.max_rel).key("cosine").real(d.cosine);
    json.key("same_top1").boolean(d.same_top).key("same_bits").boolean(d.same_bits);
    json.key("beyond_tolerance").integer(static_cast<int64_t>(d.beyond)).key("elements").integer(static_cast<int64_t>(d.count));
    json.close('}');
  }
  json.close(']').close('}');
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
  Result<std::vector<NamedTensor>> outputs = execute(*program, *model, *inputs);
  if (!outputs) return exit_for(outputs.error());

  bool from_files = arguments.has("--expect");
  Result<std::map<std::string, HostTensor>> expected =
      from_files ? expected_from_files(arguments) : expected_from_reference(*model, *options, *inputs);
  if (!expected) return exit_for(expected.error());
  // Exact mode promises the reference's bits; files may come from any engine.
  bool want_bits = arguments.has("--bits") || (arguments.has("--exact") && !from_files);
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
    Row row{output.name, compare(output.tensor, found->second, *rtol, *atol)};
    row.passed = want_bits ? row.difference.same_bits : row.difference.beyond == 0;
    passed = passed && row.passed;
    rows.push_back(std::move(row));
  }
  if (arguments.has("--json"))
    std::printf("%s\n", as_json(rows, passed).c_str());
  else
    print_rows(rows, *outputs, *expected);
  return passed ? kExitOk : kExitCheckFailed;
}

}  // namespace

const Verb kVerifyVerb = {
    "verify",
    "MODEL.onnx -i inputs.npz [--expect outputs.npz] [options]",
    "compare a model's outputs with known ones or with the CPU reference",
    "  tuff verify model.onnx -i inputs.npz --expect outputs.npz\n"
    "  tuff verify model.onnx --random-inputs 7 --exact\n"
    "Exit code 1 if an output is beyond the tolerance.\n",
    join({{{"--expect", nullptr, "[NAME=]FILE", "known outputs, .npy or .npz (repeatable); default: the CPU reference"},
           {"--rtol", nullptr, "X", "allowed |a - e| <= atol + rtol*|e|; default: 1e-3"},
           {"--atol", nullptr, "X", "default: 1e-4"},
           {"--bits", nullptr, nullptr, "allow no difference at all (with --exact and without --expect: the default)"},
           {"--json", nullptr, nullptr, "one JSON object"}},
          input_options(),
          model_options(),
          device_options(),
          program_options()}),
    verify};

}  // namespace tuff::cli
