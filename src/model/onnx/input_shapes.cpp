#include "model/onnx/input_shapes.h"

#include <cctype>

#include "model/onnx/tensor_data.h"

namespace tuff::onnx {
namespace {

// A dimension of which the file says nothing is named after its input and axis.
std::string unknown_name(const ValueInfoProto& input, size_t axis) {
  return std::string(input.name) + "_" + std::to_string(axis);
}

}  // namespace

Status InputShapes::read_overrides(const std::vector<const ValueInfoProto*>& inputs) {
  std::set<std::string_view> known;
  std::set<std::string> dimensions;
  for (const ValueInfoProto* input : inputs) {
    known.insert(input->name);
    for (size_t i = 0; i < input->dims.size(); ++i) {
      const Dimension& d = input->dims[i];
      if (d.kind == Dimension::Kind::kParam) dimensions.insert(std::string(d.param));
      if (d.kind == Dimension::Kind::kUnknown) dimensions.insert(unknown_name(*input, i));
    }
    auto given = options_.input_shapes.find(std::string(input->name));
    if (given == options_.input_shapes.end()) continue;
    const Dims& shape = given->second;
    if (input->has_shape && input->dims.size() != shape.size())
      return invalid_argument("The shape " + dims_text(shape) + " for the input '" + std::string(input->name) + "' has " +
                              std::to_string(shape.size()) + " axes; the model has " + std::to_string(input->dims.size()) +
                              ".");
    for (size_t i = 0; i < shape.size(); ++i) {
      if (shape[i].interval().low < 0)
        return invalid_argument("The input '" + std::string(input->name) + "' cannot have the size " + shape[i].text() + ".");
      for (const Symbol& s : shape[i].symbols()) {
        identifiers_.insert(s.name);
        builder_.symbol(s);
      }
      if (!input->has_shape || input->dims[i].kind != Dimension::Kind::kParam) continue;
      auto [bound, fresh] = sizes_.emplace(std::string(input->dims[i].param), shape[i]);
      if (!fresh && !(bound->second == shape[i]))
        return invalid_argument("The dimension '" + bound->first + "' is given the sizes " + bound->second.text() + " and " +
                                shape[i].text() + ".");
    }
  }
  for (const auto& [name, shape] : options_.input_shapes)
    if (known.count(name) == 0)
      return invalid_argument("The model has no input '" + name + "' that a shape could be given for.");
  for (const auto& [name, symbol] : options_.symbols)
    if (dimensions.count(name) == 0)
      return invalid_argument("The inputs have no dimension '" + name + "' that a range could be given for.");
  return ok_status();
}

Result<Dims> InputShapes::shape(const ValueInfoProto& input) {
  std::string name(input.name);
  if (auto given = options_.input_shapes.find(name); given != options_.input_shapes.end()) return given->second;
  if (!input.has_shape)
    return unsupported("The input '" + name + "' has no shape in the file; give one for it when loading the model.");
  if (input.dims.size() > kRankLimit)
    return limit_exceeded("The input '" + name + "' has " + std::to_string(input.dims.size()) + " axes; the limit is " +
                          std::to_string(kRankLimit) + ".");
  Dims shape;
  for (size_t i = 0; i < input.dims.size(); ++i) {
    const Dimension& d = input.dims[i];
    switch (d.kind) {
      case Dimension::Kind::kValue:
        if (d.value < 0)
          return invalid_argument("The input '" + name + "' has the size " + std::to_string(d.value) + " in axis " +
                                  std::to_string(i) + "; an unknown size must have a name or nothing.");
        if (d.value > Symbol::kMax)
          return limit_exceeded("The input '" + name + "' has the size " + std::to_string(d.value) + " in axis " +
                                std::to_string(i) + "; the limit is " + std::to_string(Symbol::kMax) + ".");
        shape.push_back(IntExpr(d.value));
        break;
      case Dimension::Kind::kParam:
      case Dimension::Kind::kUnknown: {
        bool is_named = d.kind == Dimension::Kind::kParam;
        TUFF_ASSIGN(IntExpr size, named(is_named ? std::string(d.param) : unknown_name(input, i)));
        shape.push_back(std::move(size));
        break;
      }
    }
  }
  return shape;
}

Result<IntExpr> InputShapes::named(const std::string& name) {
  constexpr size_t kSymbolLimit = 1000;
  if (auto known = sizes_.find(name); known != sizes_.end()) return known->second;
  Symbol s;
  if (auto given = options_.symbols.find(name); given != options_.symbols.end()) s = given->second;
  if (s.min < 0 || s.max > Symbol::kMax || s.divisor < 1 || s.max / s.divisor * s.divisor < s.min || s.extent)
    return invalid_argument("The dimension '" + name + "' is given the range " + std::to_string(s.min) + " to " +
                            std::to_string(s.max) + " in steps of " + std::to_string(s.divisor) + ".");
  if (sizes_.size() >= kSymbolLimit)
    return limit_exceeded("The inputs have more than " + std::to_string(kSymbolLimit) + " different unknown sizes.");
  s.name = identifier(name);
  IntExpr size = s.min == s.max ? IntExpr(s.min) : builder_.symbol(s);
  sizes_.emplace(name, size);
  return size;
}

// Letters, digits and underscores, unlike every other symbol and the words of expressions.
std::string InputShapes::identifier(const std::string& name) {
  std::string out;
  for (char c : name) out += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  if (out.empty() || std::isdigit(static_cast<unsigned char>(out[0]))) out.insert(out.begin(), '_');
  for (std::string_view word : {"floor", "mod", "min", "max"})
    if (out == word) out += '_';
  std::string unique = out;
  for (int i = 2; !identifiers_.insert(unique).second; ++i) unique = out + "_" + std::to_string(i);
  return unique;
}

}  // namespace tuff::onnx
