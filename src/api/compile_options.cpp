// What a tuff_program_desc_t says of compiling: the host's callbacks as functions of the library's own, and its cancel token.
#include "api/guard.h"
#include "api/handles.h"

namespace tuff {
namespace {

// The host keeps the bytes. It is asked by one thread at a time.
class HostStorage final : public CacheStorage {
 public:
  explicit HostStorage(const tuff_program_desc_t& desc)
      : load_(desc.cache_load), store_(desc.cache_store), user_data_(desc.cache_user_data) {}

  Result<std::optional<std::vector<std::byte>>> load(const std::string& name) override {
    Given given;
    if (!load_) return std::move(given.bytes);
    {
      std::lock_guard lock(mutex_);
      load_(name.data(), name.size(), take, &given, user_data_);
    }
    if (given.out_of_memory) throw std::bad_alloc();
    return std::move(given.bytes);
  }

  Status store(const std::string& name, std::span<const std::byte> bytes) override {
    std::lock_guard lock(mutex_);
    if (store_) store_(name.data(), name.size(), bytes.data(), bytes.size(), user_data_);
    return ok_status();
  }

 private:
  struct Given {
    std::optional<std::vector<std::byte>> bytes;
    bool out_of_memory = false;
  };
  // Called by the host: nothing thrown passes it.
  static void take(const void* data, uint64_t size_bytes, void* given) noexcept {
    auto& out = *static_cast<Given*>(given);
    const auto* bytes = static_cast<const std::byte*>(data);
    if (!bytes && size_bytes != 0) return;
    try {
      out.bytes.emplace(bytes, bytes + size_bytes);
    } catch (...) {
      out.out_of_memory = true;
    }
  }

  tuff_cache_load_callback_t load_;
  tuff_cache_store_callback_t store_;
  void* user_data_;
  std::mutex mutex_;
};

// The host's threads are between the caller and the task: what a task throws is thrown where the host returns.
void parallel_for(const tuff_program_desc_t& desc, uint32_t count, const std::function<void(uint32_t)>& body) {
  struct Task {
    const std::function<void(uint32_t)>& body;
    std::mutex mutex;
    std::exception_ptr thrown;
  } task{body, {}, {}};
  auto run = [](uint32_t index, void* data) noexcept {
    Task& t = *static_cast<Task*>(data);
    try {
      t.body(index);
    } catch (...) {
      std::lock_guard lock(t.mutex);
      if (!t.thrown) t.thrown = std::current_exception();
    }
  };
  desc.parallel_for(count, run, &task, desc.parallel_for_user_data);
  if (task.thrown) std::rethrow_exception(task.thrown);
}

Workers workers_of(const tuff_program_desc_t& desc) {
  Workers workers;
  if (desc.parallel_for) {
    workers.parallel_for = [desc](uint32_t count, const std::function<void(uint32_t)>& body) {
      parallel_for(desc, count, body);
    };
  }
  if (desc.kernel_progress) {
    workers.progress = [call = desc.kernel_progress, user_data = desc.progress_user_data](uint32_t done, uint32_t total) {
      call(done, total, user_data);
    };
  }
  if (const tuff_cancel_token* token = desc.cancel_token)
    workers.cancelled = [token] { return token->cancelled.load(std::memory_order_relaxed); };
  return workers;
}

Result<std::shared_ptr<Cache>> cache_of(const tuff_program_desc_t& desc, const Log& log) {
  const std::string folder(text_in(desc.cache_dir, desc.cache_dir_length));
  const bool is_hosts = desc.cache_load || desc.cache_store;
  if (folder.empty() && !is_hosts) return std::shared_ptr<Cache>();
  if (!folder.empty() && is_hosts) return invalid_argument("A cache is a folder or the host's callbacks, not both.");
  std::unique_ptr<CacheStorage> storage = is_hosts ? std::make_unique<HostStorage>(desc) : folder_storage(folder);
  return std::make_shared<Cache>(std::move(storage), [log](std::string_view message) {
    if (log) log(TUFF_SEVERITY_WARNING, message);
  });
}

}  // namespace

Result<CompileOptions> compile_options(const tuff_program_desc_t* desc, const Log& log) {
  tuff_program_desc_t d;
  TUFF_TRY(read_desc(desc, d, "tuff_program_desc_t"));
  CompileOptions options;
  switch (d.precision) {
    case TUFF_PRECISION_MODEL: break;
    case TUFF_PRECISION_F16_STORAGE: options.precision = FloatPrecision::kF16Storage; break;
    case TUFF_PRECISION_F16: options.precision = FloatPrecision::kF16; break;
    default:
      return unsupported("Precision " + std::to_string(d.precision) +
                         " is not supported; the model's own (0), storage in f16 (1) and f16 (2) are.");
  }
  options.exact = d.exact != 0;
  options.fuse = d.no_fuse == 0;
  TUFF_ASSIGN(options.cache, cache_of(d, log));
  std::string_view observations = text_in(d.observations, d.observations_length);
  if (!observations.empty()) {
    TUFF_ASSIGN(options.observations, parse_observations(observations, "observations"));
  }
  if (d.progress) {
    options.progress = [progress = d.progress, user_data = d.progress_user_data](std::string_view stage) {
      progress(stage.data(), stage.size(), user_data);
    };
  }
  options.workers = workers_of(d);
  return options;
}

}  // namespace tuff

using namespace tuff;

tuff_status_t tuff_cancel_token_create(tuff_cancel_token_t** out_token, tuff_error_t** out_error) {
  return guarded(out_error, [&]() -> Status {
    TUFF_NOT_NULL(out_token);
    *out_token = new tuff_cancel_token();
    return ok_status();
  });
}

void tuff_cancel_token_cancel(tuff_cancel_token_t* token) {
  if (token) token->cancelled.store(true, std::memory_order_relaxed);
}

void tuff_cancel_token_retain(tuff_cancel_token_t* token) { retain_handle(token); }
void tuff_cancel_token_release(tuff_cancel_token_t* token) { release_handle(token); }
