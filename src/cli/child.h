// The command again in a child process, for what a driver may do to its process: crash, or never come back.
#pragma once

#include "cli/arguments.h"

namespace tuff::cli {

std::vector<Option> child_options();  // --time-limit, --in-process

// Whether the command line asks for a child process with a time limit, and this is not that child.
bool wants_child(const Arguments& arguments);

// Runs `tuff VERB --in-process WORDS...` and answers with its exit code. What ends it otherwise, after --time-limit seconds or
// those of the default at the latest, is told on stderr.
int run_in_child(const Arguments& arguments, const std::string& verb, const std::vector<std::string>& words,
                 int64_t default_limit_s);

}  // namespace tuff::cli
