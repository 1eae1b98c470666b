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
    plan.weights.push_back({id, offset, size_bytes, false});
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

TEST_CASE("a window's transform for Winograd's form has its sums, each rounded once, between its corners") {
  Weights w;
  w.add(Dtype::kF32, {2, 1, 3, 3}, bytes_of<float>({1, 2, 4, 8, 16, 32, 64, 128, 256, 0, 0, 0, 0, 3, 0, 0, 0, 0}), {2, 3, 1, 0},
        0, 128);
  w.plan.weights[0].winograd = true;
  FakeDevice device(true);
  Result<std::shared_ptr<Buffer>> buffer = upload_weights(w.plan, device);
  REQUIRE_MESSAGE(buffer.ok(), buffer.status().message());
  std::vector<float> got(32), first, second;
  std::memcpy(got.data(), static_cast<FakeBuffer&>(**buffer).bytes.data(), 128);
  for (size_t i = 0; i < 16; ++i) {  // the two channels alternate
    first.push_back(got[2 * i]);
    second.push_back(got[2 * i + 1]);
  }
  CHECK(first == std::vector<float>{1, 3.5, 1.5, 4, 36.5, 127.75, 54.75, 146, 28.5, 99.75, 42.75, 114, 64, 224, 96, 256});
  CHECK(second == std::vector<float>{0, 0, 0, 0, 0, 0.75, -0.75, 0, 0, -0.75, 0.75, 0, 0, 0, 0, 0});

  w.plan.weights[0].size_bytes = 72;  // as if it were not
  CHECK(upload_weights(w.plan, device).status().code() == Code::kInternal);
  Weights other;
  other.add(Dtype::kF32, {4}, bytes_of<float>({1, 2, 3, 4}), {0}, 0, 64);
  other.plan.weights[0].winograd = true;
  CHECK(upload_weights(other.plan, device).status().code() == Code::kInternal);
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
