#include "base/wide.h"  // before other headers of Windows

#include <fcntl.h>
#include <io.h>
#include <shellapi.h>

#include <cstdlib>

#include "base/process.h"

namespace tuff {
namespace {

// A word as CommandLineToArgvW reads it back: quoted, backslashes doubled where a quote follows.
std::wstring quoted(const std::string& word) {
  std::wstring out = L"\"";
  size_t backslash_count = 0;
  for (wchar_t c : to_wide(word)) {
    if (c == L'"') out.append(backslash_count + 1, L'\\');
    backslash_count = c == L'\\' ? backslash_count + 1 : 0;
    out += c;
  }
  return out.append(backslash_count, L'\\') + L"\"";
}

}  // namespace

int64_t process_id() { return GetCurrentProcessId(); }

std::vector<std::string> command_line(int argc, char** argv) {
  // Bytes as written, no '\r' before a '\n': the same files as on other systems.
  _setmode(_fileno(stdout), _O_BINARY);
  _setmode(_fileno(stderr), _O_BINARY);
  SetConsoleOutputCP(CP_UTF8);
  int count = 0;
  // main()'s own words are in the system's code page.
  wchar_t** wide = CommandLineToArgvW(GetCommandLineW(), &count);
  if (wide == nullptr) return {argv, argv + argc};
  std::vector<std::string> words;
  for (int i = 0; i < count; ++i) words.push_back(to_utf8(wide[i]));
  LocalFree(wide);
  return words;
}

bool stderr_is_terminal() {
  HANDLE console = GetStdHandle(STD_ERROR_HANDLE);
  DWORD mode = 0;
  return GetConsoleMode(console, &mode) != 0 && SetConsoleMode(console, mode | ENABLE_VIRTUAL_TERMINAL_PROCESSING) != 0;
}

std::FILE* open_stream(const std::string& path, const char* mode) {
  return _wfopen(to_wide(path).c_str(), to_wide(mode).c_str());
}

std::string user_cache_folder() {
  const wchar_t* folder = _wgetenv(L"LOCALAPPDATA");
  return folder != nullptr ? to_utf8(folder) : "";
}

ProcessEnd run_this_program(const std::vector<std::string>& words, int64_t limit_s) {
  ProcessEnd end;
  wchar_t program[32768];
  const DWORD length = GetModuleFileNameW(nullptr, program, 32768);
  std::wstring line;
  for (const std::string& word : words) line += (line.empty() ? L"" : L" ") + quoted(word);
  STARTUPINFOW startup = {};
  startup.cb = sizeof startup;
  PROCESS_INFORMATION process = {};
  if (length == 0 || length == 32768 ||
      CreateProcessW(program, line.data(), nullptr, nullptr, TRUE, 0, nullptr, nullptr, &startup, &process) == 0) {
    end.not_started = system_message(GetLastError());
    return end;
  }
  CloseHandle(process.hThread);
  const auto limit_ms = static_cast<DWORD>(limit_s < MAXDWORD / 1000 ? limit_s * 1000 : INFINITE);
  end.timed_out = WaitForSingleObject(process.hProcess, limit_ms) == WAIT_TIMEOUT;
  if (end.timed_out) {
    TerminateProcess(process.hProcess, 1);
    WaitForSingleObject(process.hProcess, INFINITE);
    CloseHandle(process.hProcess);
    return end;
  }
  DWORD status = 0;
  GetExitCodeProcess(process.hProcess, &status);
  CloseHandle(process.hProcess);
  end.exit_status = static_cast<int>(status);
  // An exception that nobody caught ends a process with its own number; abort() ends it with 3.
  constexpr DWORD kFirstException = 0xC0000000;
  if (status >= kFirstException) {
    char text[32];
    std::snprintf(text, sizeof text, "exception 0x%08lX", status);
    end.crash = text;
  }
  return end;
}

}  // namespace tuff
