// Windows' own texts: UTF-16 to and from UTF-8, and the words for an error. Included by *_windows.cpp alone.
#pragma once

#ifndef NOMINMAX
#define NOMINMAX
#endif
#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#include <windows.h>

#include <string>
#include <string_view>

namespace tuff {

// What is not UTF-8 becomes U+FFFD.
inline std::wstring to_wide(std::string_view text) {
  const int size = static_cast<int>(text.size());
  std::wstring wide(static_cast<size_t>(MultiByteToWideChar(CP_UTF8, 0, text.data(), size, nullptr, 0)), L'\0');
  MultiByteToWideChar(CP_UTF8, 0, text.data(), size, wide.data(), static_cast<int>(wide.size()));
  return wide;
}

inline std::string to_utf8(std::wstring_view wide) {
  const int size = static_cast<int>(wide.size());
  std::string text(static_cast<size_t>(WideCharToMultiByte(CP_UTF8, 0, wide.data(), size, nullptr, 0, nullptr, nullptr)), '\0');
  WideCharToMultiByte(CP_UTF8, 0, wide.data(), size, text.data(), static_cast<int>(text.size()), nullptr, nullptr);
  return text;
}

// What the system says of an error of GetLastError(), without the full stop.
inline std::string system_message(DWORD error) {
  wchar_t buffer[512];
  DWORD length =
      FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, nullptr, error, 0, buffer, 512, nullptr);
  while (length > 0 && (buffer[length - 1] == L'.' || buffer[length - 1] <= L' ')) --length;
  return length > 0 ? to_utf8({buffer, length}) : "error " + std::to_string(error);
}

}  // namespace tuff
