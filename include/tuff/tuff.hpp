// Tuff for C++20: the handles of tuff.h as values that release themselves. Header-only; needs no exceptions and no RTTI.
//
// Every fallible function returns Result<T> (or Status where there is nothing to return): a value or an Error. Handles copy
// by reference. What tuff.h says of threads, shapes and lifetimes holds here.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tuff/tuff.h>

namespace tuff {
inline namespace cpp {

struct Error {
  tuff_status_t status = TUFF_OK;
  std::string message;
};

// What a fallible function without a value returns.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Error error) : error_(std::move(error)) {}
  explicit operator bool() const { return !error_; }
  const Error& error() const { return *error_; }  // only if there is one

 private:
  std::optional<Error> error_;
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}
  Result(Error error) : error_(std::move(error)) {}
  explicit operator bool() const { return value_.has_value(); }
  T& operator*() { return *value_; }  // only if there is one
  const T& operator*() const { return *value_; }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }
  const Error& error() const { return error_; }

 private:
  std::optional<T> value_;
  Error error_;
};

namespace detail {

// Calls get(buffer, capacity, &length), again with a larger buffer if the text did not fit.
template <class Get>
std::string text(Get get, uint64_t first_capacity = 256) {
  std::string s(first_capacity, '\0');
  uint64_t length = 0;
  get(s.data(), s.size() + 1, &length);
  if (length > s.size()) {
    s.resize(length);
    get(s.data(), s.size() + 1, &length);
  }
  s.resize(length);
  return s;
}

inline Error take(tuff_status_t status, tuff_error_t* error) {
  Error e;
  e.status = status;
  e.message = text([&](char* b, uint64_t c, uint64_t* n) { tuff_error_message(error, b, c, n); });
  tuff_error_release(error);
  return e;
}

// Calls get(buffer, capacity, &length, &error), which may fail.
template <class Get>
Result<std::string> checked_text(Get get, uint64_t first_capacity = 256) {
  tuff_status_t status = TUFF_OK;
  tuff_error_t* error = nullptr;
  std::string s = text(
      [&](char* b, uint64_t c, uint64_t* n) {
        if (status != TUFF_OK) return;
        status = get(b, c, n, &error);
      },
      first_capacity);
  if (status != TUFF_OK) return take(status, error);
  return s;
}

template <class T, void (*retain)(T*), void (*release)(T*)>
class Handle {
 public:
  Handle() = default;
  explicit Handle(T* handle) : handle_(handle) {}
  Handle(const Handle& other) : handle_(other.handle_) { retain(handle_); }
  Handle(Handle&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Handle& operator=(Handle other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Handle() { release(handle_); }
  T* get() const { return handle_; }

 private:
  T* handle_ = nullptr;
};

}  // namespace detail

// ---- Devices ---------------------------------------------------------------------------------------------------------

struct DeviceEntry {
  std::string name, driver, uuid;
  std::string text;  // what Device::describe reads
  tuff_device_info_t info = TUFF_DEVICE_INFO_INIT;
};

struct DeviceList {
  std::vector<DeviceEntry> devices;  // the CPU last
  std::string reason;                // why there is no other; else empty

  static Result<DeviceList> create() {
    tuff_device_list_t* list = nullptr;
    tuff_error_t* error = nullptr;
    tuff_status_t status = tuff_device_list_create(&list, &error);
    if (status != TUFF_OK) return detail::take(status, error);
    DeviceList out;
    auto text = [&](auto function, uint32_t i) {
      return detail::text([&](char* b, uint64_t c, uint64_t* n) { (void)function(list, i, b, c, n, nullptr); });
    };
    for (uint32_t i = 0; i < tuff_device_list_count(list); ++i) {
      DeviceEntry entry;
      entry.name = text(tuff_device_list_name, i);
      entry.driver = text(tuff_device_list_driver, i);
      entry.uuid = text(tuff_device_list_uuid, i);
      entry.text = text(tuff_device_list_text, i);
      (void)tuff_device_list_info(list, i, &entry.info, nullptr);
      out.devices.push_back(std::move(entry));
    }
    out.reason = detail::text([&](char* b, uint64_t c, uint64_t* n) { tuff_device_list_reason(list, b, c, n); });
    tuff_device_list_release(list);
    return out;
  }
};

struct DeviceOptions {
  std::string_view selector;  // empty: the best device
  bool allow_software = false;
  tuff_log_callback_t log = nullptr;
  void* log_user_data = nullptr;
  const void* vulkan_allocator = nullptr;  // VkAllocationCallbacks
  bool kernel_statistics = false;          // for tuff_kernel_profile_t
};

class Device : public detail::Handle<tuff_device_t, tuff_device_retain, tuff_device_release> {
 public:
  using Handle::Handle;

