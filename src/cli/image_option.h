// --input-image and --output-image: what is said of a tensor that is pixels.
#pragma once

#include <optional>
#include <string>

#include "tuff/tuff.hpp"

namespace tuff::cli {

inline constexpr const char* kImageSyntax = "NAME=rgb[,key=value...]";

// "NAME=rgb,size=640x480,crop=10:0:620x480,turn=6,resize=linear,rows=256,yuv=bt709-full,mean=103:116:123,scale=0.017"; nothing
// for a text of another form.
std::optional<Image> parse_image(const std::string& text, tuff_direction_t direction);

}  // namespace tuff::cli
