// The handles of tuff.h. Each counts its references; what is inside is shared, so that children keep it alive by
// themselves and handles can be released in any order.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "api/desc.h"
#include "compile/compile.h"
#include "compile/load.h"
#include "session/session.h"
#include "session/target.h"
#include "tuff/tuff.h"

namespace tuff {

using Log = std::function<void(int severity, std::string_view message)>;

// Null for no callback.
inline Log log_of(tuff_log_callback_t log, void* user_data) {
  if (!log) return nullptr;
  return [log, user_data](int severity, std::string_view message) { log(severity, message.data(), message.size(), user_data); };
}

// What a desc says of compiling, for every function that takes one. null: the defaults.
Result<CompileOptions> compile_options(const tuff_program_desc_t* desc, const Log& log);

class Counted {
 public:
  void retain() { count_.fetch_add(1, std::memory_order_relaxed); }
  bool release_was_last() { return count_.fetch_sub(1, std::memory_order_acq_rel) == 1; }

 private:
  std::atomic<uint32_t> count_ = 1;
};

template <class Handle>
void retain_handle(Handle* handle) {
  if (handle) handle->retain();
}
template <class Handle>
void release_handle(Handle* handle) {
  if (handle && handle->release_was_last()) delete handle;
}

// A VkBuffer that a session has registered.
struct RegisteredVkBuffer {
  uint64_t handle = 0;
  std::shared_ptr<Buffer> buffer;
};

// What a session handle and its runs share.
struct SessionState {
  std::shared_ptr<const Program> program;
  SessionOptions options;
  std::shared_ptr<Session> session;
  std::vector<std::pair<uint32_t, uint32_t>> aliases;  // (output, input), as they were declared
  std::mutex entered;                                  // held by the thread that is in a call; a second one is told BUSY
  std::vector<RegisteredVkBuffer> registered;
  // What calls read into: kept, so that a run of a prepared shape allocates nothing.
  std::vector<CallerTensor> inputs, outputs;
  std::vector<TensorView> input_views;
  IoBinding binding;
  std::vector<std::unique_ptr<tuff_run>> spare_runs;
};

}  // namespace tuff

struct tuff_error {
  tuff::Status status;
};

struct tuff_device_list {
  tuff::TargetList list;
};

struct tuff_device : tuff::Counted {
  tuff::Target target;
  tuff::Log log;
};

struct tuff_cancel_token : tuff::Counted {
  std::atomic<bool> cancelled = false;
};

struct tuff_model : tuff::Counted {
  std::shared_ptr<const tuff::LoadedModel> model;
};

struct tuff_program : tuff::Counted {
  std::shared_ptr<const tuff::Program> program;
};

struct tuff_buffer : tuff::Counted {
  std::shared_ptr<tuff::Device> device;
  std::shared_ptr<tuff::Buffer> buffer;
};

struct tuff_profile : tuff::Counted {
  std::shared_ptr<const tuff::Program> program;
  tuff::Profile profile;
};

struct tuff_session : tuff::Counted {
  std::shared_ptr<tuff::SessionState> state;
};

struct tuff_run {
  std::shared_ptr<tuff::SessionState> state;
  std::shared_ptr<tuff::Session> session;  // which started it: the state's until tuff_session_recover
  tuff::RunId id;
  std::vector<tuff::MutableTensorView> outputs;  // without data: not copied
  bool ended = false;
  tuff::Status result;  // once ended
};
