// One element of a tensor as text, and back to the same bits: "1.5", "-7", "true", "-inf", "bits(0x7fc00001)".
#pragma once

#include <cstdint>
#include <string>

#include "base/lexer.h"
#include "graph/dtype.h"

namespace tuff {

// The shortest decimal text that reads back to the same bits; bits(0x...) where no number does (NaN payloads, bools that
// are neither 0 nor 1, integers outside of int64). The element is in the low bytes; the rest is ignored.
std::string element_text(Dtype dtype, uint64_t bits);
Result<uint64_t> parse_element(Lexer& lexer, Dtype dtype);

// The shortest text that reads back to the same double.
std::string real_text(double v);

}  // namespace tuff
