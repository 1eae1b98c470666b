// The page of a profile. In: a report. Out: one HTML document without anything from elsewhere: the roofline, the run as a
// timeline, a table of the kernels, and of each its operators, what fusion decided and its source.
#include <algorithm>

#include "cli/html.h"
#include "cli/profile_report.h"
#include "cli/profile_style.h"
#include "cli/roofline.h"

namespace tuff::cli {
namespace {

double microseconds(uint64_t ns) { return static_cast<double>(ns) * 1e-3; }
double mebibytes(uint64_t bytes) { return static_cast<double>(bytes) / 1048576.0; }
double millions(uint64_t count) { return static_cast<double>(count) * 1e-6; }

std::string tagged(const char* tag, const std::string& text) {
  return "<" + std::string(tag) + ">" + escape_html(text) + "</" + tag + ">";
}

std::string fact(const char* name, const std::string& text) { return tagged("dt", name) + tagged("dd", text) + "\n"; }

// A number by which the table can be sorted.
std::string cell(double value, int decimals, const char* unit = "") {
  return "<td data-value=\"" + fixed(value, 9) + "\">" + fixed(value, decimals) + unit + "</td>";
}

std::string header(const ProfileReport& report) {
  const tuff_profile_info_t& info = report.info;
  std::string out = "<header>\n" + tagged("h1", "Profile of " + report.model) + "\n<dl class=\"facts\">\n";
  out += fact("Device", report.device + " (" + report.driver + ")");
  out += fact("Run", fixed(microseconds(info.run_time_ns) * 1e-3, 3) + " ms, median of " + std::to_string(info.run_count) +
                         " after " + std::to_string(report.warmup_count) + " to warm up");
  out += fact("Kernels", std::to_string(report.kernels.size()) + ", together " +
                             fixed(microseconds(info.kernels_time_ns) * 1e-3, 3) + " ms, " + clock_text(report));
  out += fact("Rates", fixed(static_cast<double>(info.memory_bytes_per_second) * 1e-9, 1) + " GB/s, " +
                           fixed(static_cast<double>(info.flops_per_second) * 1e-9, 1) + " GFLOP/s, " +
                           fixed(microseconds(info.launch_time_ns), 1) + " µs a launch: what the cost model has of the device");
  if (!report.options.empty()) out += fact("Options", report.options);
  out += fact("Tuff", report.version);
  return out + "</dl>\n</header>\n";
}

std::string key(const char* bound, const char* shape, const char* text) {
  return "<span class=\"key\"><svg viewBox=\"0 0 14 14\" aria-hidden=\"true\" class=\"" + std::string(bound) + "\">" + shape +
         "</svg>" + text + "</span>\n";
}

std::string roofline_section(const ProfileReport& report) {
  std::string out = "<section aria-labelledby=\"roofline\">\n<h2 id=\"roofline\">Roofline</h2>\n<p>";
  out += key("memory", "<circle cx=\"7\" cy=\"7\" r=\"6\"/>", "bound by memory");
  out += key("arithmetic", "<rect x=\"1\" y=\"1\" width=\"12\" height=\"12\"/>", "by arithmetic");
  out += key("launch", "<path d=\"M7 1 l6 12 h-12 z\"/>", "by the launch");
  out +=
      "</p>\n<figure>\n" + roofline_svg(report) + "<figcaption class=\"quiet\">A dot's area grows with its share of the time; ";
  out += "the longest have their step beside them. A bound is the largest term of the cost model, not a measurement.";
  if (const size_t count = kernels_without_dot(report); count > 0)
    out += " " + std::to_string(count) + " that only move data, or took no time that the clock saw, are in the table alone.";
  return out + "</figcaption>\n</figure>\n</section>\n";
}

std::string timeline_section(const ProfileReport& report) {
  std::string out = "<section aria-labelledby=\"timeline\">\n<h2 id=\"timeline\">Timeline</h2>\n";
  out += "<p class=\"quiet\">One run from left to right, kernels by their median times.</p>\n<div class=\"strip\">\n";
  for (size_t i = 0; i < report.kernels.size(); ++i) {
    const ProfiledKernel& kernel = report.kernels[i];
    const std::string step = std::to_string(kernel.as.step);
    out += "<a class=\"" + std::string(bound_name(kernel.as.bound)) +
           "\" tabindex=\"-1\" style=\"flex-grow:" + fixed(1000 * kernel.share, 3) + "\" href=\"#kernel-" + std::to_string(i) +
           "\" title=\"step " + step + ", " + escape_html(kernel.name) + ": " + fixed(microseconds(kernel.as.time_ns), 1) +
           " µs, " + fixed(100 * kernel.share, 1) + "%\">" + (kernel.share > 0.025 ? step : "") + "</a>\n";
  }
  return out + "</div>\n</section>\n";
}

std::string table_row(const ProfileReport& report, size_t position, double start_share) {
  const ProfiledKernel& kernel = report.kernels[position];
  const std::string bound = bound_name(kernel.as.bound);
  std::string out = "<tr class=\"" + bound + "\">" + cell(kernel.as.step, 0) + "<td class=\"text\"><a href=\"#kernel-" +
                    std::to_string(position) + "\">" + escape_html(kernel.name) + "</a></td><td class=\"text nodes\"><div>" +
                    escape_html(kernel.nodes) + "</div></td>";
  out += cell(microseconds(kernel.as.time_ns), 1) + cell(100 * kernel.share, 1, "%");
  out += "<td class=\"when\" data-value=\"" + fixed(start_share, 9) +
         "\"><div style=\"margin-left:" + fixed(100 * start_share, 2) + "%;width:" + fixed(100 * kernel.share, 2) +
         "%\"></div></td>";
  out += "<td class=\"bound\">" + bound + "</td>" + cell(mebibytes(kernel.bytes()), 3) + cell(millions(kernel.as.flops), 3) +
         cell(per_ns(kernel.bytes(), kernel.as.time_ns), 2) + cell(per_ns(kernel.as.flops, kernel.as.time_ns), 2) +
         cell(100 * share_of_roof(report, kernel), 0, "%") + cell(microseconds(kernel.as.predicted_time_ns), 1);
  return out + "</tr>\n";
}

std::string table_section(const ProfileReport& report) {
  std::string out =
      "<section aria-labelledby=\"table\">\n<h2 id=\"table\">Kernels</h2>\n<p class=\"quiet\">Bytes: each value once, weights "
      "among them. FLOP: 2 a multiply-add or other instruction. Of roof: the larger share of the two rates that was "
      "reached.</p>\n"
      "<div class=\"scroll\" role=\"region\" aria-labelledby=\"table\" tabindex=\"0\">\n<table id=\"kernels\">\n<thead><tr>";
  struct Column {
    const char* name;
    bool is_text;
  };
  for (const Column& column : {Column{"Step", false},
                               {"Kernel", true},
                               {"Operators", true},
                               {"µs", false},
                               {"Share", false},
                               {"When", true},
                               {"Bound", true},
                               {"MiB", false},
                               {"MFLOP", false},
                               {"GB/s", false},
                               {"GFLOP/s", false},
                               {"Of roof", false},
                               {"Predicted µs", false}})
    out += "<th scope=\"col\"" + std::string(column.is_text ? " class=\"text\"" : "") + ">" + column.name + "</th>";
  out += "</tr></thead>\n<tbody>\n";
  double start_share = 0;
  uint64_t bytes = 0, flops = 0, predicted_ns = 0;
  for (size_t i = 0; i < report.kernels.size(); ++i) {
    out += table_row(report, i, start_share);
    start_share += report.kernels[i].share;
    bytes += report.kernels[i].bytes();
    flops += report.kernels[i].as.flops;
    predicted_ns += report.kernels[i].as.predicted_time_ns;
  }
  out += "</tbody>\n<tfoot><tr><td></td><th scope=\"row\" class=\"text\">All</th><td></td>";
  out += cell(microseconds(report.time_ns), 1) + "<td></td><td></td><td></td>" + cell(mebibytes(bytes), 3) +
         cell(millions(flops), 3) + cell(per_ns(bytes, report.time_ns), 2) + cell(per_ns(flops, report.time_ns), 2) +
         "<td></td>" + cell(microseconds(predicted_ns), 1);
  return out + "</tr></tfoot>\n</table>\n</div>\n</section>\n";
}

std::string decision_list(const std::string& decisions) {
  if (decisions.empty()) return "<p class=\"quiet\">Nothing was decided about it, or it was compiled ahead.</p>\n";
  std::string out = "<ul>\n";
  for (size_t from = 0; from < decisions.size();) {
    const size_t end = std::min(decisions.find('\n', from), decisions.size());
    out += tagged("li", decisions.substr(from, end - from)) + "\n";
    from = end + 1;
  }
  return out + "</ul>\n";
}

std::string kernel_details(const ProfiledKernel& kernel, size_t position) {
  std::string out = "<details id=\"kernel-" + std::to_string(position) + "\"><summary>" + std::to_string(kernel.as.step) + " " +
                    tagged("strong", kernel.name) + " " + fixed(microseconds(kernel.as.time_ns), 1) + " µs</summary>\n" +
                    "<div class=\"inside\">\n<dl class=\"facts\">\n";
  out += fact("Operators", kernel.nodes);
  out += fact("Time", fixed(microseconds(kernel.as.time_ns), 1) + " µs, from " + fixed(microseconds(kernel.as.min_time_ns), 1) +
                          " to " + fixed(microseconds(kernel.as.max_time_ns), 1) + "; predicted " +
                          fixed(microseconds(kernel.as.predicted_time_ns), 1));
  out += fact("Bound", bound_name(kernel.as.bound));
  out += fact("Reads", std::to_string(kernel.as.bytes_read) + " bytes");
  out += fact("Writes", std::to_string(kernel.as.bytes_written) + " bytes");
  out += fact("Schedule", kernel.skeleton + ", " + kernel.schedule);
  out += "</dl>\n<h3>Fusion</h3>\n" + decision_list(kernel.decisions) + "<h3>Source</h3>\n";
  out += kernel.source.empty() ? "<p class=\"quiet\">The program was compiled ahead and has no source.</p>\n"
                               : "<pre tabindex=\"0\"><code>" + escape_html(kernel.source) + "</code></pre>\n";
  return out + "</div></details>\n";
}

}  // namespace

std::string profile_page(const ProfileReport& report) {
  std::string out = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
  out += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
  out += tagged("title", "Profile of " + report.model) + "\n<style>" + kProfileStyle + "</style>\n</head>\n<body>\n";
  out += header(report) + "<main>\n" + roofline_section(report) + timeline_section(report) + table_section(report);
  out += "<section aria-labelledby=\"each\">\n<h2 id=\"each\">Each kernel</h2>\n";
  for (size_t i = 0; i < report.kernels.size(); ++i) out += kernel_details(report.kernels[i], i);
  return out + "</section>\n</main>\n<script>" + kProfileScript + "</script>\n</body>\n</html>\n";
}

}  // namespace tuff::cli
