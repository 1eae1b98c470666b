// concat(x, x, input) -> concat(x, slice(x), slice(input)), and the same for graph outputs that are inputs, constants or
// outputs already: what must be stored at a place of its own becomes a value of its own.
#pragma once

#include "graph/graph.h"

namespace tuff {

Graph isolate_stored_values(Graph graph);

}  // namespace tuff
