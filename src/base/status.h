// Status and Result: how every fallible function of Tuff answers.
//
// A Status is a code and one full sentence; callers add context on the way up. Result<T> is a T or the Status that
// says why there is none. Nothing here throws; reading value() of a failed Result is a bug of ours and is caught
// by the assertion in debug builds.
#pragma once

#include <cassert>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace tuff {

enum class Code : int32_t {
  kOk = 0,
  kInvalidArgument = 1,
  kUnsupported = 2,
  kOutOfMemory = 3,
  kDeviceLost = 4,
  kLimit = 5,
  kIo = 6,
  kCorrupt = 7,
  kBusy = 8,
  kCancelled = 9,
  kInternal = 10,
};

std::string_view code_name(Code code);

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Code code, std::string message) : code_(code), message_(std::move(message)) {}

  bool ok() const { return code_ == Code::kOk; }
  Code code() const { return code_; }
  const std::string& message() const { return message_; }

  // The same failure, told from further out: "<where>: <message>".
  Status with_context(std::string_view where) const;

 private:
  Code code_ = Code::kOk;
  std::string message_;
};

inline Status ok_status() { return {}; }
Status invalid_argument(std::string message);
Status unsupported(std::string message);
Status out_of_memory(std::string message);
Status limit_exceeded(std::string message);
Status io_error(std::string message);
Status corrupt(std::string message);
Status internal_error(std::string message);

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Status status) : state_(std::in_place_index<1>, std::move(status)) { assert(!std::get<1>(state_).ok()); }

  bool ok() const { return state_.index() == 0; }
  Status status() const { return ok() ? Status() : std::get<1>(state_); }

  T& value() & {
    assert(ok());
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    assert(ok());
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    assert(ok());
    return std::move(*std::get_if<0>(&state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

 private:
  std::variant<T, Status> state_;
};

// TUFF_TRY(status_expression): returns from the function when the expression failed.
#define TUFF_TRY(expression)                           \
  do {                                                 \
    ::tuff::Status tuff_try_status = (expression);     \
    if (!tuff_try_status.ok()) return tuff_try_status; \
  } while (false)
// NOLINTBEGIN(bugprone-macro-parentheses): a name and a declaration stand without them.
// TUFF_ASSIGN(auto x, result_expression): declares x from the value, or returns the failure.
#define TUFF_ASSIGN(declaration, expression) \
  TUFF_ASSIGN_NAMED(TUFF_ASSIGN_JOIN(tuff_result_, __LINE__), declaration, expression)
#define TUFF_ASSIGN_NAMED(name, declaration, expression) \
  auto name = (expression);                              \
  if (!name.ok()) return name.status();                  \
  declaration = std::move(name).value()
#define TUFF_ASSIGN_JOIN(a, b) TUFF_ASSIGN_JOIN2(a, b)
#define TUFF_ASSIGN_JOIN2(a, b) a##b
// NOLINTEND(bugprone-macro-parentheses)
}  // namespace tuff
