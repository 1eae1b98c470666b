#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>

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

namespace {

int64_t now_ms() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return int64_t{time.tv_sec} * 1000 + time.tv_nsec / 1'000'000;
}

// False where the child has not ended in time. There is no wait with a limit: short sleeps are between looks. A child that is
// ours no more, since the host has the system reap its children, counts as ended well.
bool wait_for(pid_t child, int64_t limit_s, int& status) {
  const timespec pause = {0, 5'000'000};
  for (const int64_t start = now_ms(); now_ms() - start < limit_s * 1000;) {
    const pid_t ended = waitpid(child, &status, WNOHANG);
    if (ended == child || (ended < 0 && errno == ECHILD)) return true;
    nanosleep(&pause, nullptr);
  }
  return false;
}

}  // namespace

ProcessEnd run_this_program(const std::vector<std::string>& words, int64_t limit_s) {
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
  end.timed_out = !wait_for(child, limit_s, status);
  if (end.timed_out) {
    kill(child, SIGKILL);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return end;
  }
  if (WIFEXITED(status))
    end.exit_status = WEXITSTATUS(status);
  else
    end.crash = strsignal(WTERMSIG(status));
  return end;
}

}  // namespace tuff
