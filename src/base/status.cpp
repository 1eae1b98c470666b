#include "base/status.h"

namespace tuff {

std::string_view code_name(Code code) {
  switch (code) {
    case Code::kOk: return "OK";
    case Code::kInvalidArgument: return "INVALID_ARGUMENT";
    case Code::kUnsupported: return "UNSUPPORTED";
    case Code::kOutOfMemory: return "OUT_OF_MEMORY";
    case Code::kDeviceLost: return "DEVICE_LOST";
    case Code::kLimit: return "LIMIT";
    case Code::kIo: return "IO";
    case Code::kCorrupt: return "CORRUPT";
    case Code::kBusy: return "BUSY";
    case Code::kCancelled: return "CANCELLED";
    case Code::kInternal: return "INTERNAL";
  }
  return "UNKNOWN";
}

Status Status::with_context(std::string_view where) const {
  if (ok()) return *this;
  std::string message(where);
  message += ": ";
  message += message_;
  return {code_, std::move(message)};
}

Status invalid_argument(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }
Status unsupported(std::string message) { return {Code::kUnsupported, std::move(message)}; }
Status out_of_memory(std::string message) { return {Code::kOutOfMemory, std::move(message)}; }
Status limit_exceeded(std::string message) { return {Code::kLimit, std::move(message)}; }
Status io_error(std::string message) { return {Code::kIo, std::move(message)}; }
Status corrupt(std::string message) { return {Code::kCorrupt, std::move(message)}; }
Status internal_error(std::string message) { return {Code::kInternal, std::move(message)}; }

}  // namespace tuff
