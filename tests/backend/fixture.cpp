#include "fixture.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <cstring>

#include "base/checked.h"
#include "spirv/add.h"
#include "spirv/copy.h"
#include "spirv/slow.h"
#include "spirv/square.h"

namespace tuff::test {
namespace {

template <size_t kCount>
CompiledKernel kernel(const char* name, const uint32_t (&words)[kCount], uint32_t workgroup, uint32_t buffers,
                      bool has_parameters) {
  CompiledKernel k;
  k.name = name;
  k.spirv.assign(words, words + kCount);
  k.hash = hash_bytes(words, sizeof words);
  k.workgroup = {workgroup, 1, 1};
  k.texel_words.assign(buffers, 0);
  k.has_parameters = has_parameters;
  return k;
}

}  // namespace

bool validation_is_on() { return std::getenv("TUFF_TEST_VALIDATION") != nullptr; }

void for_each_device(const std::function<void(Device&, std::vector<std::string>&)>& body, const OpenOptions& wanted) {
  const DeviceList list = list_devices();
  INFO(list.why_empty);
  REQUIRE(!list.devices.empty());
  for (size_t i = 0; i < list.devices.size(); ++i) {
    INFO("device ", list.devices[i].info.name);
    std::vector<std::string> messages;
    OpenOptions options = wanted;
    options.allow_software = true;
    options.log = [&](int severity, std::string_view message) {
      if (severity <= 1) messages.emplace_back(message);
    };
    {
      Result<std::shared_ptr<Device>> device = open_device(std::to_string(i), options);
      INFO(device.status().message());
      REQUIRE(device.ok());
      body(**device, messages);
    }
    for (const std::string& message : messages) {
      INFO(message);
      CHECK(message.find("Vulkan validation: ") == std::string::npos);
    }
  }
}

CompiledKernels test_kernels() {
  return {{kernel("copy", k_copy_spirv, 64, 2, true), kernel("add", k_add_spirv, 64, 3, true),
           kernel("square", k_square_spirv, 1, 2, false)}};
}
CompiledKernel slow_kernel() { return kernel("slow", k_slow_spirv, 64, 1, true); }

ParameterBlock append_parameters(BoundPlan& plan, const DeviceInfo& info, std::vector<int32_t> words) {
  words.resize(4);
  const int64_t start = round_up(static_cast<int64_t>(plan.parameters.size() * 4), info.uniform_offset_alignment);
  plan.parameters.resize(static_cast<size_t>(start / 4));
  plan.parameters.insert(plan.parameters.end(), words.begin(), words.end());
  return {static_cast<uint64_t>(start), 16};
}

BoundRange input(uint32_t index, uint64_t size_bytes) { return {BufferKind::kInput, index, 0, size_bytes, Access::kRead, {}}; }
BoundRange output(uint32_t index, uint64_t size_bytes) {
  return {BufferKind::kOutput, index, 0, size_bytes, Access::kWrite, {}};
}
BoundRange arena(uint64_t offset, uint64_t size_bytes, Access access) {
  return {BufferKind::kArena, 0, offset, size_bytes, access, {}};
}
BoundRange weights(uint64_t offset, uint64_t size_bytes) {
  return {BufferKind::kWeights, 0, offset, size_bytes, Access::kRead, {}};
}

void append(BoundPlan& plan, const DeviceInfo& info, const DispatchDesc& desc) {
  BoundDispatch dispatch;
  dispatch.kernel = KernelId(desc.kernel);
  dispatch.step = StepId(plan.dispatches.size());
  dispatch.grid = desc.grid;
  dispatch.ranges = desc.ranges;
  if (!desc.parameters.empty()) {
    const ParameterBlock block = append_parameters(plan, info, desc.parameters);
    dispatch.parameter_offset = block.offset;
    dispatch.parameter_bytes = block.size_bytes;
  }
  dispatch.barrier_before = desc.barrier_before;
  plan.barrier_count += desc.barrier_before ? 1 : 0;
  plan.dispatches.push_back(std::move(dispatch));
}

std::shared_ptr<Buffer> allocate(Device& device, MemoryUse use, uint64_t size_bytes) {
  Result<std::shared_ptr<Buffer>> buffer = device.allocate(use, size_bytes);
  INFO(buffer.status().message());
  REQUIRE(buffer.ok());
  return *buffer;
}

std::shared_ptr<Buffer> parameter_buffer(Device& device, const BoundPlan& plan) {
  if (plan.parameters.empty()) return nullptr;
  auto buffer = allocate(device, MemoryUse::kDevice, plan.parameters.size() * 4);
  const Status status = device.upload(*buffer, 0, std::as_bytes(std::span(plan.parameters)));
  INFO(status.message());
  REQUIRE(status.ok());
  return buffer;
}

std::shared_ptr<Buffer> upload_buffer(Device& device, const std::vector<float>& values) {
  auto buffer = allocate(device, MemoryUse::kUpload, values.size() * sizeof(float));
  write_floats(*buffer, values);
  return buffer;
}

std::shared_ptr<Pipelines> pipelines_of(Device& device) {
  Result<std::shared_ptr<Pipelines>> pipelines = device.create_pipelines(test_kernels(), {});
  INFO(pipelines.status().message());
  REQUIRE(pipelines.ok());
  return *pipelines;
}

std::shared_ptr<Recording> record(Device& device, const RecordDesc& desc) {
  Result<std::shared_ptr<Recording>> recording = device.record(desc);
  INFO(recording.status().message());
  REQUIRE(recording.ok());
  return *recording;
}

void write_floats(Buffer& buffer, const std::vector<float>& values) {
  REQUIRE(buffer.mapped() != nullptr);
  REQUIRE(buffer.size_bytes() >= values.size() * sizeof(float));
  std::memcpy(buffer.mapped(), values.data(), values.size() * sizeof(float));
  REQUIRE(buffer.flush().ok());
}

std::vector<float> read_floats(Buffer& buffer, size_t count) {
  REQUIRE(buffer.mapped() != nullptr);
  REQUIRE(buffer.invalidate().ok());
  std::vector<float> values(count);
  std::memcpy(values.data(), buffer.mapped(), count * sizeof(float));
  return values;
}

void run(Recording& recording) {
  const Status submitted = recording.submit();
  INFO(submitted.message());
  REQUIRE(submitted.ok());
  const Result<bool> finished = recording.wait(UINT64_MAX);
  INFO(finished.status().message());
  REQUIRE(finished.ok());
  REQUIRE(*finished);
}

}  // namespace tuff::test
