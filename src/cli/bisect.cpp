#include "cli/bisect.h"

#include "cli/execute.h"
#include "cli/terminal.h"

namespace tuff::cli {

Result<std::map<std::string, HostTensor>> reference_outputs(const Model& model, const ProgramOptions& options,
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

namespace {

// The value as the only output, on the device against the reference.
Result<Difference> difference_of(const std::string& value, const Arguments& arguments, const Device& device,
                                 const ProgramOptions& options, std::vector<HostTensor>& inputs, const Tolerance& tolerance) {
  Result<Model> model = open_model(arguments, {value});
  if (!model) return model.error();
  Result<std::map<std::string, HostTensor>> expected = reference_outputs(*model, options, inputs);
  if (!expected) return expected.error();
  Result<Program> program = Program::create(device, *model, options);
  end_progress();
  if (!program) return program.error();
  Result<std::vector<NamedTensor>> outputs = execute(*program, *model, inputs);
  if (!outputs) return outputs.error();
  return compare(outputs->front().tensor, expected->at(value), tolerance);
}

}  // namespace

Result<std::optional<FirstBeyond>> first_beyond(const Arguments& arguments, const Device& device, const ProgramOptions& options,
                                                std::vector<HostTensor>& inputs, const Tolerance& tolerance) {
  Result<Model> model = open_model(arguments, {});
  if (!model) return model.error();
  const std::vector<ModelValue> values = model->values();
  std::optional<FirstBeyond> first;
  size_t good = 0, bad = values.size();  // values before `good` are within; `bad`, if it is one, is beyond
  while (good < bad) {
    const size_t middle = good + (bad - good) / 2;
    Result<Difference> d = difference_of(values[middle].name, arguments, device, options, inputs, tolerance);
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

}  // namespace tuff::cli
