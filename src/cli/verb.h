// A verb of the command, and what every verb answers with.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tuff/tuff.hpp>

namespace tuff::cli {

enum ExitCode { kExitOk = 0, kExitCheckFailed = 1, kExitUsage = 2, kExitRefused = 3 };

struct Option {
  const char* name;        // "--device"
  const char* short_name;  // "-d", or null
  const char* value;       // what follows it, for the help; null: nothing
  const char* explanation;
};

class Arguments;

struct Verb {
  const char* name;
  const char* usage;    // what follows "tuff <verb>"
  const char* summary;  // one line
  const char* examples;
  std::vector<Option> options;
  int (*run)(const Arguments& arguments);
};

extern const Verb kRunVerb, kBenchVerb, kProfileVerb, kTuneVerb, kCompileVerb, kInspectVerb, kExplainVerb, kVerifyVerb,
    kDevicesVerb;

// A message on stderr and the exit code that goes with it.
int usage_error(const std::string& message);
int refused(const Error& error);

}  // namespace tuff::cli
