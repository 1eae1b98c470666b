#include "cli/profile_report.h"

#include <algorithm>
#include <cstdio>

#include "cli/json.h"
#include "cli/observations_text.h"

namespace tuff::cli {
namespace {

std::string padded(std::string text, size_t width) {
  return text.size() < width ? std::string(width - text.size(), ' ') + text : text;
}

void write_kernel(Json& json, const ProfileReport& report, const ProfiledKernel& kernel) {
  auto number = [&](const char* name, uint64_t v) { json.key(name).integer(static_cast<int64_t>(v)); };
  json.open('{');
  number("step", kernel.as.step);
  json.key("kernel").string(kernel.name).key("nodes").string(kernel.nodes);
  json.key("skeleton").string(kernel.skeleton).key("schedule").string(kernel.schedule);
  if (!kernel.tuning_key.empty()) {
    json.key("tuning_key").string(kernel.tuning_key).key("alternatives").open('[');
    for (const std::string& schedule : lines_of(kernel.alternatives)) json.string(schedule);
    json.close(']');
  }
  json.key("time_ns").open('{');
  number("min", kernel.as.min_time_ns);
  number("p50", kernel.as.time_ns);
  number("max", kernel.as.max_time_ns);
  json.close('}');
  json.key("share").real(kernel.share);
  number("predicted_ns", kernel.as.predicted_time_ns);
  json.key("bound").string(bound_name(kernel.as.bound));
  number("bytes_read", kernel.as.bytes_read);
  number("bytes_written", kernel.as.bytes_written);
  number("flops", kernel.as.flops);
  json.key("gb_per_s").real(per_ns(kernel.bytes(), kernel.as.time_ns));
  json.key("gflop_per_s").real(per_ns(kernel.as.flops, kernel.as.time_ns));
  json.key("share_of_roof").real(share_of_roof(report, kernel));
  json.close('}');
}

}  // namespace

double per_ns(uint64_t count, uint64_t time_ns) {
  return time_ns == 0 ? 0 : static_cast<double>(count) / static_cast<double>(time_ns);
}

double share_of_roof(const ProfileReport& report, const ProfiledKernel& kernel) {
  auto share = [&](uint64_t count, uint64_t per_second) {
    return per_second == 0 ? 0 : per_ns(count, kernel.as.time_ns) * 1e9 / static_cast<double>(per_second);
  };
  return std::max(share(kernel.bytes(), report.info.memory_bytes_per_second),
                  share(kernel.as.flops, report.info.flops_per_second));
}

const char* bound_name(tuff_bound_t bound) {
  switch (bound) {
    case TUFF_BOUND_MEMORY: return "memory";
    case TUFF_BOUND_ARITHMETIC: return "arithmetic";
    case TUFF_BOUND_LAUNCH: return "launch";
    default: return "other";
  }
}

const char* clock_text(const ProfileReport& report) {
  return report.info.host_clock ? "each a submit of its own, by the host's clock" : "by the device's timestamps";
}

std::string fixed(double value, int decimals) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
  return text;
}

ProfileReport make_report(const Profile& profile) {
  ProfileReport report;
  const uint32_t v = tuff_version();
  report.version = std::to_string(v >> 22) + "." + std::to_string((v >> 12) & 1023) + "." + std::to_string(v & 4095);
  report.info = profile.info();
  for (uint32_t i = 0; i < report.info.kernel_count; ++i) {
    ProfiledKernel kernel;
    kernel.as = profile.kernel(i);
    kernel.name = profile.kernel_text(i, TUFF_KERNEL_NAME);
    kernel.nodes = profile.kernel_text(i, TUFF_KERNEL_NODES);
    kernel.skeleton = profile.kernel_text(i, TUFF_KERNEL_SKELETON);
    kernel.schedule = profile.kernel_text(i, TUFF_KERNEL_SCHEDULE);
    kernel.tuning_key = profile.kernel_text(i, TUFF_KERNEL_TUNING_KEY);
    kernel.alternatives = profile.kernel_text(i, TUFF_KERNEL_ALTERNATIVES);
    kernel.source = profile.kernel_text(i, TUFF_KERNEL_SOURCE);
    kernel.decisions = profile.kernel_text(i, TUFF_KERNEL_DECISIONS);
    report.time_ns += kernel.as.time_ns;
    report.kernels.push_back(std::move(kernel));
  }
  for (ProfiledKernel& kernel : report.kernels) kernel.share = per_ns(kernel.as.time_ns, report.time_ns);
  return report;
}

