// Weights in storage order.
#include <doctest/doctest.h>

#include <cstring>

#include "session/program.h"
#include "unit/session/fake_device.h"

namespace tuff {
namespace {

template <class T>
Bytes bytes_of(const std::vector<T>& elements) {
  return bytes_from_string(
      std::make_shared<const std::string>(reinterpret_cast<const char*>(elements.data()), elements.size() * sizeof(T)));
}

struct Weights {
  Plan plan;

  void add(Dtype dtype, Dims shape, Bytes bytes, std::vector<int> order, uint64_t offset, uint64_t size_bytes) {
    ConstantAttrs constant{dtype, shape, {}};
    constant.data.bytes = std::move(bytes);
    ValueId id(plan.graph.values.size());
    plan.graph.values.push_back({"w", dtype, shape, NodeId(plan.graph.nodes.size())});
    plan.graph.nodes.push_back({constant, {}, id, {"w"}});
    plan.orders.push_back(std::move(order));
    plan.weights.push_back({id, offset, size_bytes});
    plan.weight_bytes = std::max(plan.weight_bytes, offset + size_bytes);
  }
};

TEST_CASE("each weight lies permuted at its offset, padding is zero, on mapped memory and not") {
  Weights w;
  w.add(Dtype::kF32, {2, 3}, bytes_of<float>({0, 1, 2, 3, 4, 5}), {1, 0}, 0, 32);
  w.add(Dtype::kI8, {3}, bytes_of<int8_t>({-1, 7, 3}), {0}, 64, 4);
  for (bool unified : {false, true}) {
    CAPTURE(unified);
    FakeDevice device(unified);
    Result<std::shared_ptr<Buffer>> buffer = upload_weights(w.plan, device);
    REQUIRE_MESSAGE(buffer.ok(), buffer.status().message());
    const std::byte* bytes = static_cast<FakeBuffer&>(**buffer).bytes.data();
    std::vector<float> first(8);
    std::memcpy(first.data(), bytes, 32);
    CHECK(first == std::vector<float>{0, 3, 1, 4, 2, 5, 0, 0});
    std::vector<int8_t> second(4);
    std::memcpy(second.data(), bytes + 64, 4);
    CHECK(second == std::vector<int8_t>{-1, 7, 3, 0});
  }
}

TEST_CASE("a program without weights has no buffer") {
  FakeDevice device(true);
  Result<std::shared_ptr<Buffer>> buffer = upload_weights(Plan{}, device);
  REQUIRE(buffer.ok());
  CHECK(*buffer == nullptr);
  CHECK(device.counters().allocations == 0);
}

TEST_CASE("a plan that gives a weight too little room is refused") {
  Weights w;
  w.add(Dtype::kF32, {4}, bytes_of<float>({1, 2, 3, 4}), {0}, 0, 12);
  FakeDevice device(true);
  CHECK(upload_weights(w.plan, device).status().code() == Code::kInternal);
}

}  // namespace
}  // namespace tuff
