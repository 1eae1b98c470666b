// A Plan without its graph as bytes, and back. Expressions are written as their text, ids as numbers. Reading checks that
// the bytes make sense as bytes; verify() in plan.h checks that they make a plan.
#pragma once

#include "base/byte_stream.h"
#include "plan/plan.h"

namespace tuff {

// Without the kernels' GLSL: what is loaded runs the modules.
void write_plan(const Plan& plan, ByteWriter& out);
// `graph` becomes the plan's. INVALID_ARGUMENT from expressions, CORRUPT from bytes.
Result<Plan> read_plan(ByteReader& in, Graph graph);

}  // namespace tuff