std::string profile_table(const ProfileReport& report, bool by_time) {
  const tuff_profile_info_t& info = report.info;
  std::string out = "device    " + report.device + " (" + report.driver + ")\n";
  out += "run       " + fixed(static_cast<double>(info.run_time_ns) * 1e-6, 3) + " ms median of " +
         std::to_string(info.run_count) + "; its kernels " + fixed(static_cast<double>(info.kernels_time_ns) * 1e-6, 3) +
         " ms, " + clock_text(report) + "\n";
  out += "roofs     " + fixed(static_cast<double>(info.memory_bytes_per_second) * 1e-9, 1) + " GB/s, " +
         fixed(static_cast<double>(info.flops_per_second) * 1e-9, 1) + " GFLOP/s, " +
         fixed(static_cast<double>(info.launch_time_ns) * 1e-3, 1) + " us a launch: what the cost model has of the device\n\n";
  out +=
      "step    time us   share  bound            MiB      MFLOP     GB/s  GFLOP/s  of roof  predicted us  kernel: operators\n";
  std::vector<const ProfiledKernel*> order;
  for (const ProfiledKernel& kernel : report.kernels) order.push_back(&kernel);
  if (by_time) std::stable_sort(order.begin(), order.end(), [](auto* a, auto* b) { return a->as.time_ns > b->as.time_ns; });
  uint64_t bytes = 0, flops = 0, predicted_ns = 0;
  auto row = [&](const std::string& step, uint64_t time_ns, double share, const std::string& bound, uint64_t row_bytes,
                 uint64_t row_flops, const std::string& of_roof, uint64_t row_predicted_ns) {
    std::string bound_column = bound;
    bound_column.resize(10, ' ');
    return padded(step, 4) + padded(fixed(static_cast<double>(time_ns) * 1e-3, 1), 11) + padded(fixed(100 * share, 1), 7) +
           "%  " + bound_column + padded(fixed(static_cast<double>(row_bytes) / 1048576.0, 3), 10) +
           padded(fixed(static_cast<double>(row_flops) * 1e-6, 3), 11) + padded(fixed(per_ns(row_bytes, time_ns), 2), 9) +
           padded(fixed(per_ns(row_flops, time_ns), 2), 9) + padded(of_roof, 9) +
           padded(fixed(static_cast<double>(row_predicted_ns) * 1e-3, 1), 14);
  };
  for (const ProfiledKernel* kernel : order) {
    out +=
        row(std::to_string(kernel->as.step), kernel->as.time_ns, kernel->share, bound_name(kernel->as.bound), kernel->bytes(),
            kernel->as.flops, fixed(100 * share_of_roof(report, *kernel), 0) + "%", kernel->as.predicted_time_ns) +
        "  " + kernel->name + ": " + kernel->nodes + "\n";
    bytes += kernel->bytes();
    flops += kernel->as.flops;
    predicted_ns += kernel->as.predicted_time_ns;
  }
  return out + row("all", report.time_ns, report.time_ns == 0 ? 0 : 1, "", bytes, flops, "", predicted_ns) + "  " +
         std::to_string(report.kernels.size()) + " kernels\n";
}

std::string profile_json(const ProfileReport& report) {
  Json json;
  auto number = [&](const char* name, uint64_t v) { json.key(name).integer(static_cast<int64_t>(v)); };
  json.open('{');
  json.key("tuff").string(report.version).key("model").string(report.model);
  json.key("device").string(report.device).key("driver").string(report.driver);
  json.key("options").string(report.options);
  json.key("clock").string(report.info.host_clock ? "host" : "device");
  number("runs", report.info.run_count);
  json.key("warmup").integer(report.warmup_count);
  number("run_ns", report.info.run_time_ns);
  number("kernels_ns", report.info.kernels_time_ns);
  number("memory_bytes_per_s", report.info.memory_bytes_per_second);
  number("flops_per_s", report.info.flops_per_second);
  number("launch_ns", report.info.launch_time_ns);
  json.key("kernels").open('[');
  for (const ProfiledKernel& kernel : report.kernels) write_kernel(json, report, kernel);
  json.close(']').close('}');
  return json.text();
}

}  // namespace tuff::cli