  static Result<Device> open(const DeviceOptions& options = {}) {
    tuff_device_desc_t desc = TUFF_DEVICE_DESC_INIT;
    desc.allow_software = options.allow_software;
    desc.selector = options.selector.data();
    desc.selector_length = options.selector.size();
    desc.log = options.log;
    desc.log_user_data = options.log_user_data;
    desc.vulkan_allocator = options.vulkan_allocator;
    desc.kernel_statistics = options.kernel_statistics;
    tuff_device_t* device = nullptr;
    tuff_error_t* error = nullptr;
    tuff_status_t status = tuff_device_open(&desc, &device, &error);
    if (status != TUFF_OK) return detail::take(status, error);
    return Device(device);
  }

  // A device known from a text only; name is the text's source.
  static Result<Device> describe(std::string_view text, std::string_view name) {
    tuff_device_t* device = nullptr;
    tuff_error_t* error = nullptr;
    tuff_status_t status = tuff_device_describe(text.data(), text.size(), name.data(), name.size(), &device, &error);
    if (status != TUFF_OK) return detail::take(status, error);
    return Device(device);
  }

  tuff_device_info_t info() const {
    tuff_device_info_t info = TUFF_DEVICE_INFO_INIT;
    (void)tuff_device_get_info(get(), &info, nullptr);
    return info;
  }
  std::string name() const {
    return detail::text([&](char* b, uint64_t c, uint64_t* n) { (void)tuff_device_name(get(), b, c, n, nullptr); });
  }
  std::string driver() const {
    return detail::text([&](char* b, uint64_t c, uint64_t* n) { (void)tuff_device_driver(get(), b, c, n, nullptr); });
  }
};

// ---- Models ----------------------------------------------------------------------------------------------------------

struct SymbolRange {
  std::string name;
  int64_t min = 1;  // -1: 0, there may be none
  int64_t max = 0;  // 0: no bound
  uint32_t divisor = 1;
};

struct InputShape {
  std::string name;
  std::vector<int64_t> sizes;
};

// Pixels in place of a tensor. What `as` says of the tensor's name is not used.
struct Image {
  std::string tensor;
  tuff_image_t as = TUFF_IMAGE_INIT;
};

struct ModelOptions {
  std::vector<SymbolRange> symbols;
  std::vector<InputShape> input_shapes;
  std::vector<std::string> outputs;  // values by name instead of the model's outputs; empty: those
  std::vector<Image> images;
};

// A value that the model computes, and the nodes of the model that it comes from.
struct ModelValue {
  std::string name, nodes;
};

struct TensorInfo {
  std::string name;
  tuff_dtype_t dtype = TUFF_F32;
  std::vector<int64_t> sizes;      // -1 where a size has symbols
  std::vector<std::string> shape;  // the same as text
};

class Model : public detail::Handle<tuff_model_t, tuff_model_retain, tuff_model_release> {
 public:
  using Handle::Handle;

  static Result<Model> load_file(std::string_view path, const ModelOptions& options = {}) {
    return load(options, [&](const tuff_model_desc_t* desc, tuff_model_t** model, tuff_error_t** error) {
      return tuff_model_load_file(path.data(), path.size(), desc, model, error);
    });
  }
  // The bytes are copied.
  static Result<Model> load_memory(std::span<const std::byte> bytes, std::string_view name, const ModelOptions& options = {}) {
    return load(options, [&](const tuff_model_desc_t* desc, tuff_model_t** model, tuff_error_t** error) {
      return tuff_model_load_memory(bytes.data(), bytes.size(), name.data(), name.size(), desc, model, error);
    });
  }

