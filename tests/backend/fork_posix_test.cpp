// A forked child has its parent's handles and none of its driver's threads.
#include <doctest/doctest.h>

#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"

namespace tuff::test {

TEST_CASE("a forked child gets an error and makes no driver call") {
  for_each_device([](Device& device, auto&) {
    BoundPlan plan;
    append(plan, device.info(), {kCopy, {input(0, 256), output(0, 256)}, {64}, {1, 1, 1}});
    RecordDesc desc;
    desc.plan = &plan;
    desc.pipelines = pipelines_of(device);
    desc.inputs = {upload_buffer(device, std::vector<float>(64, 1.5f))};
    desc.outputs = {allocate(device, MemoryUse::kReadback, 256)};
    desc.parameters = parameter_buffer(device, plan);
    const auto recording = record(device, desc);
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      const bool refused = device.allocate(MemoryUse::kDevice, 4).status().code() == Code::kUnsupported &&
                           recording->submit().code() == Code::kUnsupported &&
                           device.record(desc).status().code() == Code::kUnsupported;
      desc = {};  // releasing is no driver call either
      _exit(refused ? 0 : 1);
    }
    int status = -1;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
    run(*recording);
    CHECK(read_floats(*desc.outputs[0].buffer, 64) == std::vector<float>(64, 1.5f));
  });
}

}  // namespace tuff::test
