// A graph with every primitive, every kind of constant and symbolic sizes: what print, parse and verify are tried on.
#pragma once

#include "graph/builder.h"

namespace tuff {

Result<Graph> every_primitive();

}  // namespace tuff
