// The files of shaders/ as text, compiled into the library.
#pragma once

#include <span>
#include <string_view>

namespace tuff {

struct ShaderText {
  std::string_view path;  // relative to shaders/
  std::string_view text;
};

std::span<const ShaderText> shader_texts();

}  // namespace tuff
