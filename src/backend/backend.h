// The seam between Tuff and an API that runs kernels. A backend is a Device and what it makes; backend/null is the
// skeleton to copy, and tests/backend what a new one has to pass.
//
// Ownership: whatever a Device makes keeps the Device alive; a Recording keeps its Pipelines and Buffers alive.
// Threads: a Device and Pipelines may be shared; a Buffer and a Recording belong to one thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/workers.h"
#include "device/device_info.h"
#include "device/kernel_usage.h"
#include "module/compiled_kernels.h"
#include "plan/plan.h"

namespace tuff {

enum class MemoryUse : uint8_t {
  kDevice,    // read and written by kernels; fastest
  kUpload,    // written by the host, read by kernels or copies; mapped
  kReadback,  // written by kernels or copies, read by the host; mapped, cached where there is a choice
};

class Buffer {
 public:
  virtual ~Buffer() = default;
  virtual uint64_t size_bytes() const = 0;
  virtual std::byte* mapped() = 0;                      // null for kDevice unless memory is unified
  virtual uint64_t native_handle() const { return 0; }  // in the backend's API; 0 where there is none
  // Makes host writes visible to the device, and device writes to the host; nothing to do on coherent memory.
  virtual Status flush() = 0;
  virtual Status invalidate() = 0;
};

class Pipelines {  // the kernels of one program, compiled by the driver
 public:
  virtual ~Pipelines() = default;
};

struct BufferCopy {
  Buffer* src = nullptr;
  Buffer* dst = nullptr;
  uint64_t size_bytes = 0;
};

// The bytes of a buffer from offset_bytes on.
struct BufferSlice {
  BufferSlice(std::shared_ptr<Buffer> whole = nullptr, uint64_t offset = 0) : buffer(std::move(whole)), offset_bytes(offset) {}
  friend bool operator==(const BufferSlice&, const BufferSlice&) = default;

  std::shared_ptr<Buffer> buffer;
  uint64_t offset_bytes = 0;
};

// Bytes a dispatch in RecordDesc::grids: three counts of workgroups.
inline constexpr uint64_t kGridBytes = 3 * sizeof(uint32_t);

struct RecordDesc {
  const BoundPlan* plan = nullptr;
  std::shared_ptr<Pipelines> pipelines;
  std::vector<BufferSlice> inputs, outputs;            // by index, at least storage_bytes each
  std::shared_ptr<Buffer> weights, arena, parameters;  // null where the plan needs none
  std::shared_ptr<Buffer> counters;                    // the same; each run begins with zeros there
  // Null, or each dispatch takes its grid from here when it starts (kGridBytes each, kUpload memory). What the host sets to
  // zero while a run is under way does not run any more, as soon as the device sees it.
  std::shared_ptr<Buffer> grids;
  std::vector<BufferCopy> copies_before, copies_after;  // uploads and read-backs inside the same submit
  std::vector<std::shared_ptr<Buffer>> keep_alive;      // staging buffers that copies name
  bool timestamps = false;                              // one after each dispatch
  std::vector<uint32_t> splits;  // dispatches, ascending, before which another submit begins; none: one submit a run
};

// A semaphore of the backend's API, by its handle there. value: of a timeline; 0 for a binary one.
struct SemaphoreUse {
  uint64_t handle = 0;
  uint64_t value = 0;
};

struct SubmitDesc {
  std::span<const SemaphoreUse> waits, signals;
};

class Recording {  // command buffers recorded once, one a submit
 public:
  virtual ~Recording() = default;
  // All submits of a run, nobody else's between them: the first waits for the semaphores, the last signals. BUSY while the
  // previous run has not been waited for.
  virtual Status submit(const SubmitDesc& desc = {}) = 0;
  // Writes the same commands, with the plan's own grids and without timestamps, into one command buffer of the backend's API,
  // which is being recorded. This Recording has to live until the device is done with them.
  virtual Status write_into(uint64_t command_buffer) = 0;
  virtual Result<bool> wait(uint64_t timeout_ns) = 0;  // false: not finished in time; sleeps, never spins
  // After wait(): device time of each dispatch; empty without timestamps.
  virtual Result<std::vector<uint64_t>> dispatch_times_ns() = 0;
};

// What the device has done since it was opened: these are the figures that do not depend on the machine.
struct DeviceCounters {
  uint64_t submits = 0, recordings = 0, allocations = 0, descriptor_writes = 0, pipelines = 0;
};

// What a driver says of a compiled kernel (VK_KHR_pipeline_executable_properties); name-value pairs as it gives them.
struct PipelineStatistics {
  std::string kernel;
  std::vector<std::pair<std::string, std::string>> values;
  KernelUsage usage;  // what can be read of them
};

struct PipelineOptions {
  // Load and store of the driver's own cache blob; both may be null. The backend checks what it loads (own hash, device,
  // driver) before the driver sees it.
  std::function<std::vector<std::byte>()> load = nullptr;
  std::function<void(std::span<const std::byte>)> store = nullptr;
  Workers workers = {};  // a piece a pipeline
  // By kernel: why the driver made no pipeline of it, other than for want of memory or a device; no dispatch may name it then.
  // Null: the first such kernel is an error.
  std::vector<Status>* refused = nullptr;
};

class Device {
 public:
  virtual ~Device() = default;
  virtual const DeviceInfo& info() const = 0;
  virtual Result<std::shared_ptr<Buffer>> allocate(MemoryUse use, uint64_t size_bytes) = 0;
  // A buffer of the backend's API that someone else owns, by its handle there. It outlives what uses it.
  virtual Result<std::shared_ptr<Buffer>> borrow_buffer(uint64_t handle, uint64_t size_bytes) = 0;
  // Copies through staging where the buffer is not mapped; returns when done.
  virtual Status upload(Buffer& dst, uint64_t offset, std::span<const std::byte> data) = 0;
  virtual Status download(Buffer& src, uint64_t offset, std::span<std::byte> data) = 0;
  virtual Result<std::shared_ptr<Pipelines>> create_pipelines(const CompiledKernels& kernels,
                                                              const PipelineOptions& options) = 0;
  virtual Result<std::shared_ptr<Recording>> record(const RecordDesc& desc) = 0;
  virtual DeviceCounters counters() const = 0;
  // Severity and message, to OpenOptions::log where there is one.
  virtual void log(int, std::string_view) const {}
  virtual std::vector<PipelineStatistics> statistics(Pipelines& pipelines) = 0;  // empty where unsupported
};

struct DeviceEntry {
  DeviceInfo info;
  std::string backend;  // "vulkan"
};

struct OpenOptions {
  bool allow_software = false;  // drivers of kind kSoftware
  bool statistics = false;      // ask for pipeline statistics at creation (costs compile time)
  std::function<void(int severity, std::string_view message)> log;  // 0 error, 1 warning, 2 info; may be null
  const void* vulkan_allocator = nullptr;                           // VkAllocationCallbacks; null: the driver's own
};

// Every device of every backend of this build. A missing loader is not an error here: the list is empty and
// `why_empty` says so in a sentence.
struct DeviceList {
  std::vector<DeviceEntry> devices;
  std::string why_empty;
};
DeviceList list_devices();
// selector: "" (the best), an index of the list, a part of a name, or a UUID.
Result<std::shared_ptr<Device>> open_device(std::string_view selector, const OpenOptions& options);

}  // namespace tuff
