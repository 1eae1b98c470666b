#include "gpu_cublas.h"

#include <dlfcn.h>

#include <random>
#include <vector>

#include "gpu_tensor.h"

namespace tuff::bench {
namespace {

// As cuda_runtime_api.h and cublas_v2.h of CUDA 12 and 13 declare them; handles, events and enums by their C types.
struct Functions {
  int (*malloc)(void**, size_t);
  int (*memcpy)(void*, const void*, size_t, int);
  int (*synchronize)();
  int (*event_create)(void**);
  int (*event_record)(void*, void*);
  int (*event_elapsed)(float*, void*, void*);
  int (*create)(void**);
  int (*gemm)(void*, int, int, int, int, int, const void*, const void*, int, int, const void*, int, int, const void*, void*,
              int, int, int, int);
};
constexpr int kHostToDevice = 1, kHalf = 2, kComputeFloat = 68, kDefaultAlgorithm = -1, kNotTransposed = 0;

// One of the versions that Functions is of; else null. It stays open until the process ends.
void* open_newest(const std::string& name) {
  void* library = dlopen((name + ".so.13").c_str(), RTLD_NOW);
  return library != nullptr ? library : dlopen((name + ".so.12").c_str(), RTLD_NOW);
}

template <class F>
bool take(void* library, const char* name, F& function) {
  function = reinterpret_cast<F>(dlsym(library, name));
  return function != nullptr;
}

bool load(void* runtime, void* blas, Functions& f) {
  return take(runtime, "cudaMalloc", f.malloc) && take(runtime, "cudaMemcpy", f.memcpy) &&
         take(runtime, "cudaDeviceSynchronize", f.synchronize) && take(runtime, "cudaEventCreate", f.event_create) &&
         take(runtime, "cudaEventRecord", f.event_record) && take(runtime, "cudaEventElapsedTime", f.event_elapsed) &&
         take(blas, "cublasCreate_v2", f.create) && take(blas, "cublasGemmEx", f.gemm);
}

// What the process has of the device until it ends.
struct Product {
  const Functions& f;
  int size;
  void *handle = nullptr, *a = nullptr, *b = nullptr, *c = nullptr;

  bool prepare() {
    std::mt19937_64 random(1);
    const size_t bytes = size_t{2} * static_cast<size_t>(size) * static_cast<size_t>(size);
    const HostTensor values = random_tensor(TUFF_F16, {size, size}, random);
    if (f.create(&handle) != 0) return false;
    for (void** matrix : {&a, &b, &c}) {
      if (f.malloc(matrix, bytes) != 0 || f.memcpy(*matrix, values.bytes.data(), bytes, kHostToDevice) != 0) return false;
    }
    return true;
  }

  bool run() {
    const float one = 1, zero = 0;
    return f.gemm(handle, kNotTransposed, kNotTransposed, size, size, size, &one, a, kHalf, size, b, kHalf, size, &zero, c,
                  kHalf, size, kComputeFloat, kDefaultAlgorithm) == 0;
  }

  // Milliseconds of one run after another, between events. False where CUDA says no.
  bool time(int count, std::vector<double>& out_ms) {
    std::vector<void*> events(static_cast<size_t>(count) + 1);
    for (void*& event : events) {
      if (f.event_create(&event) != 0) return false;
    }
    for (int i = 0; i < 10; ++i) {
      if (!run()) return false;
    }
    if (f.event_record(events[0], nullptr) != 0) return false;
    for (size_t i = 1; i < events.size(); ++i) {
      if (!run() || f.event_record(events[i], nullptr) != 0) return false;
    }
    if (f.synchronize() != 0) return false;
    for (size_t i = 1; i < events.size(); ++i) {
      float ms = 0;
      if (f.event_elapsed(&ms, events[i - 1], events[i]) != 0) return false;
      out_ms.push_back(ms);
    }
    return true;
  }
};

}  // namespace

std::string measure_cublas(int64_t size, int run_count, Row& row) {
  void* runtime = open_newest("libcudart");
  void* blas = open_newest("libcublas");
  if (runtime == nullptr || blas == nullptr) return "There is no libcudart or libcublas of version 13 or 12.";
  Functions f{};
  if (!load(runtime, blas, f)) return "A function is missing in CUDA's libraries.";
  Product product{f, static_cast<int>(size)};
  if (!product.prepare()) return "CUDA has no device, or too little memory.";
  for (int turn = 0; turn < 2; ++turn) {
    std::vector<double> ms;
    if (!product.time(run_count, ms)) {
      row.why = "CUDA failed while it was timed.";
      return {};
    }
    row.device_ms.push_back(median(ms));
  }
  row.status = "ok";
  return {};
}

}  // namespace tuff::bench
