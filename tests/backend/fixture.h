// What the backend tests share: every device of the machine, opened with its messages caught, and plans written by hand.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "backend/backend.h"

namespace tuff::test {

// Opens each device in turn and runs the body on it. Fails on validation messages, also on those of its release.
void for_each_device(const std::function<void(Device& device, std::vector<std::string>& messages)>& body,
                     const OpenOptions& options = {});

bool validation_is_on();  // the validation layer runs, with synchronisation checks

enum KernelIndex : uint32_t { kCopy, kAdd, kSquare };
CompiledKernels test_kernels();
CompiledKernel slow_kernel();  // apart, because drivers take long to compile it too

// Bytes of a BoundPlan's parameter block of up to four words, at the next aligned offset.
struct ParameterBlock {
  uint64_t offset, size_bytes;
};
ParameterBlock append_parameters(BoundPlan& plan, const DeviceInfo& info, std::vector<int32_t> words);

BoundRange input(uint32_t index, uint64_t size_bytes);
BoundRange output(uint32_t index, uint64_t size_bytes);
BoundRange arena(uint64_t offset, uint64_t size_bytes, Access access);
BoundRange weights(uint64_t offset, uint64_t size_bytes);

struct DispatchDesc {
  KernelIndex kernel;
  std::vector<BoundRange> ranges;
  std::vector<int32_t> parameters;
  std::array<uint32_t, 3> grid;
  bool barrier_before = false;
};
void append(BoundPlan& plan, const DeviceInfo& info, const DispatchDesc& desc);

// The parameters of the plan in an uploaded buffer; null if there are none.
std::shared_ptr<Buffer> parameter_buffer(Device& device, const BoundPlan& plan);
std::shared_ptr<Buffer> allocate(Device& device, MemoryUse use, uint64_t size_bytes);
std::shared_ptr<Buffer> upload_buffer(Device& device, const std::vector<float>& values);
std::shared_ptr<Pipelines> pipelines_of(Device& device);
std::shared_ptr<Recording> record(Device& device, const RecordDesc& desc);

void write_floats(Buffer& buffer, const std::vector<float>& values);
std::vector<float> read_floats(Buffer& buffer, size_t count);
// Submits and waits; fails the test on any other outcome.
void run(Recording& recording);

}  // namespace tuff::test
