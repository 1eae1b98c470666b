#include "model/onnx/value_table.h"

#include <cstring>

#include "base/checked.h"
#include "model/onnx/four_bits.h"

namespace tuff::onnx {
namespace {

// Sizes are expressions; what a hostile model can make of them is bounded by the number of their terms.
constexpr int kSizeTermLimit = 500;
constexpr int64_t kProductTermLimit = 4096;

// Counts the terms of an expression and of those inside it, up to the limit.
void count_terms(const IntExpr& e, int& count) {
  for (const auto& term : e.terms()) {
    if (++count > kSizeTermLimit) return;
    for (const auto& atom : term.atoms) {
      if (++count > kSizeTermLimit) return;
      if (atom->kind == AtomKind::kSymbol) continue;
      count_terms(atom->a, count);
      count_terms(atom->b, count);
    }
  }
}

Status check_type(const ValueType& type) {
  if (type.shape.size() > kRankLimit)
    return limit_exceeded("a value has " + std::to_string(type.shape.size()) + " axes; the limit is " +
                          std::to_string(kRankLimit) + ".");
  std::optional<int64_t> size_bytes = dtype_size_bytes(type.dtype);
  int64_t product_terms = 1;
  for (const IntExpr& d : type.shape) {
    int terms = 0;
    count_terms(d, terms);
    product_terms *= std::max<int64_t>(1, static_cast<int64_t>(d.terms().size()));
    if (d.has_overflowed()) return limit_exceeded("a size of a value is beyond 64 bits.");
    if (terms > kSizeTermLimit || product_terms > kProductTermLimit)
      return limit_exceeded("the sizes of a value have become expressions of too many terms.");
    if (d.is_constant() && size_bytes) size_bytes = checked_multiply(*size_bytes, std::max<int64_t>(d.constant(), 1));
  }
  // Symbols count as 1 here; bind() of the plan checks them when they are known.
  if (!size_bytes || *size_bytes > (int64_t{1} << 60))
    return limit_exceeded("a value of shape " + dims_text(type.shape) + " has more than 2^60 bytes.");
  return ok_status();
}

}  // namespace

bool ValueTable::has_one_declared_size(std::string_view a, std::string_view b, size_t axis) const {
  const auto first = declared_.find(a), second = declared_.find(b);
  if (first == declared_.end() || second == declared_.end()) return false;
  const std::vector<Dimension>&ours = first->second->dims, &others = second->second->dims;
  if (axis >= ours.size() || axis >= others.size() || ours[axis].kind != others[axis].kind) return false;
  switch (ours[axis].kind) {
    case Dimension::Kind::kValue: return ours[axis].value == others[axis].value;
    case Dimension::Kind::kParam: return ours[axis].param == others[axis].param;
    case Dimension::Kind::kUnknown: return false;
  }
  return false;
}

Status ValueTable::insert(std::string_view name, Binding binding) {
  TUFF_TRY(check_type(binding.type));
  if (!bindings_.emplace(name, std::move(binding)).second)
    return invalid_argument("the name '" + std::string(name) + "' is given to two values.");
  return ok_status();
}

Status ValueTable::bind(std::string_view name, ValueId value) {
  Binding b;
  b.type = {builder_.dtype(value), builder_.shape(value)};
  b.value = value;
  if (builder_.value(value).name.empty()) builder_.name_value(value, std::string(name));
  return insert(name, std::move(b));
}

Status ValueTable::bind(std::string_view name, const TensorProto& tensor, std::string origin) {
  Binding b;
  TUFF_ASSIGN(b.type, tensor_type(tensor));
  b.tensor = &tensor;
  b.origin = std::move(origin);
  return insert(name, std::move(b));
}

Status ValueTable::bind(std::string_view name, SymbolicTensor known, std::string origin) {
  Binding b;
  b.type.dtype = known.dtype;
  for (int64_t d : known.shape) b.type.shape.push_back(IntExpr(d));
  for (const Element& e : known.elements) {
    if (e.numerator.has_overflowed() || e.denominator.has_overflowed())
      return limit_exceeded("an integer that it computes is beyond 64 bits.");
    int terms = 0;
    count_terms(e.numerator, terms);
    count_terms(e.denominator, terms);
    if (terms > kSizeTermLimit)
      return limit_exceeded("an integer that it computes has become an expression of too many terms.");
  }
  b.known = std::make_shared<SymbolicTensor>(std::move(known));
  b.known_tried = true;
  b.origin = std::move(origin);
  return insert(name, std::move(b));
}

Result<ValueId> ValueTable::value(std::string_view name) {
  Binding& b = bindings_.at(name);
  if (b.value.valid()) return b.value;
  std::vector<std::string> origins = builder_.origins();
  builder_.set_origins({b.origin});
  Result<ValueId> made = [&]() -> Result<ValueId> {
    if (!b.tensor) return materialize(*b.known);
    if (has_four_bits(name)) return materialize_four_bits(*b.tensor, b.type.shape);
    TUFF_ASSIGN(ConstantAttrs constant, loader_.load(*b.tensor));
    return builder_.add(std::move(constant), {});
  }();
  builder_.set_origins(std::move(origins));
  if (!made.ok()) return made;
  b.value = *made;
  if (builder_.value(b.value).name.empty()) builder_.name_value(b.value, std::string(name));
  return b.value;
}

bool ValueTable::has_four_bits(std::string_view name) const {
  const TensorProto* tensor = bindings_.at(name).tensor;
  return tensor && is_four_bits(tensor->data_type);
}

// The graph has the bytes; what reads an element takes its half.
Result<ValueId> ValueTable::materialize_four_bits(const TensorProto& tensor, const Dims& shape) {
  TUFF_ASSIGN(ConstantAttrs bytes, loader_.load_four_bits(tensor));
  Composition composition(builder_);
  Tensor elements = unpack_four_bits(composition.add(std::move(bytes), {}));
  elements = reshape(slice(elements, 0, IntExpr(0), product(shape)), shape);
  TUFF_TRY(composition.status());
  return elements.id();
}

Result<ValueId> ValueTable::materialize(const SymbolicTensor& known) {
  Dims shape;
  for (int64_t d : known.shape) shape.push_back(IntExpr(d));
  if (known.is_constant()) {
    std::vector<uint64_t> bits = constant_bits(known);
    ConstantAttrs constant;
    constant.dtype = known.dtype;
    constant.shape = std::move(shape);
    if (bits.size() == 1) {
      constant.data.kind = ConstantData::Kind::kSplat;
      constant.data.bits = bits[0];
    } else {
      size_t width = static_cast<size_t>(dtype_size_bytes(known.dtype));
      auto storage = std::make_shared<std::string>();
      for (uint64_t b : bits) storage->append(reinterpret_cast<const char*>(&b), width);
      constant.data.bytes = bytes_from_string(std::move(storage));
    }
    return builder_.add(std::move(constant), {});
  }
  std::vector<ValueId> parts;
  for (const Element& e : known.elements) {
    TUFF_ASSIGN(ValueId part, builder_.add(DimensionAttrs{known.dtype, e.numerator}, {}));
    if (!e.is_integer()) {
      TUFF_ASSIGN(ValueId denominator, builder_.add(DimensionAttrs{known.dtype, e.denominator}, {}));
      TUFF_ASSIGN(part, builder_.map(MapOp::div, {part, denominator}));
    }
    TUFF_ASSIGN(part, builder_.reshape(part, {IntExpr(1)}));
    parts.push_back(part);
  }
  ValueId joined = parts.front();
  if (parts.size() > 1) {
    TUFF_ASSIGN(joined, builder_.add(ConcatAttrs{0}, std::move(parts)));
  }
  return builder_.reshape(joined, std::move(shape));
}

const SymbolicTensor* ValueTable::known(std::string_view name) {
  Binding& b = bindings_.at(name);
  if (!b.known_tried) {
    b.known_tried = true;
    IntExpr count = product(b.type.shape);
    if (b.tensor && !has_four_bits(name) && count.is_constant() && count.constant() <= kSymbolicElementLimit) {
      auto constant = loader_.load(*b.tensor);
      if (constant.ok()) {
        if (auto known = symbolic_from_constant(*constant)) b.known = std::make_shared<SymbolicTensor>(std::move(*known));
      }
    }
  }
  return b.known.get();
}

Result<std::optional<ConstantAttrs>> ValueTable::constant(std::string_view name) {
  const Binding& b = bindings_.at(name);
  if (b.tensor && !has_four_bits(name)) {
    TUFF_ASSIGN(ConstantAttrs constant, loader_.load(*b.tensor));
    return std::optional<ConstantAttrs>(std::move(constant));
  }
  if (b.value.valid()) {
    if (const auto* constant = builder_.graph().producer_as<ConstantAttrs>(b.value))
      return std::optional<ConstantAttrs>(*constant);
  }
  return std::optional<ConstantAttrs>();
}

}  // namespace tuff::onnx
