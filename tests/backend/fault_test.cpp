// Any call to the driver fails, once: out of memory, or the device lost. Everything is released, the status says what
// happened, and what was lost stays lost. The calls are made to fail in the device's own function table.
#include <doctest/doctest.h>

#include <cstring>
#include <type_traits>

#include "backend/vulkan/device.h"
#include "fixture.h"

namespace tuff::test {
namespace {

using vulkan::DeviceFunctions;

// Functions of a table are plain pointers, so that what they fail by is static. Tests of this file run one at a time.
struct Fault {
  DeviceFunctions real;
  PFN_vkQueueWaitIdle wait_idle = nullptr;
  int calls_left = 0;  // the call that makes it 0 fails
  VkResult result = VK_SUCCESS;
  const char* failed = nullptr;
};
Fault fault;

void wait_idle(VkQueue queue) { fault.wait_idle(queue); }
template <class Other>
void wait_idle(const Other&) {}

template <auto kMember, class Function>
struct Failing;

template <auto kMember, class... Args>
struct Failing<kMember, VkResult(VKAPI_PTR*)(Args...)> {
  static inline const char* name = nullptr;
  static VKAPI_ATTR VkResult VKAPI_CALL call(Args... args) {
    if (--fault.calls_left != 0) return (fault.real.*kMember)(args...);
    fault.failed = name;
    // A device that is really lost has nothing in flight any more.
    if (std::strcmp(name, "vkWaitForFences") == 0 && fault.result == VK_ERROR_DEVICE_LOST) (void)(fault.real.*kMember)(args...);
    if (std::strcmp(name, "vkQueueSubmit") == 0 && fault.result == VK_ERROR_DEVICE_LOST) (wait_idle(args), ...);
    return fault.result;
  }
};

// Calls that return nothing cannot fail.
template <auto kMember, class Function>
void make_failing(DeviceFunctions& table, const char* name) {
  if constexpr (requires { &Failing<kMember, Function>::call; }) {
    if (table.*kMember == nullptr) return;
    Failing<kMember, Function>::name = name;
    table.*kMember = &Failing<kMember, Function>::call;
  }
}

void make_failing(DeviceFunctions& table) {
#define TUFF_VK_DEVICE(name) make_failing<&DeviceFunctions::name, PFN_##name>(table, #name);
#define TUFF_VK_DEVICE_OPTIONAL(name) make_failing<&DeviceFunctions::name, PFN_##name>(table, #name);
#include "backend/vulkan/functions.def"
}

using InstancePtr = std::shared_ptr<const vulkan::Instance>;

// The instance's first device with a table whose calls fail as `fault` says.
Result<std::shared_ptr<Device>> open_failing(const InstancePtr& instance) {
  TUFF_ASSIGN(const std::vector<VkPhysicalDevice> handles, instance->physical_devices());
  REQUIRE(!handles.empty());
  const auto physical = vulkan::read_physical_device(instance->functions(), handles[0]);
  REQUIRE(physical.has_value());
  TUFF_ASSIGN(vulkan::DeviceParts parts, vulkan::open_physical_device(instance, *physical, {}));
  fault.real = parts.functions;
  fault.wait_idle =
      reinterpret_cast<PFN_vkQueueWaitIdle>(instance->functions().vkGetDeviceProcAddr(parts.device, "vkQueueWaitIdle"));
  make_failing(parts.functions);
  return std::shared_ptr<Device>(std::make_shared<vulkan::VulkanDevice>(std::move(parts)));
}

// One kernel is enough: what costs most here is that drivers compile for every call that fails.
CompiledKernels one_kernel() {
  CompiledKernels kernels = test_kernels();
  kernels.kernels.resize(1);
  return kernels;
}

// Everything a program does with a device, from allocation to times; the first failure comes back.
Status whole_life(Device& device) {
  BoundPlan plan;
  append(plan, device.info(), {kCopy, {input(0, 256), output(0, 256)}, {64}, {1, 1, 1}});
  append(plan, device.info(), {kCopy, {input(0, 256), output(1, 256)}, {64}, {1, 1, 1}});
  RecordDesc desc;
  desc.plan = &plan;
  desc.splits = {1};  // two submits
  std::vector<std::byte> file;
  const PipelineOptions io{[&] { return file; }, [&](std::span<const std::byte> d) { file.assign(d.begin(), d.end()); }};
  TUFF_ASSIGN(const std::shared_ptr<Pipelines> cold, device.create_pipelines(one_kernel(), io));
  TUFF_ASSIGN(desc.pipelines, device.create_pipelines(one_kernel(), io));
  TUFF_ASSIGN(std::shared_ptr<Buffer> src, device.allocate(MemoryUse::kUpload, 256));
  TUFF_ASSIGN(std::shared_ptr<Buffer> dst, device.allocate(MemoryUse::kReadback, 256));
  TUFF_ASSIGN(std::shared_ptr<Buffer> second_dst, device.allocate(MemoryUse::kReadback, 256));
  TUFF_ASSIGN(desc.parameters, device.allocate(MemoryUse::kDevice, plan.parameters.size() * sizeof(int32_t)));
  const std::vector<float> values(64, 4.5f);
  TUFF_TRY(device.upload(*src, 0, std::as_bytes(std::span(values))));
  TUFF_TRY(device.upload(*desc.parameters, 0, std::as_bytes(std::span(plan.parameters))));
  desc.inputs = {src};
  desc.outputs = {dst, second_dst};
  desc.timestamps = true;
  TUFF_ASSIGN(const std::shared_ptr<Recording> recording, device.record(desc));
  for (int i = 0; i < 2; ++i) {  // the second run resets the fence
    TUFF_TRY(recording->submit());
    TUFF_ASSIGN(const bool finished, recording->wait(UINT64_MAX));
    CHECK(finished);
  }
  TUFF_ASSIGN(const std::vector<uint64_t> times, recording->dispatch_times_ns());
  TUFF_TRY(dst->invalidate());
  std::vector<float> read(64);
  std::memcpy(read.data(), dst->mapped(), 256);
  CHECK(read == values);
  return ok_status();
}

// A failure of these costs time or a name, never the result.
bool is_forgiven(const std::string& call) {
  return call == "vkCreatePipelineCache" || call == "vkGetPipelineCacheData" || call == "vkSetDebugUtilsObjectNameEXT";
}

void fail_each_call(VkResult result, Code code) {
  std::vector<std::string> messages;
  Result<InstancePtr> instance = vulkan::Instance::create([&](int severity, std::string_view message) {
    if (severity <= 1) messages.emplace_back(message);
  });
  REQUIRE(instance.ok());
  Result<std::shared_ptr<Device>> device = open_failing(*instance);
  REQUIRE(device.ok());
  int failing = 1;
  for (;; ++failing) {
    REQUIRE(failing < 1000);
    fault.result = result;
    fault.failed = nullptr;
    fault.calls_left = failing;
    const Status status = whole_life(**device);
    if (fault.failed == nullptr) {  // the life has no more calls
      CHECK(status.ok());
      break;
    }
    INFO("call ", failing, " ", std::string(fault.failed), ": ", status.message());
    const bool names_only = std::strcmp(fault.failed, "vkSetDebugUtilsObjectNameEXT") == 0;
    if (names_only || (is_forgiven(fault.failed) && code != Code::kDeviceLost)) {
      CHECK(status.ok());
    } else {
      CHECK(status.code() == code);
      CHECK(!status.message().empty());
    }
    if (code != Code::kDeviceLost || names_only) continue;  // the next life is on the same device
    CHECK(device.value()->allocate(MemoryUse::kDevice, 4).status().code() == Code::kDeviceLost);
    CHECK(device.value()->create_pipelines(one_kernel(), {}).status().code() == Code::kDeviceLost);
    device = open_failing(*instance);
    REQUIRE(device.ok());
  }
  CHECK(failing > 40);
  device = internal_error("released");
  for (const std::string& message : messages) {
    INFO(message);
    CHECK(message.find("Vulkan validation: ") == std::string::npos);  // above all: nothing leaks
  }
}

TEST_CASE("any call may run out of host memory") { fail_each_call(VK_ERROR_OUT_OF_HOST_MEMORY, Code::kOutOfMemory); }

TEST_CASE("any call may run out of device memory") { fail_each_call(VK_ERROR_OUT_OF_DEVICE_MEMORY, Code::kOutOfMemory); }

TEST_CASE("any call may find the device lost, and then it stays lost") {
  fail_each_call(VK_ERROR_DEVICE_LOST, Code::kDeviceLost);
}

TEST_CASE("memory that is short is told with the sizes") {
  Result<InstancePtr> instance = vulkan::Instance::create({});
  REQUIRE(instance.ok());
  Result<std::shared_ptr<Device>> device = open_failing(*instance);
  REQUIRE(device.ok());
  fault.result = VK_ERROR_OUT_OF_DEVICE_MEMORY;
  fault.calls_left = 2;  // vkCreateBuffer, then vkAllocateMemory
  const auto buffer = device.value()->allocate(MemoryUse::kDevice, 123'456);
  // A device with several heaps may have found room in another.
  if (!buffer.ok()) {
    CHECK(buffer.status().message().find("123456 bytes") != std::string::npos);
    CHECK(buffer.status().message().find(std::to_string(device.value()->info().device_memory_bytes)) != std::string::npos);
  }
  CHECK(std::string(fault.failed) == "vkAllocateMemory");
}

}  // namespace
}  // namespace tuff::test
