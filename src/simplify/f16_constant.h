// A f32 constant in f16.
#pragma once

#include <optional>

#include "graph/builder.h"

namespace tuff {

// nullopt where a finite number of it is beyond f16.
Result<std::optional<ValueId>> add_f16_constant(GraphBuilder& dst, const ConstantAttrs& constant);

}  // namespace tuff
