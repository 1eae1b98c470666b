#include "gpu_row.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>

namespace tuff::bench {
namespace {

std::string format(const char* form, double value) {
  char text[64];
  snprintf(text, sizeof text, form, value);
  return text;
}

std::string quoted(const std::string& s) {
  std::string out = "\"";
  for (char c : s) {
    if (c == '"' || c == '\\') out += '\\';
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out + '"';
}

std::string list(const std::vector<double>& values) {
  std::string out = "[";
  for (double value : values) out += (out.size() > 1 ? ", " : "") + format("%.6f", value);
  return out + "]";
}

std::string date() {
  const time_t now = time(nullptr);
  char text[32];
  strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
  return text;
}

const std::vector<double>& measured(const Row& row) { return row.by_host ? row.host_ms : row.device_ms; }

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (double value : values) sum += value;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

// How far two measurements of the same lie apart, of their mean: less is noise.
double spread(const std::vector<double>& values) {
  if (values.empty() || mean(values) == 0) return 0;
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  return (*most - *least) / mean(values);
}

// Of small sizes there is no floor.
bool has_fraction(const Row& row) { return !row.small && row.floor_ms > 0 && mean(measured(row)) > 0; }
double fraction(const Row& row) { return row.floor_ms / mean(measured(row)); }

std::string shortened(const std::string& text, size_t most) {
  return text.size() <= most ? text : text.substr(0, most - 3) + "...";
}

std::string padded(const std::string& text, int width) {
  char out[256];
  snprintf(out, sizeof out, "%*s", width, text.c_str());
  return out;
}

}  // namespace

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

std::string json_line(const Row& row) {
  std::string kernels;
  for (const Kernel& k : row.kernels) {
    kernels += std::string(kernels.empty() ? "" : ", ") + "{\"name\": " + quoted(k.name) +
               ", \"schedule\": " + quoted(k.schedule) + ", \"ms\": " + format("%.6f", k.ms) + "}";
  }
  std::string out = "{\"date\": " + quoted(date());
  auto text = [&](const char* name, const std::string& value) { out += std::string(", \"") + name + "\": " + quoted(value); };
  auto raw = [&](const char* name, const std::string& value) { out += std::string(", \"") + name + "\": " + value; };
  text("device", row.device);
  text("driver", row.driver);
  text("commit", row.commit);
  text("command", row.command);
  text("engine", row.engine);
  text("workload", row.workload);
  text("what", row.what);
  raw("seed", std::to_string(row.seed));
  text("sizes", row.small ? "small" : "full");
  text("status", row.status);
  text("why", row.why);
  if (row.status == "right") raw("bound_share", format("%.3g", row.bound_share));
  if (row.status == "right") raw("error", format("%.3g", row.error));
  if (measured(row).empty()) return out + "}";
  text("clock", row.clock);
  raw("runs", std::to_string(row.run_count));
  raw("device_ms", list(row.device_ms));
  raw("host_ms", list(row.host_ms));
  raw("spread", format("%.4f", spread(measured(row))));
  if (has_fraction(row)) raw("floor_ms", format("%.4f", row.floor_ms));
  if (has_fraction(row)) raw("fraction_of_floor", format("%.4f", fraction(row)));
  if (row.dispatch_count == 0) return out + "}";
  raw("dispatches", std::to_string(row.dispatch_count));
  return out + ", \"kernels\": [" + kernels + "]}";
}

std::string table_head() {
  return "workload      engine            device ms    host ms  spread  floor ms  of floor  dispatches";
}

std::string table_row(const Row& row) {
  std::string out = row.workload;
  out.resize(14, ' ');
  out += row.engine;
  out.resize(30, ' ');
  if (row.status == "right")
    return out + " right: " + format("%.2g", row.bound_share) + " of the bounds, error " + format("%.2g", row.error);
  if (row.status != "ok") return out + " " + row.status + ": " + shortened(row.why, 90);
  out += padded(format("%.4f", mean(row.device_ms)), 11) + padded(format("%.4f", mean(row.host_ms)), 11);
  out += padded(format("%.1f%%", 100 * spread(measured(row))), 8);
  out += padded(has_fraction(row) ? format("%.3f", row.floor_ms) : "-", 10);
  out += padded(has_fraction(row) ? format("%.0f%%", 100 * fraction(row)) : "-", 10);
  out += padded(row.dispatch_count > 0 ? std::to_string(row.dispatch_count) : "-", 12);
  return out + (row.by_host ? "  of floor: by the host" : "");
}

}  // namespace tuff::bench
