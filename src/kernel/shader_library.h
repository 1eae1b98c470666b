// The parts of shaders/lib that a kernel calls. The files are long and each kernel calls little of them; what is left out
// is neither parsed nor compiled.
#pragma once

#include <string>
#include <string_view>

namespace tuff {

// The functions of lib/numerics.glsl, lib/integer.glsl and lib/packed.glsl that `body` names, those that they call, and all
// that is no function (preprocessor lines, global declarations), in the order of the files.
std::string library_for(std::string_view body);

}  // namespace tuff
