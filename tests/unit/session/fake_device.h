// A device that a test can look into and make fail. Recordings do their copies and nothing else.
#pragma once

#include <cstring>

#include "backend/backend.h"

namespace tuff {

class FakeBuffer : public Buffer {
 public:
  FakeBuffer(uint64_t size_bytes, bool mapped) : bytes(size_bytes), mapped_(mapped) {}
  uint64_t size_bytes() const override { return bytes.size(); }
  std::byte* mapped() override { return mapped_ ? bytes.data() : nullptr; }
  Status flush() override { return ok_status(); }
  Status invalidate() override { return ok_status(); }

  std::vector<std::byte> bytes;

 private:
  bool mapped_;
};

// The first `count` elements of a FakeBuffer.
inline std::vector<float> floats_in(const Buffer& buffer, size_t count) {
  std::vector<float> elements(count);
  if (count > 0) std::memcpy(elements.data(), static_cast<const FakeBuffer&>(buffer).bytes.data(), count * sizeof(float));
  return elements;
}

class FakeDevice : public Device, public std::enable_shared_from_this<FakeDevice> {
 public:
  explicit FakeDevice(bool unified) {
    info_.name = "fake";
    info_.unified_memory = unified;
  }

  bool finishes = true;
  bool lost = false;
  int allocations_until_failure = -1;  // -1: none fails
  std::vector<uint64_t> times_ns;      // of each dispatch, for recordings with timestamps
  std::vector<RecordDesc> recorded;
  mutable std::vector<std::string> messages;  // logged, with their severity

  const DeviceInfo& info() const override { return info_; }

  Result<std::shared_ptr<Buffer>> allocate(MemoryUse use, uint64_t size_bytes) override {
    if (allocations_until_failure == 0) return out_of_memory("The fake device has no memory left.");
    if (allocations_until_failure > 0) --allocations_until_failure;
    ++counters_.allocations;
    bool mapped = info_.unified_memory || use != MemoryUse::kDevice;
    return std::shared_ptr<Buffer>(std::make_shared<FakeBuffer>(size_bytes, mapped));
  }
  Status upload(Buffer& dst, uint64_t offset, std::span<const std::byte> data) override {
    std::memcpy(static_cast<FakeBuffer&>(dst).bytes.data() + offset, data.data(), data.size());
    return ok_status();
  }
  Status download(Buffer& src, uint64_t offset, std::span<std::byte> data) override {
    std::memcpy(data.data(), static_cast<FakeBuffer&>(src).bytes.data() + offset, data.size());
    return ok_status();
  }
  Result<std::shared_ptr<Buffer>> borrow_buffer(uint64_t, uint64_t size_bytes) override {
    return std::shared_ptr<Buffer>(std::make_shared<FakeBuffer>(size_bytes, false));
  }
  Result<std::shared_ptr<Pipelines>> create_pipelines(const CompiledKernels&, const PipelineOptions&) override {
    return std::make_shared<Pipelines>();
  }
  Result<std::shared_ptr<Recording>> record(const RecordDesc& desc) override;
  DeviceCounters counters() const override { return counters_; }
  void log(int severity, std::string_view message) const override {
    messages.push_back(std::to_string(severity) + " " + std::string(message));
  }
  std::vector<PipelineStatistics> statistics(Pipelines&) override { return {}; }

  DeviceCounters counters_;

 private:
  DeviceInfo info_;
};

class FakeRecording : public Recording {
 public:
  FakeRecording(std::shared_ptr<FakeDevice> device, RecordDesc desc) : device_(std::move(device)), desc_(std::move(desc)) {}

  Status submit(const SubmitDesc&) override {
    if (in_flight_) return Status(Code::kBusy, "The fake recording is in flight.");
    in_flight_ = true;
    device_->counters_.submits += desc_.splits.size() + 1;
    for (const BufferCopy& copy : desc_.copies_before) do_copy(copy);
    return ok_status();
  }
  Status write_into(uint64_t) override { return ok_status(); }
  Result<bool> wait(uint64_t) override {
    if (device_->lost) return Status(Code::kDeviceLost, "The fake device is lost.");
    if (!device_->finishes) return false;
    if (in_flight_) {
      for (const BufferCopy& copy : desc_.copies_after) do_copy(copy);
    }
    in_flight_ = false;
    return true;
  }
  Result<std::vector<uint64_t>> dispatch_times_ns() override {
    return desc_.timestamps ? device_->times_ns : std::vector<uint64_t>();
  }

 private:
  static void do_copy(const BufferCopy& copy) {
    std::memcpy(static_cast<FakeBuffer*>(copy.dst)->bytes.data(), static_cast<FakeBuffer*>(copy.src)->bytes.data(),
                copy.size_bytes);
  }

  std::shared_ptr<FakeDevice> device_;
  RecordDesc desc_;
  bool in_flight_ = false;
};

inline Result<std::shared_ptr<Recording>> FakeDevice::record(const RecordDesc& desc) {
  ++counters_.recordings;
  recorded.push_back(desc);
  return std::shared_ptr<Recording>(std::make_shared<FakeRecording>(shared_from_this(), desc));
}

}  // namespace tuff
