#include "model/onnx/attributes.h"

namespace tuff::onnx {

const AttributeProto* Attributes::find(std::string_view name) const {
  for (const AttributeProto& a : node_.attributes)
    if (a.name == name) return &a;
  return nullptr;
}

const AttributeProto* Attributes::find(std::string_view name, AttributeProto::Type type, std::string_view type_name) {
  const AttributeProto* a = find(name);
  if (!a) return nullptr;
  bool matches = a->type == type;
  // Files from before the type was written: the field that is set says it.
  if (a->type == AttributeProto::kUndefinedAttribute) matches = true;
  if (matches && type == AttributeProto::kTensor) matches = !a->t.empty();
  if (matches) return a;
  if (status_.ok())
    status_ = invalid_argument("the attribute '" + std::string(name) + "' is not " + std::string(type_name) + ".");
  return nullptr;
}

int64_t Attributes::integer(std::string_view name, int64_t fallback) {
  const AttributeProto* a = find(name, AttributeProto::kInteger, "an integer");
  return a ? a->i : fallback;
}

float Attributes::real(std::string_view name, float fallback) {
  const AttributeProto* a = find(name, AttributeProto::kReal, "a number");
  return a ? a->f : fallback;
}

std::string_view Attributes::text(std::string_view name, std::string_view fallback) {
  const AttributeProto* a = find(name, AttributeProto::kText, "a string");
  return a ? a->s : fallback;
}

std::vector<int64_t> Attributes::integers(std::string_view name, std::vector<int64_t> fallback) {
  const AttributeProto* a = find(name, AttributeProto::kIntegers, "a list of integers");
  return a ? a->ints : fallback;
}

std::vector<float> Attributes::reals(std::string_view name, std::vector<float> fallback) {
  const AttributeProto* a = find(name, AttributeProto::kReals, "a list of numbers");
  return a ? a->floats : fallback;
}

const TensorProto* Attributes::tensor(std::string_view name) {
  const AttributeProto* a = find(name, AttributeProto::kTensor, "a tensor");
  return a ? &a->t.front() : nullptr;
}

}  // namespace tuff::onnx
