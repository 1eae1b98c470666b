#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/process.h"

extern char** environ;

namespace tuff {

int64_t process_id() { return getpid(); }

std::vector<std::string> command_line(int argc, char** argv) { return {argv, argv + argc}; }

bool stderr_is_terminal() { return isatty(STDERR_FILENO) == 1; }

std::FILE* open_stream(const std::string& path, const char* mode) { return std::fopen(path.c_str(), mode); }

std::string user_cache_folder() {
  const char* xdg = std::getenv("XDG_CACHE_HOME");
  if (xdg && *xdg) return xdg;
  const char* home = std::getenv("HOME");
  return home && *home ? std::string(home) + "/.cache" : "";
}

ProcessEnd run_this_program(const std::vector<std::string>& words) {
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  ProcessEnd end;
  pid_t child = 0;
  if (int failed = posix_spawn(&child, "/proc/self/exe", nullptr, nullptr, argv.data(), environ); failed != 0) {
    end.not_started = std::strerror(failed);
    return end;
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status))
    end.exit_status = WEXITSTATUS(status);
  else
    end.crash = strsignal(WTERMSIG(status));
  return end;
}

}  // namespace tuff