  uint64_t load_time_ns() const { return tuff_model_load_time_ns(get()); }

  std::vector<TensorInfo> tensors(tuff_direction_t direction) const {
    std::vector<TensorInfo> out;
    for (uint32_t i = 0; i < tuff_model_tensor_count(get(), direction); ++i) {
      TensorInfo tensor;
      uint32_t rank = 0;
      (void)tuff_model_tensor_type(get(), direction, i, &tensor.dtype, &rank, nullptr);
      tensor.name = detail::text(
          [&](char* b, uint64_t c, uint64_t* n) { (void)tuff_model_tensor_name(get(), direction, i, b, c, n, nullptr); });
      for (uint32_t axis = 0; axis < rank; ++axis) {
        int64_t size = -1;
        tensor.shape.push_back(detail::text([&](char* b, uint64_t c, uint64_t* n) {
          (void)tuff_model_tensor_axis(get(), direction, i, axis, &size, b, c, n, nullptr);
        }));
        tensor.sizes.push_back(size);
      }
      out.push_back(std::move(tensor));
    }
    return out;
  }

  std::vector<ModelValue> values() const {
    std::vector<ModelValue> out;
    for (uint64_t i = 0; i < tuff_model_value_count(get()); ++i) {
      out.push_back(
          {detail::text([&](char* b, uint64_t c, uint64_t* n) { (void)tuff_model_value_name(get(), i, b, c, n, nullptr); }),
           detail::text([&](char* b, uint64_t c, uint64_t* n) { (void)tuff_model_value_nodes(get(), i, b, c, n, nullptr); })});
    }
    return out;
  }

  std::vector<SymbolRange> symbols() const {
    std::vector<SymbolRange> out;
    for (uint32_t i = 0; i < tuff_model_symbol_count(get()); ++i) {
      tuff_symbol_range_t range = TUFF_SYMBOL_RANGE_INIT;
      SymbolRange symbol;
      symbol.name =
          detail::text([&](char* b, uint64_t c, uint64_t* n) { (void)tuff_model_symbol(get(), i, &range, b, c, n, nullptr); });
      symbol.min = range.min;
      symbol.max = range.max;
      symbol.divisor = range.divisor;
      out.push_back(std::move(symbol));
    }
    return out;
  }

 private:
  template <class Load>
  static Result<Model> load(const ModelOptions& options, Load call) {
    std::vector<tuff_symbol_range_t> symbols;
    for (const SymbolRange& s : options.symbols) {
      symbols.push_back({sizeof(tuff_symbol_range_t), s.divisor, s.min, s.max, s.name.size(), s.name.data()});
    }
    std::vector<tuff_input_shape_t> shapes;
    for (const InputShape& s : options.input_shapes) {
      shapes.push_back(
          {sizeof(tuff_input_shape_t), static_cast<uint32_t>(s.sizes.size()), s.name.size(), s.name.data(), s.sizes.data()});
    }
    std::vector<tuff_value_name_t> outputs;
    for (const std::string& name : options.outputs) outputs.push_back({name.size(), name.data()});
    std::vector<tuff_image_t> images;
    for (const Image& image : options.images) {
      images.push_back(image.as);
      images.back().tensor = image.tensor.data();
      images.back().tensor_length = image.tensor.size();
    }
    tuff_model_desc_t desc = TUFF_MODEL_DESC_INIT;
    desc.images = images.data();
    desc.image_count = images.size();
    desc.outputs = outputs.data();
    desc.output_count = outputs.size();
    desc.symbols = symbols.data();
    desc.symbol_count = static_cast<uint32_t>(symbols.size());
    desc.input_shapes = shapes.data();
    desc.input_shape_count = static_cast<uint32_t>(shapes.size());
    tuff_model_t* model = nullptr;
    tuff_error_t* error = nullptr;
    tuff_status_t status = call(&desc, &model, &error);
    if (status != TUFF_OK) return detail::take(status, error);
    return Model(model);
  }
};

// ---- Programs --------------------------------------------------------------------------------------------------------

// Ends compiles from any thread: tuff_cancel_token_create().
class CancelToken : public detail::Handle<tuff_cancel_token_t, tuff_cancel_token_retain, tuff_cancel_token_release> {
 public:
  using Handle::Handle;

