#include "cli/roofline.h"

#include <algorithm>
#include <cmath>

#include "cli/html.h"

namespace tuff::cli {
namespace {

constexpr double kWidth = 960, kHeight = 460, kLeft = 70, kRight = 24, kTop = 18, kBottom = 52;

// One axis: whole decades from `low` to `high`, as exponents of ten, over a stretch of pixels.
struct LogAxis {
  double low, high, from, to;
  double at(double value) const { return from + (std::log10(value) - low) / (high - low) * (to - from); }
};

struct Dot {
  size_t position;
  double x, y, radius;
};

bool has_dot(const ProfiledKernel& kernel) { return kernel.as.flops > 0 && kernel.as.time_ns > 0 && kernel.bytes() > 0; }

double intensity(const ProfiledKernel& kernel) {
  return static_cast<double>(kernel.as.flops) / static_cast<double>(kernel.bytes());
}

LogAxis axis_over(double least, double most, double from, double to) {
  LogAxis axis{std::floor(std::log10(least)), std::ceil(std::log10(most)), from, to};
  if (axis.high <= axis.low) axis.high = axis.low + 1;
  return axis;
}

std::string power_of_ten(double exponent) {
  if (exponent < -3 || exponent > 8) return "1e" + fixed(exponent, 0);
  if (exponent >= 6) return fixed(std::pow(10, exponent - 6), 0) + "M";
  if (exponent >= 4) return fixed(std::pow(10, exponent - 3), 0) + "k";
  return fixed(std::pow(10, exponent), exponent < 0 ? static_cast<int>(-exponent) : 0);
}

std::string line(const char* kind, double x1, double y1, double x2, double y2) {
  return "<line class=\"" + std::string(kind) + "\" x1=\"" + fixed(x1, 1) + "\" y1=\"" + fixed(y1, 1) + "\" x2=\"" +
         fixed(x2, 1) + "\" y2=\"" + fixed(y2, 1) + "\"/>\n";
}

std::string label(const char* kind, double x, double y, const std::string& text, const std::string& more = "") {
  return "<text class=\"" + std::string(kind) + "\" x=\"" + fixed(x, 1) + "\" y=\"" + fixed(y, 1) + "\"" + more + ">" + text +
         "</text>\n";
}

std::string grid(const LogAxis& x, const LogAxis& y) {
  std::string out;
  for (double e = x.low; e <= x.high; ++e) {
    const double at = x.at(std::pow(10, e));
    out += line("grid", at, y.from, at, y.to) + label("tick middle", at, y.from + 18, power_of_ten(e));
  }
  for (double e = y.low; e <= y.high; ++e) {
    const double at = y.at(std::pow(10, e));
    out += line("grid", x.from, at, x.to, at) + label("tick end", x.from - 8, at + 4, power_of_ten(e));
  }
  out += label("name middle", (x.from + x.to) / 2, y.from + 42, "arithmetic intensity, FLOP per byte");
  const double middle = (y.from + y.to) / 2;
  return out + label("name middle", 18, middle, "GFLOP/s", " transform=\"rotate(-90 18 " + fixed(middle, 1) + ")\"");
}

// The sloping roof is cut where it would leave the picture.
std::string roofs(const LogAxis& x, const LogAxis& y, double memory, double peak) {
  const double ridge = peak / memory;
  const double least_x = std::pow(10, x.low), least_y = std::pow(10, y.low);
  const double start = std::max(least_x, least_y / memory);
  const double angle =
      std::atan2((y.from - y.to) / (y.high - y.low), (x.to - x.from) / (x.high - x.low)) * 180 / std::acos(-1.0);
  std::string out = line("roof", x.at(start), y.at(start * memory), x.at(ridge), y.at(peak)) +
                    line("roof", x.at(ridge), y.at(peak), x.to, y.at(peak));
  const double middle = std::sqrt(start * ridge);
  const double mx = x.at(middle), my = y.at(middle * memory) - 8;
  out += label("rooftext middle", mx, my, "memory, " + fixed(memory, 1) + " GB/s",
               " transform=\"rotate(" + fixed(-angle, 1) + " " + fixed(mx, 1) + " " + fixed(my, 1) + ")\"");
  return out + label("rooftext end", x.to - 6, y.at(peak) - 8, "arithmetic, " + fixed(peak, 1) + " GFLOP/s");
}

// Told apart by shape as well as by colour.
std::string mark(tuff_bound_t bound, double x, double y, double r) {
  if (bound == TUFF_BOUND_ARITHMETIC)
    return "<rect x=\"" + fixed(x - 0.9 * r, 1) + "\" y=\"" + fixed(y - 0.9 * r, 1) + "\" width=\"" + fixed(1.8 * r, 1) +
           "\" height=\"" + fixed(1.8 * r, 1) + "\"/>";
  if (bound == TUFF_BOUND_LAUNCH)
    return "<path d=\"M" + fixed(x, 1) + " " + fixed(y - 1.2 * r, 1) + " l" + fixed(1.1 * r, 1) + " " + fixed(2.1 * r, 1) +
           " h" + fixed(-2.2 * r, 1) + " z\"/>";
  return "<circle cx=\"" + fixed(x, 1) + "\" cy=\"" + fixed(y, 1) + "\" r=\"" + fixed(r, 1) + "\"/>";
}

// The steps of the longest kernels, where there is room beside their dots.
std::string dot_labels(const ProfileReport& report, const std::vector<Dot>& dots) {
  constexpr size_t kMost = 12;
  std::vector<std::pair<double, double>> taken;
  std::string out;
  for (size_t i = 0; i < dots.size() && i < kMost; ++i) {
    const double x = dots[i].x + dots[i].radius + 4, y = dots[i].y + 4;
    if (x > kWidth - kRight - 20 || std::any_of(taken.begin(), taken.end(), [&](const auto& t) {
          return std::abs(t.first - x) < 24 && std::abs(t.second - y) < 13;
        }))
      continue;
    taken.emplace_back(x, y);
    out += label("step", x, y, std::to_string(report.kernels[dots[i].position].as.step));
  }
  return out;
}

}  // namespace

size_t kernels_without_dot(const ProfileReport& report) {
  return static_cast<size_t>(
      std::count_if(report.kernels.begin(), report.kernels.end(), [](const auto& kernel) { return !has_dot(kernel); }));
}

std::string roofline_svg(const ProfileReport& report) {
  const double memory = std::max(1e-3, static_cast<double>(report.info.memory_bytes_per_second) * 1e-9);
  const double peak = std::max(1e-3, static_cast<double>(report.info.flops_per_second) * 1e-9);
  double least_x = peak / memory / 4, most_x = peak / memory * 4, least_y = peak / 10, most_y = peak * 1.1, most_share = 0;
  for (const ProfiledKernel& kernel : report.kernels) {
    if (!has_dot(kernel)) continue;
    const double rate = per_ns(kernel.as.flops, kernel.as.time_ns);
    least_x = std::min(least_x, intensity(kernel) * 0.9);
    most_x = std::max(most_x, intensity(kernel) * 1.1);
    least_y = std::min(least_y, rate * 0.9);
    most_y = std::max(most_y, rate * 1.1);
    most_share = std::max(most_share, kernel.share);
  }
  const LogAxis x = axis_over(least_x, most_x, kLeft, kWidth - kRight);
  const LogAxis y = axis_over(least_y, most_y, kHeight - kBottom, kTop);
  std::vector<Dot> dots;
  for (size_t i = 0; i < report.kernels.size(); ++i) {
    const ProfiledKernel& kernel = report.kernels[i];
    if (has_dot(kernel))
      dots.push_back({i, x.at(intensity(kernel)), y.at(per_ns(kernel.as.flops, kernel.as.time_ns)),
                      4 + 9 * std::sqrt(kernel.share / most_share)});
  }
  // The small ones lie on the large ones.
  std::stable_sort(dots.begin(), dots.end(), [](const Dot& a, const Dot& b) { return a.radius > b.radius; });
  std::string out =
      "<svg viewBox=\"0 0 960 460\" role=\"img\" aria-label=\"Roofline: each kernel's rate of arithmetic over its "
      "arithmetic intensity, under the device's rates of memory and arithmetic. The table of kernels has the "
      "same figures.\">\n" +
      grid(x, y) + roofs(x, y, memory, peak);
  for (const Dot& dot : dots) {
    const ProfiledKernel& kernel = report.kernels[dot.position];
    out += "<a href=\"#kernel-" + std::to_string(dot.position) + "\" tabindex=\"-1\" class=\"dot " +
           bound_name(kernel.as.bound) + "\"><title>step " + std::to_string(kernel.as.step) + ", " + escape_html(kernel.name) +
           ": " + fixed(100 * kernel.share, 1) + "% of the time, " + fixed(per_ns(kernel.as.flops, kernel.as.time_ns), 2) +
           " GFLOP/s at " + fixed(intensity(kernel), 2) + " FLOP per byte</title>" +
           mark(kernel.as.bound, dot.x, dot.y, dot.radius) + "</a>\n";
  }
  return out + dot_labels(report, dots) + "</svg>\n";
}

}  // namespace tuff::cli
