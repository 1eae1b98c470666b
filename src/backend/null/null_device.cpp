#include "backend/null/null_device.h"

#include <atomic>
#include <cstring>

// To write a backend: copy this file, one class a file; give it a find function that returns a DeviceSource
// (backend/source.h); add its row to backend.cpp; pass tests/backend.

namespace tuff {
namespace {

class NullDevice;

// A real backend asks its API for memory of the wanted use, and maps it where the host may see it.
class NullBuffer final : public Buffer {
 public:
  explicit NullBuffer(uint64_t size_bytes) : bytes_(size_bytes) {}
  uint64_t size_bytes() const override { return bytes_.size(); }
  std::byte* mapped() override { return bytes_.data(); }
  Status flush() override { return ok_status(); }
  Status invalidate() override { return ok_status(); }

 private:
  std::vector<std::byte> bytes_;
};

// A real backend holds one compiled kernel for each of CompiledKernels, in its order, since BoundPlan names them by
// KernelId; kernels with equal hashes share one.
class NullPipelines final : public Pipelines {
 public:
  explicit NullPipelines(size_t kernel_count) : kernel_count(kernel_count) {}
  const size_t kernel_count;
};

struct Counters {
  std::atomic<uint64_t> submits{0}, recordings{0}, allocations{0}, descriptor_writes{0}, pipelines{0};
};

// A real backend writes, in this order: zeros into counters, copies_before and a barrier; each dispatch, with a barrier before
// it where barrier_before says so and nowhere else; a barrier and copies_after; what makes the results visible to the host.
// Barriers order what is in different submits too: a split needs none of its own.
class NullRecording final : public Recording {
 public:
  NullRecording(std::shared_ptr<NullDevice> device, Counters& counters, const RecordDesc& desc)
      : device_(std::move(device)),
        counters_(counters),
        pipelines_(desc.pipelines),
        submit_count_(desc.splits.size() + 1),
        dispatch_count_(desc.timestamps ? desc.plan->dispatches.size() : 0) {
    // The contract of backend.h: a recording keeps alive what it uses.
    for (const auto* list : {&desc.inputs, &desc.outputs})
      for (const BufferSlice& slice : *list) buffers_.push_back(slice.buffer);
    buffers_.insert(buffers_.end(), desc.keep_alive.begin(), desc.keep_alive.end());
    for (const auto& buffer : {desc.weights, desc.arena, desc.counters, desc.parameters, desc.grids})
      buffers_.push_back(buffer);
  }
  Status submit(const SubmitDesc&) override {
    if (in_flight_) return {Code::kBusy, "The previous run has not been waited for."};
    in_flight_ = true;
    counters_.submits += submit_count_;
    return ok_status();
  }
  Status write_into(uint64_t) override { return ok_status(); }
  Result<bool> wait(uint64_t) override {
    in_flight_ = false;
    return true;
  }
  Result<std::vector<uint64_t>> dispatch_times_ns() override { return std::vector<uint64_t>(dispatch_count_, 0); }

 private:
  std::shared_ptr<NullDevice> device_;
  Counters& counters_;
  std::shared_ptr<Pipelines> pipelines_;
  std::vector<std::shared_ptr<Buffer>> buffers_;
  size_t submit_count_, dispatch_count_;
  bool in_flight_ = false;
};

class NullDevice final : public Device, public std::enable_shared_from_this<NullDevice> {
 public:
  explicit NullDevice(DeviceInfo info) : info_(std::move(info)) {}

  const DeviceInfo& info() const override { return info_; }

  // Limits are checked before the API is asked: what it does with a size that it cannot serve is not known.
  Result<std::shared_ptr<Buffer>> allocate(MemoryUse, uint64_t size_bytes) override {
    if (size_bytes == 0) return invalid_argument("A buffer of 0 bytes was asked for.");
    if (size_bytes > static_cast<uint64_t>(info_.max_buffer_bytes))
      return limit_exceeded("A buffer of " + std::to_string(size_bytes) + " bytes is above the " +
                            std::to_string(info_.max_buffer_bytes) + " that '" + info_.name + "' allows.");
    ++counters_.allocations;
    return std::shared_ptr<Buffer>(std::make_shared<NullBuffer>(size_bytes));
  }

  Result<std::shared_ptr<Buffer>> borrow_buffer(uint64_t, uint64_t) override {
    return unsupported("The null device has no API whose buffers it could borrow.");
  }

  Status upload(Buffer& dst, uint64_t offset, std::span<const std::byte> data) override {
    if (offset > dst.size_bytes() || data.size() > dst.size_bytes() - offset)
      return invalid_argument("An upload of " + std::to_string(data.size()) + " bytes at " + std::to_string(offset) +
                              " does not fit into a buffer of " + std::to_string(dst.size_bytes()) + ".");
    if (!data.empty()) std::memcpy(dst.mapped() + offset, data.data(), data.size());
    return ok_status();
  }

  Status download(Buffer& src, uint64_t offset, std::span<std::byte> data) override {
    if (offset > src.size_bytes() || data.size() > src.size_bytes() - offset)
      return invalid_argument("A download of " + std::to_string(data.size()) + " bytes at " + std::to_string(offset) +
                              " does not fit into a buffer of " + std::to_string(src.size_bytes()) + ".");
    if (!data.empty()) std::memcpy(data.data(), src.mapped() + offset, data.size());
    return ok_status();
  }

  Result<std::shared_ptr<Pipelines>> create_pipelines(const CompiledKernels& kernels, const PipelineOptions& options) override {
    TUFF_TRY(for_each(static_cast<uint32_t>(kernels.kernels.size()), options.workers, [](uint32_t) { return ok_status(); }));
    counters_.pipelines += kernels.kernels.size();
    return std::shared_ptr<Pipelines>(std::make_shared<NullPipelines>(kernels.kernels.size()));
  }

  Result<std::shared_ptr<Recording>> record(const RecordDesc& desc) override {
    if (desc.plan == nullptr || desc.pipelines == nullptr)
      return invalid_argument("A recording needs a plan and its pipelines.");
    if (!desc.splits.empty() && desc.splits.back() >= desc.plan->dispatches.size())
      return invalid_argument("A recording is split behind its last dispatch.");
    const size_t kernel_count = static_cast<NullPipelines&>(*desc.pipelines).kernel_count;
    for (const BoundDispatch& dispatch : desc.plan->dispatches) {
      if (dispatch.kernel.value >= kernel_count) return internal_error("A dispatch names a kernel that is not there.");
      counters_.descriptor_writes += dispatch.ranges.size() + (dispatch.parameter_bytes > 0 ? 1 : 0);
    }
    ++counters_.recordings;
    return std::shared_ptr<Recording>(std::make_shared<NullRecording>(shared_from_this(), counters_, desc));
  }

  DeviceCounters counters() const override {
    return {counters_.submits, counters_.recordings, counters_.allocations, counters_.descriptor_writes, counters_.pipelines};
  }
  std::vector<PipelineStatistics> statistics(Pipelines&) override { return {}; }

 private:
  DeviceInfo info_;
  Counters counters_;
};

}  // namespace

std::shared_ptr<Device> open_null_device(DeviceInfo info) { return std::make_shared<NullDevice>(std::move(info)); }

}  // namespace tuff