  static Result<CancelToken> create() {
    tuff_cancel_token_t* token = nullptr;
    tuff_error_t* error = nullptr;
    tuff_status_t status = tuff_cancel_token_create(&token, &error);
    if (status != TUFF_OK) return detail::take(status, error);
    return CancelToken(token);
  }
  void cancel() const { tuff_cancel_token_cancel(get()); }
};

// The callbacks are called while a program or an artifact is made, and never later.
struct ProgramOptions {
  bool exact = false;
  bool fuse = true;
  tuff_precision_t precision = TUFF_PRECISION_MODEL;
  std::string cache_dir;     // empty: no cache, or that of cache_load and cache_store
  std::string observations;  // empty: none
  tuff_progress_callback_t progress = nullptr;
  void* progress_user_data = nullptr;
  tuff_kernel_progress_callback_t kernel_progress = nullptr;  // with progress_user_data
  tuff_parallel_for_callback_t parallel_for = nullptr;        // null: the calling thread compiles
  void* parallel_for_user_data = nullptr;
  tuff_cache_load_callback_t cache_load = nullptr;
  tuff_cache_store_callback_t cache_store = nullptr;
  void* cache_user_data = nullptr;
  CancelToken cancel_token;
};

struct SymbolValue {
  std::string name;
  int64_t value = 0;
};

struct StageTime {
  std::string stage;
  uint64_t time_ns = 0;
};

namespace detail {

inline tuff_program_desc_t program_desc(const ProgramOptions& options) {
  tuff_program_desc_t desc = TUFF_PROGRAM_DESC_INIT;
  desc.exact = options.exact;
  desc.no_fuse = !options.fuse;
  desc.precision = options.precision;
  desc.cache_dir = options.cache_dir.data();
  desc.cache_dir_length = options.cache_dir.size();
  desc.observations = options.observations.data();
  desc.observations_length = options.observations.size();
  desc.progress = options.progress;
  desc.progress_user_data = options.progress_user_data;
  desc.kernel_progress = options.kernel_progress;
  desc.parallel_for = options.parallel_for;
  desc.parallel_for_user_data = options.parallel_for_user_data;
  desc.cache_load = options.cache_load;
  desc.cache_store = options.cache_store;
  desc.cache_user_data = options.cache_user_data;
  desc.cancel_token = options.cancel_token.get();
  return desc;
}

inline std::vector<tuff_symbol_value_t> symbol_values(std::span<const SymbolValue> symbols) {
  std::vector<tuff_symbol_value_t> out;
  for (const SymbolValue& s : symbols) {
    out.push_back({s.value, s.name.size(), s.name.data()});
  }
  return out;
}

inline tuff_print_desc_t print_desc(tuff_stage_t stage, tuff_format_t format, std::span<const tuff_symbol_value_t> symbols) {
  tuff_print_desc_t desc = TUFF_PRINT_DESC_INIT;
  desc.stage = stage;
  desc.format = format;
  desc.symbols = symbols.data();
  desc.symbol_count = static_cast<uint32_t>(symbols.size());
  return desc;
}

}  // namespace detail

class Program : public detail::Handle<tuff_program_t, tuff_program_retain, tuff_program_release> {
 public:
  using Handle::Handle;

  static Result<Program> create(const Device& device, const Model& model, const ProgramOptions& options = {}) {
    tuff_program_desc_t desc = detail::program_desc(options);
    tuff_program_t* program = nullptr;
    tuff_error_t* error = nullptr;
    tuff_status_t status = tuff_program_create(device.get(), model.get(), &desc, &program, &error);
    if (status != TUFF_OK) return detail::take(status, error);
    return Program(program);
  }
  // Of an artifact, see tuff_program_load_file().
  static Result<Program> load_file(const Device& device, std::string_view path, const ProgramOptions& options = {}) {
    tuff_program_desc_t desc = detail::program_desc(options);
    tuff_program_t* program = nullptr;
    tuff_error_t* error = nullptr;
    tuff_status_t status = tuff_program_load_file(device.get(), path.data(), path.size(), &desc, &program, &error);
    if (status != TUFF_OK) return detail::take(status, error);
    return Program(program);
  }

