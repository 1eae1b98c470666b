#include "model/onnx/data_axis.h"

#include <algorithm>

#include "model/onnx/attributes.h"

namespace tuff::onnx {
namespace {

// All inputs that have the axis have the same one, counted from the end; others repeat along it.
std::optional<DataAxis> of_elementwise(const std::vector<SizedInput>& inputs, const Dims& output) {
  std::optional<DataAxis> found;
  auto place = [&](const SizedInput& input, int axis) { return axis + static_cast<int>(output.size() - input.shape.size()); };
  for (const SizedInput& input : inputs) {
    if (!input.axis) continue;
    const DataAxis axis{place(input, input.axis->axis), input.axis->count};
    if (found && (found->axis != axis.axis || found->count != axis.count)) return std::nullopt;
    found = axis;
  }
  for (const SizedInput& input : inputs) {
    const int own = found->axis - place(input, 0);
    if (!input.axis && own >= 0 && own < static_cast<int>(input.shape.size()) && !input.shape[static_cast<size_t>(own)].is(1))
      return std::nullopt;
  }
  return found;
}

// The elements stay in their order: the axis is the one with as many before it, along it and after it.
std::optional<DataAxis> of_reshape(const SizedInput& input, const Dims& output) {
  auto around = [](const Dims& shape, size_t axis) {
    return std::pair(product(Dims(shape.begin(), shape.begin() + static_cast<ptrdiff_t>(axis))), shape[axis]);
  };
  const auto own = around(input.shape, static_cast<size_t>(input.axis->axis));
  for (size_t axis = 0; axis < output.size(); ++axis)
    if (around(output, axis) == own) return DataAxis{static_cast<int>(axis), input.axis->count};
  return std::nullopt;
}

std::optional<DataAxis> of_transpose(Attributes& attributes, const SizedInput& input) {
  std::vector<int64_t> perm = attributes.integers("perm");
  const int rank = static_cast<int>(input.shape.size()), axis = input.axis->axis;
  if (perm.empty()) return DataAxis{rank - 1 - axis, input.axis->count};
  auto found = std::find(perm.begin(), perm.end(), axis);
  return DataAxis{static_cast<int>(found - perm.begin()), input.axis->count};
}

// Places may be counted; the elements that they are places of may not.
std::optional<DataAxis> of_gather(Attributes& attributes, const SizedInput& data, const SizedInput& places) {
  const int rank = static_cast<int>(data.shape.size());
  int64_t axis = attributes.integer("axis", 0);
  if (axis < 0) axis += rank;
  if (!data.axis) return DataAxis{static_cast<int>(axis) + places.axis->axis, places.axis->count};
  if (places.axis || data.axis->axis == axis) return std::nullopt;
  const int added = static_cast<int>(places.shape.size()) - 1;
  return DataAxis{data.axis->axis + (data.axis->axis > axis ? added : 0), data.axis->count};
}

std::optional<DataAxis> of_gather_nd(Attributes& attributes, const SizedInput& data, const SizedInput& places) {
  if (data.axis || attributes.integer("batch_dims", 0) != 0) return std::nullopt;
  if (places.axis->axis == static_cast<int>(places.shape.size()) - 1) return std::nullopt;
  return places.axis;
}

}  // namespace

Result<DataAxis> carried_axis(const NodeProto& node, bool is_elementwise, const std::vector<SizedInput>& inputs,
                              const Dims& output) {
  Attributes attributes(node);
  const std::string_view op = node.op_type;
  std::optional<DataAxis> carried;
  if (is_elementwise)
    carried = of_elementwise(inputs, output);
  else if (op == "Gather" && inputs.size() == 2)
    carried = of_gather(attributes, inputs[0], inputs[1]);
  else if (op == "GatherND" && inputs.size() == 2)
    carried = of_gather_nd(attributes, inputs[0], inputs[1]);
  else if (op == "Transpose" && inputs[0].axis)
    carried = of_transpose(attributes, inputs[0]);
  else if ((op == "Reshape" || op == "Squeeze" || op == "Unsqueeze" || op == "Flatten") && inputs[0].axis)
    carried = of_reshape(inputs[0], output);
  if (carried) return *carried;
  return unsupported(
      "it reads a tensor whose size the data decide in a way that needs the size; elementwise operators, Gather and GatherND "
      "by "
      "such places, Transpose, Reshape, Squeeze, Unsqueeze and Flatten do not.");
}

}  // namespace tuff::onnx
