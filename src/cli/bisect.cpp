#include "cli/bisect.h"

#include "cli/execute.h"
#include "cli/made_program.h"
#include "cli/terminal.h"

namespace tuff::cli {

namespace {

Result<Program> reference_program(const Arguments& arguments, const Model& model) {
  DeviceOptions cpu;
  cpu.selector = "cpu";
  cpu.allow_software = true;
  Result<Device> device = Device::open(cpu);
  if (!device) return device.error();
  Result<bool> artifact = is_artifact(arguments);
  if (!artifact) return artifact.error();
  if (*artifact) return load_artifact(arguments, *device);
  Result<ProgramOptions> options = read_program_options(arguments);
  if (!options) return options.error();
  return Program::create(*device, model, *options);
}

}  // namespace

Result<std::map<std::string, HostTensor>> reference_outputs(const Arguments& arguments, const Model& model,
                                                            std::vector<HostTensor>& inputs) {
  Result<Program> program = reference_program(arguments, model);
  end_progress();
  if (!program) return program.error();
  Result<std::vector<SymbolValue>> dims = read_dims(arguments);
  if (!dims) return dims.error();
  Result<std::vector<NamedTensor>> outputs = execute(*program, model, inputs, *dims, DataSizes::kLargest);
  if (!outputs) return outputs.error();
  std::map<std::string, HostTensor> expected;
  for (NamedTensor& t : *outputs) expected[t.name] = std::move(t.tensor);
  return expected;
}

namespace {

struct DeviceRun {
  Program program;
  std::vector<SymbolValue> dims;
  std::vector<NamedTensor> outputs;
};

// The model compiled for the device as the options say, and run once.
Result<DeviceRun> run_on_device(const Arguments& arguments, const Device& device, const Model& model,
                                std::vector<HostTensor>& inputs) {
  Result<ProgramOptions> options = read_program_options(arguments);
  if (!options) return options.error();
  Result<std::vector<SymbolValue>> dims = read_dims(arguments);
  if (!dims) return dims.error();
  Result<Program> program = Program::create(device, model, *options);
  end_progress();
  if (!program) return program.error();
  Result<std::vector<NamedTensor>> outputs = execute(*program, model, inputs, *dims, DataSizes::kLargest);
  if (!outputs) return outputs.error();
  return DeviceRun{std::move(*program), std::move(*dims), std::move(*outputs)};
}

// The value as the only output, on the device against the reference.
Result<Difference> difference_of(const std::string& value, const Arguments& arguments, const Device& device,
                                 std::vector<HostTensor>& inputs, const Tolerance& tolerance) {
  Result<Model> model = open_model(arguments, {value});
  if (!model) return model.error();
  Result<std::map<std::string, HostTensor>> expected = reference_outputs(arguments, *model, inputs);
  if (!expected) return expected.error();
  Result<DeviceRun> run = run_on_device(arguments, device, *model, inputs);
  if (!run) return run.error();
  return compare(run->outputs.front().tensor, expected->at(value), tolerance);
}

}  // namespace

Result<std::optional<FirstBeyond>> first_beyond(const Arguments& arguments, const Device& device,
                                                std::vector<HostTensor>& inputs, const Tolerance& tolerance) {
  Result<Model> model = open_model(arguments, {});
  if (!model) return model.error();
  const std::vector<ModelValue> values = model->values();
  std::optional<FirstBeyond> first;
  size_t good = 0, bad = values.size();  // values before `good` are within; `bad`, if it is one, is beyond
  while (good < bad) {
    const size_t middle = good + (bad - good) / 2;
    Result<Difference> d = difference_of(values[middle].name, arguments, device, inputs, tolerance);
    if (!d) return d.error();
    if (within(*d, tolerance)) {
      good = middle + 1;
    } else {
      bad = middle;
      first = FirstBeyond{values[middle], *d};
    }
  }
  return first;
}

Result<std::optional<BoundedValues>> bounded_values(const Arguments& arguments, const Device& device,
                                                    std::vector<HostTensor>& inputs) {
  Result<Model> whole = open_model(arguments, {});
  if (!whole) return whole.error();
  const std::vector<ModelValue> values = whole->values();
  if (values.empty()) return std::optional<BoundedValues>();
  std::vector<std::string> names;
  for (const ModelValue& value : values) names.push_back(value.name);
  Result<Model> model = open_model(arguments, std::move(names));
  if (!model) return model.error();
  Result<DeviceRun> run = run_on_device(arguments, device, *model, inputs);
  if (!run) return run.error();
  Result<std::vector<BoundShare>> shares = shares_of_bound(run->program, inputs, run->outputs, run->dims);
  if (!shares) return shares.error();
  BoundedValues found;
  found.count = values.size();
  found.worst = {values[0], (*shares)[0]};
  for (size_t i = 0; i < values.size(); ++i) {
    if ((*shares)[i].share > found.worst.share.share) found.worst = {values[i], (*shares)[i]};
    if ((*shares)[i].beyond != 0 && !found.first_beyond) found.first_beyond = ValueShare{values[i], (*shares)[i]};
  }
  return std::optional(found);
}

}  // namespace tuff::cli
