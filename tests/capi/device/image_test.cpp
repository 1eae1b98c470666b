// Frames of 8-bit pixels in the host's own buffers, through the network of examples/super_resolution: no conversion runs by
// itself, and the bytes are those of the way through floats on the host.
#include <algorithm>
#include <cmath>

#include "device_fixture.h"

namespace {

constexpr int64_t kWidth = 31, kHeight = 17;  // no multiple of anything
constexpr size_t kPixels = kWidth * kHeight;

// y = 255 - x: fills buffers of the host, and reads them.
const char kNegative[] = R"(graph "negative" {
  symbol n in 1..100000 step 1
  input %0 "x": u8[n]
  %1: u8[n] = map.bit_not %0 from "Not_0"
  output %1 "y"
}
)";

template <class Make>
void require(Make make) {
  tuff_error_t* error = nullptr;
  const tuff_status_t status = make(&error);
  REQUIRE_MESSAGE(status == TUFF_OK, message_of(error));
}

// A model with its program and a session.
struct Network {
  tuff_model_t* model = nullptr;
  tuff_program_t* program = nullptr;
  tuff_session_t* session = nullptr;

  Network(tuff_device_t* device, tuff_model_t* loaded) : model(loaded) {
    require([&](auto e) { return tuff_program_create(device, model, nullptr, &program, e); });
    require([&](auto e) { return tuff_session_create(program, nullptr, &session, e); });
  }
  ~Network() {
    tuff_session_release(session);
    tuff_program_release(program);
    tuff_model_release(model);
  }
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;
  void run(const tuff_tensor_desc_t& in, const tuff_tensor_desc_t& out) const {
    require([&](auto e) { return tuff_session_run(session, &in, 1, &out, 1, e); });
  }
  uint32_t kernel_count() const {
    tuff_program_info_t info = TUFF_PROGRAM_INFO_INIT;
    REQUIRE(tuff_program_get_info(program, &info, nullptr) == TUFF_OK);
    return info.kernel_count;
  }
};

template <class T>
tuff_tensor_desc_t host_tensor_of(tuff_dtype_t dtype, std::vector<T>& data, const std::vector<int64_t>& shape) {
  tuff_tensor_desc_t t = TUFF_TENSOR_DESC_INIT;
  t.dtype = dtype;
  t.data = data.data();
  t.size_bytes = data.size() * sizeof(T);
  t.shape = shape.empty() ? nullptr : shape.data();
  t.rank = static_cast<uint32_t>(shape.size());
  return t;
}
tuff_tensor_desc_t vulkan_tensor(VkBuffer buffer, uint64_t size_bytes, const std::vector<int64_t>& shape) {
  tuff_tensor_desc_t t = TUFF_TENSOR_DESC_INIT;
  t.dtype = TUFF_U8;
  t.memory = TUFF_MEMORY_VULKAN;
  t.vk_buffer = reinterpret_cast<uint64_t>(buffer);
  t.size_bytes = size_bytes;
  t.shape = shape.empty() ? nullptr : shape.data();
  t.rank = static_cast<uint32_t>(shape.size());
  return t;
}

tuff_model_t* load_super_resolution(const tuff_model_desc_t* desc) {
  const char* path = TUFF_ROOT "/examples/super_resolution/super_resolution_x2.onnx";
  tuff_model_t* model = nullptr;
  require([&](auto e) { return tuff_model_load_file(path, TUFF_TEXT_END, desc, &model, e); });
  return model;
}

tuff_image_t image(tuff_direction_t direction, const char* tensor) {
  tuff_image_t i = TUFF_IMAGE_INIT;
  i.direction = direction;
  i.tensor = tensor;
  return i;
}

}  // namespace

TEST_CASE("frames of pixels in the host's buffers give the bytes of the way through floats, and no dispatch more") {
  VulkanHost host;
  tuff_device_t* device = host.lend();
  {
    const tuff_image_t images[] = {image(TUFF_INPUT, "image"), image(TUFF_OUTPUT, "upscaled")};
    tuff_model_desc_t desc = TUFF_MODEL_DESC_INIT;
    desc.images = images;
    desc.image_count = 2;
    const Network floats(device, load_super_resolution(nullptr)), frames(device, load_super_resolution(&desc)),
        negative(device, load(kNegative));
    CHECK(floats.kernel_count() == 9);
    CHECK(frames.kernel_count() == 9);

    std::vector<uint8_t> pixels(3 * kPixels), negatives(pixels.size());
    for (size_t i = 0; i < pixels.size(); ++i) {
      pixels[i] = static_cast<uint8_t>((i * i) >> 3);
      negatives[i] = static_cast<uint8_t>(~pixels[i]);
    }
    const uint64_t in_bytes = (pixels.size() + 3) / 4 * 4, out_bytes = 12 * kPixels;
    VkBuffer in = host.make_buffer(in_bytes, tuff_vulkan_buffer_usage(device)),
             out = host.make_buffer(out_bytes, tuff_vulkan_buffer_usage(device));
    const std::vector<int64_t> count = {static_cast<int64_t>(pixels.size())}, out_count = {static_cast<int64_t>(out_bytes)};
    negative.run(host_tensor_of(TUFF_U8, negatives, count), vulkan_tensor(in, in_bytes, count));
    frames.run(vulkan_tensor(in, in_bytes, {1, kHeight, kWidth, 3}), vulkan_tensor(out, out_bytes, {}));
    std::vector<uint8_t> got(out_bytes);
    negative.run(vulkan_tensor(out, out_bytes, out_count), host_tensor_of(TUFF_U8, got, {}));
    for (uint8_t& b : got) b = static_cast<uint8_t>(~b);

    std::vector<float> planes(3 * kPixels), upscaled(12 * kPixels);
    for (size_t i = 0; i < kPixels; ++i)
      for (size_t c = 0; c < 3; ++c) planes[c * kPixels + i] = static_cast<float>(pixels[3 * i + c]) * (1.0f / 255.0f);
    floats.run(host_tensor_of(TUFF_F32, planes, {1, 3, kHeight, kWidth}), host_tensor_of(TUFF_F32, upscaled, {}));
    std::vector<uint8_t> expected(out_bytes);
    for (size_t i = 0; i < 4 * kPixels; ++i)
      for (size_t c = 0; c < 3; ++c)
        expected[3 * i + c] =
            static_cast<uint8_t>(std::nearbyint(std::clamp(upscaled[c * 4 * kPixels + i] * 255.0f, 0.0f, 255.0f)));
    CHECK(got == expected);
  }
  tuff_device_release(device);
}
