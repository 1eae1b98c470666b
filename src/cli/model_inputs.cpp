#include "cli/model_inputs.h"

#include <bit>
#include <cstring>
#include <map>
#include <optional>

#include "cli/tensor_file.h"

namespace tuff::cli {
namespace {

uint64_t next_random(uint64_t& state) {  // splitmix64
  uint64_t z = state += 0x9e3779b97f4a7c15ull;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}

template <class T>
void put(HostTensor& t, uint64_t index, T v) {
  std::memcpy(t.bytes.data() + index * sizeof(T), &v, sizeof v);
}

// A multiple of 2^-8 in [-1, 1): exact in every float dtype down to bf16.
float short_fraction(uint64_t bits) { return static_cast<float>(bits >> 55) * 0x1p-8f - 1.0f; }

// That value as f16; its nine significant bits fit.
uint16_t half_of(float v) {
  uint32_t x = std::bit_cast<uint32_t>(v);
  uint16_t sign = static_cast<uint16_t>((x >> 16) & 0x8000u);
  if ((x & 0x7fffffffu) == 0) return sign;
  return static_cast<uint16_t>(sign | (((x & 0x7fffffffu) - 0x38000000u) >> 13));
}

std::string describe(const TensorInfo& input) {
  std::string shape;
  for (size_t i = 0; i < input.shape.size(); ++i) shape += (i ? ", " : "") + input.shape[i];
  return "'" + input.name + "' " + dtype_name(input.dtype) + " [" + shape + "]";
}

Status take_file(const std::string& text, const std::vector<TensorInfo>& inputs, std::map<std::string, HostTensor>& tensors) {
  auto is_input = [&](const std::string& name) {
    for (const TensorInfo& input : inputs) {
      if (input.name == name) return true;
    }
    return false;
  };
  // The text before '=' is a name only if an input is called so: paths may hold '=' too.
  std::optional<std::string> name;
  std::string path = text;
  if (auto parts = split_assignment(text); parts && is_input(parts->first)) {
    name = parts->first;
    path = parts->second;
  } else if (parts && !holds_many(path) && !path.ends_with(".npy") && !path.ends_with(".pb")) {
    return usage("The model has no input '" + parts->first + "'.");
  }
  std::vector<std::string> names;
  for (const TensorInfo& input : inputs) names.push_back(input.name);
  Result<std::vector<NamedTensor>> found = read_tensor_file(path, "input", names);
  if (!found) return found.error();
  bool archive = holds_many(path);
  for (NamedTensor& tensor : *found) {
    std::string target = name && !archive ? *name : tensor.name;
    if (!archive && !name && !is_input(target)) {
      if (inputs.size() != 1) return usage("'" + path + "' is the name of no input; write -i NAME=" + path + ".");
      target = inputs[0].name;
    }
    if (is_input(target)) tensors[target] = std::move(tensor.tensor);
  }
  return {};
}

// Sizes of one input from --dim and from inputs that are there; nothing where one is not known.
std::optional<std::vector<int64_t>> known_shape(const TensorInfo& input, const std::map<std::string, int64_t>& dims) {
  std::vector<int64_t> shape;
  for (size_t axis = 0; axis < input.sizes.size(); ++axis) {
    auto dim = dims.find(input.shape[axis]);
    if (input.sizes[axis] >= 0)
      shape.push_back(input.sizes[axis]);
    else if (dim != dims.end())
      shape.push_back(dim->second);
    else
      return std::nullopt;
  }
  return shape;
}

}  // namespace

std::vector<Option> input_options() {
  return {{"--input", "-i", "[NAME=]FILE", "an input: .npy, .npz, .pb or a folder with input_0.pb (repeatable)"},
          {"--random-inputs", nullptr, "SEED", "fill inputs that are not given with random numbers"}};
}

void fill_random(HostTensor& tensor, uint64_t seed) {
  uint64_t state = seed, count = tensor.bytes.size() / dtype_size_bytes(tensor.dtype);
  for (uint64_t i = 0; i < count; ++i) {
    uint64_t bits = next_random(state);
    float fraction = short_fraction(bits);
    uint64_t digit = (bits >> 32) % 10;
    switch (tensor.dtype) {
      case TUFF_F32: put(tensor, i, static_cast<float>(bits >> 40) * 0x1p-23f - 1.0f); break;
      case TUFF_F64: put(tensor, i, static_cast<double>(bits >> 11) * 0x1p-52 - 1.0); break;
      case TUFF_F16: put(tensor, i, half_of(fraction)); break;
      case TUFF_BF16: put(tensor, i, static_cast<uint16_t>(std::bit_cast<uint32_t>(fraction) >> 16)); break;
      case TUFF_BOOL: put(tensor, i, static_cast<uint8_t>(bits >> 63)); break;
      default: std::memcpy(tensor.bytes.data() + i * dtype_size_bytes(tensor.dtype), &digit, dtype_size_bytes(tensor.dtype));
    }
  }
}

Result<std::vector<HostTensor>> read_inputs(const Arguments& arguments, const Model& model,
                                            const std::vector<SymbolValue>& dims, bool random_by_default) {
  std::vector<TensorInfo> inputs = model.tensors(TUFF_INPUT);
  std::map<std::string, HostTensor> tensors;
  for (const std::string& text : arguments.all("--input")) {
    if (Status status = take_file(text, inputs, tensors); !status) return status.error();
  }
  Result<int64_t> seed = arguments.integer("--random-inputs", 1, 0, INT64_MAX);
  if (!seed) return seed.error();

  std::map<std::string, int64_t> sizes;
  for (const SymbolValue& dim : dims) sizes[dim.name] = dim.value;
  for (const TensorInfo& input : inputs) {
    auto given = tensors.find(input.name);
    if (given == tensors.end() || given->second.shape.size() != input.sizes.size()) continue;
    for (size_t axis = 0; axis < input.sizes.size(); ++axis) {
      if (input.sizes[axis] < 0) sizes.emplace(input.shape[axis], given->second.shape[axis]);
    }
  }
  std::vector<HostTensor> out;
  std::string missing;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const TensorInfo& input = inputs[i];
    if (auto given = tensors.find(input.name); given != tensors.end()) {
      out.push_back(std::move(given->second));
      continue;
    }
    if (!arguments.has("--random-inputs") && !random_by_default) {
      missing += "\n  " + describe(input);
      continue;
    }
    std::optional<std::vector<int64_t>> shape = known_shape(input, sizes);
    if (!shape) return usage("The sizes of input " + describe(input) + " are not known; give them with --dim NAME=N.");
    HostTensor tensor{input.dtype, std::move(*shape), {}};
    Result<uint64_t> bytes = tensor_bytes(tensor.dtype, tensor.shape);
    if (!bytes) return bytes.error();
    tensor.bytes.resize(*bytes);
    fill_random(tensor, static_cast<uint64_t>(*seed) + i);
    out.push_back(std::move(tensor));
  }
  if (!missing.empty()) {
    return usage("Inputs are missing; give them with -i NAME=FILE.npy, or --random-inputs SEED:" + missing);
  }
  return out;
}

}  // namespace tuff::cli
