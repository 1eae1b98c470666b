// The calling process: its number, its command line, its standard streams and files, and itself started again. Texts and
// paths are UTF-8 on every system. Nothing here needs status.h, so that the command, whose Result is tuff.hpp's, can be
// built with it.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

namespace tuff {

// What a device remembers, to refuse work in a forked child.
int64_t process_id();

// The words of the command line, from what main() was given. From here on standard output and error carry the bytes that
// are written to them, as UTF-8 where a terminal shows them.
std::vector<std::string> command_line(int argc, char** argv);

// Whether standard error is a terminal that understands escape sequences.
bool stderr_is_terminal();

// std::fopen, of bytes and for a UTF-8 path; null with errno set.
std::FILE* open_stream(const std::string& path, const char* mode);

// The folder where this user's programs keep what they can make again; empty if the environment names none.
std::string user_cache_folder();

// This program again, with these words, the first of which is its own name, and the streams of the caller; waits for it, and
// kills it after limit_s seconds.
struct ProcessEnd {
  int exit_status = 0;
  std::string not_started;  // why it could not be started; else empty
  std::string crash;        // what ended it, if it did not end by itself; else empty
  bool timed_out = false;   // it was killed
};
ProcessEnd run_this_program(const std::vector<std::string>& words, int64_t limit_s);

}  // namespace tuff
