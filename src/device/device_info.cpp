#include "device/device_info.h"

#include <algorithm>
#include <charconv>

#include "base/lexer.h"
#include "device/fields.h"
#include "device/quirks.h"

namespace tuff {
namespace {

std::string real_text(double v) {
  char text[64];
  const auto end = std::to_chars(text, text + sizeof text, v).ptr;  // the shortest that reads back the same
  return std::string(text, end);
}

std::string hex_text(uint64_t v) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, v, 16).ptr;
  return "0x" + std::string(text, end);
}

// Visits fields as lines of the text.
struct Lines {
  std::vector<std::string> lines;

  void line(std::string_view name, const std::string& value) { lines.push_back(std::string(name) + " " + value); }
  void text(std::string_view name, const std::string& v) { line(name, quote(v)); }
  void kind(std::string_view name, DeviceKind v) { line(name, std::string(device_kind_name(v))); }
  void integer(std::string_view name, int64_t v, int64_t, int64_t) {
    const bool is_id = name == "vendor_id" || name == "device_id";  // known by their hexadecimal digits
    line(name, std::to_string(v) + (is_id ? "  # " + hex_text(static_cast<uint64_t>(v)) : ""));
  }
  void alignment(std::string_view name, int64_t v) { line(name, std::to_string(v)); }
  void real(std::string_view name, double v, double) { line(name, real_text(v)); }
  void boolean(std::string_view name, bool v) { line(name, v ? "true" : "false"); }
  void triple(std::string_view name, const std::array<int64_t, 3>& v, int64_t) {
    line(name, std::to_string(v[0]) + " " + std::to_string(v[1]) + " " + std::to_string(v[2]));
  }
  void matrices(std::string_view name, const std::vector<MatrixShape>& shapes) {
    for (const MatrixShape& s : shapes)
      line(name, std::to_string(s.m) + " " + std::to_string(s.n) + " " + std::to_string(s.k) + " " + s.a + " " + s.b + " " +
                     s.c + " " + s.result);
  }
};

struct FieldHasher {
  Hasher hasher;
  void text(std::string_view, const std::string& v) { hasher.text(v); }
  void kind(std::string_view, DeviceKind v) { hasher.number(static_cast<uint64_t>(v)); }
  void integer(std::string_view, int64_t v, int64_t, int64_t) { hasher.number(static_cast<uint64_t>(v)); }
  void alignment(std::string_view, int64_t v) { hasher.number(static_cast<uint64_t>(v)); }
  void real(std::string_view, double v, double) { hasher.text(real_text(v)); }
  void boolean(std::string_view, bool v) { hasher.number(v); }
  void triple(std::string_view, const std::array<int64_t, 3>& v, int64_t) {
    for (int64_t x : v) hasher.number(static_cast<uint64_t>(x));
  }
  void matrices(std::string_view, const std::vector<MatrixShape>& shapes) {
    hasher.number(shapes.size());
    for (const MatrixShape& s : shapes) hasher.number(s.m).number(s.n).number(s.k).text(s.a).text(s.b).text(s.c).text(s.result);
  }
};

}  // namespace

std::string_view device_kind_name(DeviceKind kind) {
  constexpr std::string_view kNames[] = {"other", "integrated", "discrete", "virtual", "software"};
  return kNames[static_cast<int>(kind)];
}

int64_t usable_texel_buffers(const DeviceInfo& info) {
  const bool reaches = info.max_texel_buffer_elements >= info.max_storage_buffer_bytes / 4;
  return info.rates.texel_loads && reaches ? info.max_texel_buffers : 0;
}

bool keeps_denormal_halves(const DeviceInfo& info) {
  return info.denorm_preserve_f16 || has_quirk(info, Quirk::llvmpipe_keeps_halves);
}

int64_t buffer_offset_alignment(const DeviceInfo& info) {
  return usable_texel_buffers(info) > 0 ? std::max(info.storage_offset_alignment, info.texel_offset_alignment)
                                        : info.storage_offset_alignment;
}

std::string print(const DeviceInfo& info) {
  Lines fields;
  visit_fields(info, fields);
  std::string text;
  for (const std::string& line : fields.lines) text += line + "\n";

  const DeviceRates defaults = default_rates(info);
  Lines rates, default_lines;
  visit_rates(info.rates, rates);
  visit_rates(defaults, default_lines);
  for (size_t i = 0; i < rates.lines.size(); ++i)
    if (rates.lines[i] != default_lines.lines[i]) text += "rates." + rates.lines[i] + "\n";
  return text;
}

Hash hash(const DeviceInfo& info) {
  FieldHasher fields;
  visit_fields(info, fields);
  visit_rates(info.rates, fields);
  return fields.hasher.finish();
}

}  // namespace tuff
