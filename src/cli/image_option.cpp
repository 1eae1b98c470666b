#include "cli/image_option.h"

#include <charconv>
#include <vector>

#include "cli/arguments.h"

namespace tuff::cli {
namespace {

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  for (size_t start = 0;;) {
    const size_t end = text.find(separator, start);
    parts.push_back(text.substr(start, end - start));
    if (end == std::string::npos) return parts;
    start = end + 1;
  }
}

// The number that a name stands for.
bool named(const std::string& name, std::initializer_list<const char*> names, int32_t* out) {
  *out = 0;
  for (const char* n : names) {
    if (name == n) return true;
    ++*out;
  }
  return false;
}

bool whole(const std::string& text, int64_t* out) {
  const std::optional<int64_t> number = parse_integer(text);
  if (number) *out = *number;
  return number.has_value();
}

// "640x480"
bool size(const std::string& text, int64_t* width, int64_t* height) {
  const std::vector<std::string> parts = split(text, 'x');
  return parts.size() == 2 && whole(parts[0], width) && whole(parts[1], height);
}

// "10:0:620x480"
bool crop(const std::string& text, tuff_image_t* image) {
  const std::vector<std::string> parts = split(text, ':');
  return parts.size() == 3 && whole(parts[0], &image->crop_x) && whole(parts[1], &image->crop_y) &&
         size(parts[2], &image->crop_width, &image->crop_height);
}

// "103:116:123" by channel, or one number for all.
bool by_channel(const std::string& text, float (&numbers)[4]) {
  const std::vector<std::string> parts = split(text, ':');
  if (parts.size() > 4) return false;
  for (size_t i = 0; i < 4; ++i) {
    const std::string& part = parts[std::min(i, parts.size() - 1)];
    const auto read = std::from_chars(part.data(), part.data() + part.size(), numbers[i]);
    if (read.ec != std::errc() || read.ptr != part.data() + part.size()) return false;
  }
  return true;
}

bool set(const std::string& key, const std::string& value, tuff_image_t* image) {
  int64_t number = 0;
  if (key == "size") return size(value, &image->width, &image->height);
  if (key == "crop") return crop(value, image);
  if (key == "resize") return named(value, {"none", "nearest", "linear"}, &image->resize);
  if (key == "yuv") return named(value, {"bt601", "bt601-full", "bt709", "bt709-full"}, &image->yuv);
  if (key == "mean") return by_channel(value, image->mean);
  if (key == "scale") return by_channel(value, image->scale);
  if (key != "turn" && key != "rows") return false;
  if (!whole(value, &number) || number < 1 || number > 65536) return false;
  if (key == "turn") image->orientation = static_cast<int32_t>(number);
  if (key == "rows") image->row_alignment = static_cast<uint32_t>(number);
  return true;
}

}  // namespace

std::optional<Image> parse_image(const std::string& text, tuff_direction_t direction) {
  const auto parts = split_assignment(text);
  if (!parts) return std::nullopt;
  Image image;
  image.tensor = parts->first;
  image.as.direction = direction;
  const std::vector<std::string> words = split(parts->second, ',');
  if (!named(words[0], {"rgb", "bgr", "rgba", "bgra", "grey", "nv12"}, &image.as.pixels)) return std::nullopt;
  for (size_t i = 1; i < words.size(); ++i) {
    const auto pair = split_assignment(words[i]);
    if (!pair || !set(pair->first, pair->second, &image.as)) return std::nullopt;
  }
  return image;
}

}  // namespace tuff::cli