  tuff_program_info_t info() const {
    tuff_program_info_t info = TUFF_PROGRAM_INFO_INIT;
    (void)tuff_program_get_info(get(), &info, nullptr);
    return info;
  }
  // The graph that it runs.
  Model model() const {
    tuff_model_t* model = nullptr;
    (void)tuff_program_model(get(), &model, nullptr);
    return Model(model);
  }
  std::vector<StageTime> stage_times() const {
    std::vector<StageTime> out(info().stage_count);
    for (uint32_t i = 0; i < out.size(); ++i) {
      out[i].stage = detail::text([&](char* b, uint64_t c, uint64_t* n) {
        (void)tuff_program_stage_time(get(), i, &out[i].time_ns, b, c, n, nullptr);
      });
    }
    return out;
  }
};

// Compiles a model ahead: tuff_artifact_write_file().
inline Status write_artifact(const Model& model, std::span<const Device> devices, std::string_view path,
                             const ProgramOptions& options = {}) {
  tuff_program_desc_t desc = detail::program_desc(options);
  std::vector<tuff_device_t*> handles;
  for (const Device& device : devices) handles.push_back(device.get());
  tuff_error_t* error = nullptr;
  tuff_status_t status = tuff_artifact_write_file(model.get(), handles.data(), static_cast<uint32_t>(handles.size()), &desc,
                                                  path.data(), path.size(), &error);
  if (status != TUFF_OK) return detail::take(status, error);
  return {};
}

// Any stage of a compile, as text. The buffer starts large: a second call would run the stages again.
inline Result<std::string> print_stage(const Device& device, const Model& model, const ProgramOptions& options,
                                       tuff_stage_t stage, tuff_format_t format = TUFF_FORMAT_TEXT,
                                       std::span<const SymbolValue> symbols = {}) {
  tuff_program_desc_t program = detail::program_desc(options);
  std::vector<tuff_symbol_value_t> values = detail::symbol_values(symbols);
  const tuff_print_desc_t print = detail::print_desc(stage, format, values);
  return detail::checked_text(
      [&](char* b, uint64_t c, uint64_t* n, tuff_error_t** error) {
        return tuff_program_print(device.get(), model.get(), &program, &print, b, c, n, error);
      },
      uint64_t{16} << 20);
}

// A stage of a program that is made, see tuff_program_text().
inline Result<std::string> print_stage(const Program& program, tuff_stage_t stage, tuff_format_t format = TUFF_FORMAT_TEXT,
                                       std::span<const SymbolValue> symbols = {}) {
  std::vector<tuff_symbol_value_t> values = detail::symbol_values(symbols);
  const tuff_print_desc_t print = detail::print_desc(stage, format, values);
  return detail::checked_text([&](char* b, uint64_t c, uint64_t* n,
                                  tuff_error_t** error) { return tuff_program_text(program.get(), &print, b, c, n, error); },
                              uint64_t{1} << 20);
}

// ---- Sessions --------------------------------------------------------------------------------------------------------

struct SessionOptions {
  uint64_t prepared_shape_count = 4;
  uint64_t memory_limit_bytes = 0;
  bool timestamps = false;
  uint32_t in_flight_count = 1;
  bool cancellable = false;
  uint64_t submit_time_limit_ns = 0;  // 0: one submit a run
  std::vector<std::string> dynamic_dimensions;
};

// Elements in the caller's memory, row-major without gaps unless byte_strides says otherwise.
struct Tensor {
  tuff_dtype_t dtype = TUFF_F32;
  std::span<const int64_t> shape;  // empty: the session's
  void* data = nullptr;
  uint64_t size_bytes = 0;
  std::span<const int64_t> byte_strides;

  tuff_tensor_desc_t desc() const {
    tuff_tensor_desc_t d = TUFF_TENSOR_DESC_INIT;
    d.dtype = dtype;
    d.rank = static_cast<uint32_t>(shape.size());
    d.size_bytes = size_bytes;
    d.shape = shape.empty() ? nullptr : shape.data();
    d.byte_strides = byte_strides.empty() ? nullptr : byte_strides.data();
    d.data = data;
    return d;
  }
};

struct ProfileOptions {
  uint32_t run_count = 1, warmup_count = 0;
  bool host_clock = false;  // though the device has timestamps
};

// Where the time of a run went, kernel by kernel: tuff_session_profile(). Indices are in run order, below
// info().kernel_count.
class Profile : public detail::Handle<tuff_profile_t, tuff_profile_retain, tuff_profile_release> {
 public:
  using Handle::Handle;

