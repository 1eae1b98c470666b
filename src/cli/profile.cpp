// tuff profile: where the time of a run goes, kernel by kernel.
#include "cli/profile_report.h"

#include <cstdio>

#include "cli/execute.h"
#include "cli/made_program.h"
#include "cli/model_inputs.h"
#include "cli/npy.h"

namespace tuff::cli {
namespace {

// What the program was made with, as it is given on the command line.
std::string options_text(const Arguments& arguments) {
  std::string text;
  for (const char* flag : {"--exact", "--no-fuse"})
    if (arguments.has(flag)) text += (text.empty() ? "" : " ") + std::string(flag);
  for (const char* option :
       {"--precision", "--observations", "--shape", "--range", "--dim", "--value", "--input-image", "--output-image"})
    for (const std::string& value : arguments.all(option))
      text += (text.empty() ? "" : " ") + std::string(option) + " " + value;
  return text;
}

Result<Profile> measure_kernels(MadeProgram& made, const SessionOptions& session_options, const ProfileOptions& options) {
  Result<Session> session = session_with_inputs(made.program, made.inputs, made.dims, session_options);
  if (!session) return session.error();
  return session->profile(options);
}

int profile(const Arguments& arguments) {
  const std::string_view sort = arguments.has("--sort") ? arguments.value("--sort") : "run";
  if (sort != "run" && sort != "time") return usage_error("'--sort' takes run or time, not '" + std::string(sort) + "'.");
  Result<int64_t> runs = arguments.integer("--runs", 20, 1, 1000000);
  if (!runs) return exit_for(runs.error());
  Result<int64_t> warmup = arguments.integer("--warmup", 3, 0, 1000000);
  if (!warmup) return exit_for(warmup.error());
  Result<SessionOptions> session_options = read_session_options(arguments);
  if (!session_options) return exit_for(session_options.error());
  Result<MadeProgram> made = make_program(arguments, true);
  if (!made) return exit_for(made.error());

  ProfileOptions options;
  options.run_count = static_cast<uint32_t>(*runs);
  options.warmup_count = static_cast<uint32_t>(*warmup);
  options.host_clock = arguments.has("--host-clock");
  Result<Profile> profile = measure_kernels(*made, *session_options, options);
  if (!profile) return exit_for(profile.error());

  ProfileReport report = make_report(*profile);
  report.model = arguments.positional()[0];
  report.device = made->device.name();
  report.driver = made->device.driver();
  report.options = options_text(arguments);
  report.warmup_count = *warmup;
  if (arguments.has("--html")) {
    const std::string page = profile_page(report);
    if (Status s = write_file(std::string(arguments.value("--html")), std::as_bytes(std::span(page))); !s)
      return exit_for(s.error());
  }
  std::printf("%s",
              arguments.has("--json") ? (profile_json(report) + "\n").c_str() : profile_table(report, sort == "time").c_str());
  return kExitOk;
}

}  // namespace

const Verb kProfileVerb = {
    "profile",
    "MODEL.onnx|M.tuff [--runs N] [--json] [--html FILE] [options]",
    "say where a run's time goes, kernel by kernel",
    "  tuff profile resnet18.onnx\n"
    "  tuff profile model.onnx --sort=time --dim height=480 --dim width=640\n"
    "  tuff profile model.onnx --html profile.html\n"
    "Times are medians. A kernel's bound is the largest term of the cost model: memory or arithmetic at the device's rates, "
    "or\n"
    "the launch. Inputs that are not given are random.\n",
    join(
        {{{"--runs", nullptr, "N", "how many runs are timed; default: 20"},
          {"--warmup", nullptr, "N", "how many go before them; default: 3"},
          {"--sort", nullptr, "ORDER", "of the table: run (default), or time, the longest first"},
          {"--json", nullptr, nullptr, "one JSON object, with times in nanoseconds"},
          {"--html", nullptr, "FILE", "write a page, too: roofline, timeline, and each kernel's source and fusion"},
          {"--host-clock", nullptr, nullptr, "time each kernel as a submit of its own, as where the device has no timestamps"}},
         input_options(),
         model_options(),
         device_options(),
         program_options(),
         session_options()}),
    profile};

}  // namespace tuff::cli
