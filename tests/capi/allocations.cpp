// FAULTS, row 13: allocation N of ours fails, once and from then on, for every N. Each call then answers OUT_OF_MEMORY or
// succeeds, nothing leaks into a crash, and the handles that were made can be used and released.
//
// A program of its own, since it replaces operator new for the library too.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>

#include <tuff/tuff.h>

namespace {

std::atomic<long> until_failure = -1;  // -1: none fails
std::atomic<bool> fails_on = false;    // and all later ones
std::atomic<long> failures = 0;

bool fails_now() {
  long left = until_failure.load();
  if (left < 0) return false;
  if (left > 0) {
    until_failure = left - 1;
    return false;
  }
  if (!fails_on) until_failure = -1;
  ++failures;
  return true;
}

}  // namespace

void* operator new(size_t size) {
  void* p = fails_now() ? nullptr : std::malloc(size ? size : 1);
  if (!p) throw std::bad_alloc();
  return p;
}
void* operator new[](size_t size) { return operator new(size); }
void* operator new(size_t size, const std::nothrow_t&) noexcept { return fails_now() ? nullptr : std::malloc(size ? size : 1); }
void* operator new[](size_t size, const std::nothrow_t& tag) noexcept { return operator new(size, tag); }
void operator delete(void* p) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { std::free(p); }
void operator delete(void* p, size_t) noexcept { std::free(p); }
void operator delete[](void* p, size_t) noexcept { std::free(p); }

namespace {

// Load, compile, run; and compile for a described device. False at the first call that fails, which *status tells.
struct Attempt {
  const char* model;
  const std::string& device_text;
  bool described;

  tuff_device_t* device = nullptr;
  tuff_model_t* loaded = nullptr;
  tuff_program_t* program = nullptr;
  tuff_session_t* session = nullptr;
  tuff_error_t* error = nullptr;
  tuff_status_t status = TUFF_OK;

  bool done(tuff_status_t s) {
    status = s;
    return s == TUFF_OK;
  }

  bool run() {
    tuff_device_desc_t desc = TUFF_DEVICE_DESC_INIT;
    desc.selector = "cpu";
    desc.allow_software = 1;
    if (described) {
      if (!done(tuff_device_describe(device_text.data(), device_text.size(), "x", 1, &device, &error))) return false;
    } else {
      if (!done(tuff_device_open(&desc, &device, &error))) return false;
    }
    if (!done(tuff_model_load_file(model, TUFF_TEXT_END, nullptr, &loaded, &error))) return false;
    if (!done(tuff_program_create(device, loaded, nullptr, &program, &error))) return false;
    if (described) return true;
    if (!done(tuff_session_create(program, nullptr, &session, &error))) return false;
    float x[4] = {1, 2, 3, 4}, y[4] = {};
    tuff_tensor_desc_t in = TUFF_TENSOR_DESC_INIT, out = TUFF_TENSOR_DESC_INIT;
    in.data = x;
    out.data = y;
    in.size_bytes = out.size_bytes = sizeof x;
    if (!done(tuff_session_run(session, &in, 1, &out, 1, &error))) return false;
    return y[0] == 1.25f;
  }

  ~Attempt() {
    tuff_error_release(error);
    tuff_session_release(session);
    tuff_program_release(program);
    tuff_model_release(loaded);
    tuff_device_release(device);
  }
};

std::string cpu_text() {
  tuff_device_list_t* list = nullptr;
  if (tuff_device_list_create(&list, nullptr) != TUFF_OK) return "";
  uint32_t last = tuff_device_list_count(list) - 1;
  uint64_t length = 0;
  (void)tuff_device_list_text(list, last, nullptr, 0, &length, nullptr);
  std::string text(length, '\0');
  (void)tuff_device_list_text(list, last, text.data(), length + 1, &length, nullptr);
  tuff_device_list_release(list);
  return text;
}

// Every N while N is small, then about `samples` of the rest.
bool try_all(const char* model, const std::string& text, bool described, bool and_later, long samples) {
  long step = 1, tried = 0;
  for (long n = 0;; n += step, ++tried) {
    if (tried > samples) step = step + step / 8 + 1;
    Attempt attempt{model, text, described};
    fails_on = and_later;
    failures = 0;
    until_failure = n;
    bool ok = attempt.run();
    until_failure = -1;
    if (failures == 0) {
      std::printf("%s, %s: all of %ld allocations tried or sampled (%ld attempts)\n", described ? "compile" : "run",
                  and_later ? "from N on" : "once", n, tried);
      return ok;
    }
    // A call may do without what it could not have (a cache, a log line); else the status says why.
    if (!ok && attempt.status != TUFF_OUT_OF_MEMORY) {
      std::printf("allocation %ld failed and the status was %d\n", n, attempt.status);
      return false;
    }
    if (!ok && (!attempt.error || tuff_error_status(attempt.error) != TUFF_OUT_OF_MEMORY)) {
      std::printf("allocation %ld failed and there was no error\n", n);
      return false;
    }
    // After it, all is as before.
    Attempt again{model, text, described};
    if ((tried % 64 == 0) && !again.run()) {
      std::printf("after a failure of allocation %ld nothing works any more: %d\n", n, again.status);
      return false;
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::string text = cpu_text();
  bool ok = true;
  for (bool described : {false, true}) {
    for (bool and_later : {false, true}) ok = try_all(argv[1], text, described, and_later, described ? 1500 : 1000000) && ok;
  }
  return ok ? 0 : 1;
}