  tuff_profile_info_t info() const {
    tuff_profile_info_t info = TUFF_PROFILE_INFO_INIT;
    (void)tuff_profile_get_info(get(), &info, nullptr);
    return info;
  }
  tuff_kernel_profile_t kernel(uint32_t index) const {
    tuff_kernel_profile_t kernel = TUFF_KERNEL_PROFILE_INIT;
    (void)tuff_profile_kernel(get(), index, &kernel, nullptr);
    return kernel;
  }
  std::vector<uint64_t> kernel_times(uint32_t index) const {
    std::vector<uint64_t> times(info().run_count);
    (void)tuff_profile_kernel_times(get(), index, times.data(), static_cast<uint32_t>(times.size()), nullptr, nullptr);
    return times;
  }
  std::string kernel_text(uint32_t index, tuff_kernel_text_t which) const {
    return detail::text(
        [&](char* b, uint64_t c, uint64_t* n) { (void)tuff_profile_kernel_text(get(), index, which, b, c, n, nullptr); });
  }
};

class Session : public detail::Handle<tuff_session_t, tuff_session_retain, tuff_session_release> {
 public:
  using Handle::Handle;

  static Result<Session> create(const Program& program, const SessionOptions& options = {}) {
    tuff_session_desc_t desc = TUFF_SESSION_DESC_INIT;
    desc.prepared_shape_count = options.prepared_shape_count;
    desc.memory_limit_bytes = options.memory_limit_bytes;
    desc.timestamps = options.timestamps;
    desc.in_flight_count = options.in_flight_count;
    desc.cancellable = options.cancellable;
    desc.submit_time_limit_ns = options.submit_time_limit_ns;
    std::vector<tuff_value_name_t> dynamic;
    for (const std::string& name : options.dynamic_dimensions) dynamic.push_back({name.size(), name.data()});
    desc.dynamic_dimension_count = dynamic.size();
    desc.dynamic_dimensions = dynamic.data();
    tuff_session_t* session = nullptr;
    tuff_error_t* error = nullptr;
    tuff_status_t status = tuff_session_create(program.get(), &desc, &session, &error);
    if (status != TUFF_OK) return detail::take(status, error);
    return Session(session);
  }

  // After TUFF_DEVICE_LOST, with a program made anew: tuff_session_recover().
  Status recover(const Program& program) {
    return checked([&](tuff_error_t** error) { return tuff_session_recover(get(), program.get(), error); });
  }
  Status prepare(std::span<const SymbolValue> symbols = {}) {
    std::vector<tuff_symbol_value_t> values = detail::symbol_values(symbols);
    return checked([&](tuff_error_t** error) {
      return tuff_session_prepare(get(), values.data(), static_cast<uint32_t>(values.size()), error);
    });
  }
  // For the shapes of all inputs; their data is not read.
  Status prepare_inputs(std::span<const Tensor> inputs) {
    std::vector<tuff_tensor_desc_t> in;
    for (const Tensor& t : inputs) in.push_back(t.desc());
    return checked([&](tuff_error_t** error) {
      return tuff_session_prepare_inputs(get(), in.data(), static_cast<uint32_t>(in.size()), error);
    });
  }
  Status set_input(uint32_t index, const Tensor& input) {
    tuff_tensor_desc_t desc = input.desc();
    return checked([&](tuff_error_t** error) { return tuff_session_set_input(get(), index, &desc, error); });
  }
  Status read_output(uint32_t index, const Tensor& output) {
    tuff_tensor_desc_t desc = output.desc();
    return checked([&](tuff_error_t** error) { return tuff_session_read_output(get(), index, &desc, error); });
  }
  // Without inputs: those that set_input wrote.
  Status run(std::span<const Tensor> inputs = {}, std::span<const Tensor> outputs = {}) {
    std::vector<tuff_tensor_desc_t> in, out;
    for (const Tensor& t : inputs) in.push_back(t.desc());
    for (const Tensor& t : outputs) out.push_back(t.desc());
    return checked([&](tuff_error_t** error) {
      return tuff_session_run(get(), in.empty() ? nullptr : in.data(), static_cast<uint32_t>(in.size()),
                              out.empty() ? nullptr : out.data(), static_cast<uint32_t>(out.size()), error);
    });
  }

