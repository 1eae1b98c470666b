// Arithmetic on single known elements. nullopt: the result cannot be said for every size, or would overflow.
#pragma once

#include <optional>

#include "model/onnx/symbolic_tensor.h"

namespace tuff::onnx {

using MaybeElement = std::optional<Element>;

MaybeElement add(const Element& a, const Element& b);
MaybeElement subtract(const Element& a, const Element& b);
MaybeElement multiply(const Element& a, const Element& b);
MaybeElement divide_integers(const Element& a, const Element& b);  // truncates
MaybeElement divide_reals(const Element& a, const Element& b);
MaybeElement modulo(const Element& a, const Element& b, bool sign_of_dividend);
MaybeElement smaller(const Element& a, const Element& b);
MaybeElement larger(const Element& a, const Element& b);
MaybeElement floor(const Element& a);
MaybeElement ceil(const Element& a);
MaybeElement truncate(const Element& a);
MaybeElement absolute(const Element& a);
// Comparisons give 0 or 1.
MaybeElement equal(const Element& a, const Element& b);
MaybeElement less(const Element& a, const Element& b);
MaybeElement less_equal(const Element& a, const Element& b);

}  // namespace tuff::onnx
