// Elements between a host's memory and storage, for every dtype and any strides.
#include <doctest/doctest.h>

#include <cstring>

#include "session/elements.h"

namespace tuff {
namespace {

template <class T>
TensorView view_of(Dtype dtype, const std::vector<T>& elements, std::vector<int64_t> shape) {
  TensorView view;
  view.dtype = dtype;
  view.shape = std::move(shape);
  view.byte_strides = dense_byte_strides(dtype, view.shape);
  view.data = reinterpret_cast<const std::byte*>(elements.data());
  return view;
}

TEST_CASE("every dtype is stored with the bits that it has, and comes back as it went in") {
  for (int d = 0; d < kDtypeCount; ++d) {
    Dtype dtype = static_cast<Dtype>(d);
    CAPTURE(dtype_name(dtype));
    std::vector<uint8_t> bytes;
    for (int i = 0; i < 64 * dtype_size_bytes(dtype); ++i) bytes.push_back(static_cast<uint8_t>(i * 37));
    TensorView view = view_of(dtype, bytes, {4, 16});
    std::vector<uint8_t> storage(bytes.size()), back(bytes.size());
    std::vector<int> order = {0, 1};
    store_elements(view, order, reinterpret_cast<std::byte*>(storage.data()));
    CHECK(storage == bytes);
    MutableTensorView out{dtype, view.shape, view.byte_strides, reinterpret_cast<std::byte*>(back.data())};
    load_elements(reinterpret_cast<const std::byte*>(storage.data()), out.shape, out);
    CHECK(back == bytes);
  }
}

TEST_CASE("small elements are permuted one by one") {
  std::vector<uint8_t> bytes = {0, 1, 2, 3, 4, 5};
  std::vector<uint8_t> out(6);
  std::vector<int> order = {1, 0};
  store_elements(view_of(Dtype::kU8, bytes, {2, 3}), order, reinterpret_cast<std::byte*>(out.data()));
  CHECK(out == std::vector<uint8_t>{0, 3, 1, 4, 2, 5});
  store_elements(view_of(Dtype::kF16, bytes, {3, 1}), order, reinterpret_cast<std::byte*>(out.data()));
  CHECK(out == bytes);
}

TEST_CASE("storage order permutes the axes") {
  std::vector<float> elements = {0, 1, 2, 3, 4, 5};
  std::vector<float> out(6);
  std::vector<int> order = {1, 0};
  store_elements(view_of(Dtype::kF32, elements, {2, 3}), order, reinterpret_cast<std::byte*>(out.data()));
  CHECK(out == std::vector<float>{0, 3, 1, 4, 2, 5});
}

TEST_CASE("host strides may be negative, zero or wide") {
  std::vector<float> elements = {0, 1, 2, 3, 4, 5, 6, 7};
  std::vector<int> order = {0, 1};
  std::vector<float> out(4);
  TensorView view = view_of(Dtype::kF32, elements, {2, 2});
  view.data += 7 * 4;
  view.byte_strides = {-16, -8};
  store_elements(view, order, reinterpret_cast<std::byte*>(out.data()));
  CHECK(out == std::vector<float>{7, 5, 3, 1});
  view.data = reinterpret_cast<const std::byte*>(elements.data());
  view.byte_strides = {0, 4};
  store_elements(view, order, reinterpret_cast<std::byte*>(out.data()));
  CHECK(out == std::vector<float>{0, 1, 0, 1});
}

TEST_CASE("outputs can be written with strides; what lies between stays") {
  std::vector<float> storage = {1, 2, 3, 4};
  std::vector<float> host(8, -1.0f);
  MutableTensorView out{Dtype::kF32, {2, 2}, {16, 8}, reinterpret_cast<std::byte*>(host.data())};
  load_elements(reinterpret_cast<const std::byte*>(storage.data()), out.shape, out);
  CHECK(host == std::vector<float>{1, -1, 2, -1, 3, -1, 4, -1});
}

TEST_CASE("a scalar is one element, an empty tensor none") {
  std::vector<float> one = {5.0f};
  float out = 0;
  store_elements(view_of(Dtype::kF32, one, {}), {}, reinterpret_cast<std::byte*>(&out));
  CHECK(out == 5.0f);
  out = 9.0f;
  std::vector<int> order = {0, 1};
  store_elements(view_of(Dtype::kF32, one, {3, 0}), order, reinterpret_cast<std::byte*>(&out));
  CHECK(out == 9.0f);
}

TEST_CASE("a tensor that reaches outside its memory is refused, wherever the arithmetic overflows") {
  auto check = [](std::vector<int64_t> shape, std::vector<int64_t> strides, uint64_t offset, uint64_t size) {
    return check_extent(Dtype::kF32, shape, strides, offset, size, "x").code();
  };
  CHECK(check({2, 3}, {12, 4}, 0, 24) == Code::kOk);
  CHECK(check({2, 3}, {12, 4}, 0, 23) == Code::kInvalidArgument);
  CHECK(check({2, 3}, {12, 4}, 4, 24) == Code::kInvalidArgument);
  CHECK(check({2}, {-4}, 4, 8) == Code::kOk);
  CHECK(check({2}, {-4}, 0, 8) == Code::kInvalidArgument);
  CHECK(check({0, INT64_MAX}, {4, 4}, 100, 0) == Code::kOk);
  CHECK(check({INT64_MAX}, {INT64_MAX}, 0, UINT64_MAX) == Code::kInvalidArgument);
  CHECK(check({-1}, {4}, 0, 100) == Code::kInvalidArgument);
  CHECK(check({2}, {4, 4}, 0, 100) == Code::kInvalidArgument);
  CHECK(check({1}, {4}, UINT64_MAX, UINT64_MAX) == Code::kInvalidArgument);
  CHECK(check({}, {}, 0, 3) == Code::kInvalidArgument);
}

}  // namespace
}  // namespace tuff