  // Of the current shape.
  std::vector<int64_t> shape(tuff_direction_t direction, uint32_t index) const {
    uint32_t rank = 0;
    if (tuff_session_tensor_shape(get(), direction, index, nullptr, 0, &rank, nullptr) != TUFF_OK) return {};
    std::vector<int64_t> sizes(rank);
    (void)tuff_session_tensor_shape(get(), direction, index, sizes.data(), rank, &rank, nullptr);
    return sizes;
  }
  // Of the run that ended last, where the data decide it; empty before one.
  std::vector<int64_t> output_shape(uint32_t index) const {
    uint32_t rank = 0;
    if (tuff_session_output_shape(get(), index, nullptr, 0, &rank, nullptr) != TUFF_OK) return {};
    std::vector<int64_t> sizes(rank);
    (void)tuff_session_output_shape(get(), index, sizes.data(), rank, &rank, nullptr);
    return sizes;
  }
  tuff_session_info_t info() const {
    tuff_session_info_t info = TUFF_SESSION_INFO_INIT;
    (void)tuff_session_get_info(get(), &info, nullptr);
    return info;
  }
  // Nanoseconds of each dispatch of the last run; empty without timestamps.
  std::vector<uint64_t> dispatch_times() const {
    uint32_t count = 0;
    if (tuff_session_dispatch_times(get(), nullptr, 0, &count, nullptr) != TUFF_OK) return {};
    std::vector<uint64_t> times(count);
    (void)tuff_session_dispatch_times(get(), times.data(), count, &count, nullptr);
    return times;
  }
  // Of the current shape, with the inputs that set_input wrote.
  Result<Profile> profile(const ProfileOptions& options = {}) {
    tuff_profile_desc_t desc = TUFF_PROFILE_DESC_INIT;
    desc.run_count = options.run_count;
    desc.warmup_count = options.warmup_count;
    desc.host_clock = options.host_clock;
    tuff_profile_t* profile = nullptr;
    Status status = checked([&](tuff_error_t** error) { return tuff_session_profile(get(), &desc, &profile, error); });
    if (!status) return status.error();
    return Profile(profile);
  }

 private:
  template <class Call>
  static Status checked(Call call) {
    tuff_error_t* error = nullptr;
    tuff_status_t status = call(&error);
    if (status != TUFF_OK) return detail::take(status, error);
    return {};
  }
};

// tuff_program_error_bounds(): truths and bounds are TUFF_F64 tensors of the outputs' shapes.
inline Status error_bounds(const Program& program, std::span<const Tensor> inputs, std::span<const Tensor> outputs,
                           std::span<const Tensor> truths, std::span<const Tensor> bounds,
                           std::span<const SymbolValue> symbols = {}) {
  auto descs = [](std::span<const Tensor> tensors) {
    std::vector<tuff_tensor_desc_t> out;
    for (const Tensor& t : tensors) out.push_back(t.desc());
    return out;
  };
  const auto in = descs(inputs), out = descs(outputs), truth = descs(truths), bound = descs(bounds);
  const std::vector<tuff_symbol_value_t> values = detail::symbol_values(symbols);
  tuff_error_t* error = nullptr;
  if (truth.size() != out.size() || bound.size() != out.size())
    return Error{TUFF_INVALID_ARGUMENT, "There is one truth and one bound for each output."};
  tuff_status_t status = tuff_program_error_bounds(program.get(), in.data(), static_cast<uint32_t>(in.size()), values.data(),
                                                   static_cast<uint32_t>(values.size()), out.data(), truth.data(), bound.data(),
                                                   static_cast<uint32_t>(out.size()), &error);
  if (status != TUFF_OK) return detail::take(status, error);
  return {};
}

}  // namespace cpp
}  // namespace tuff
