// Upscales a stream of raw video frames, three of them in flight: upscale_stream MODEL.onnx WIDTH HEIGHT [rgb|nv12] < in > out
//
//   ffmpeg -i in.mp4 -f rawvideo -pix_fmt nv12 - | upscale_stream MODEL.onnx 640 360 nv12 |
//     ffmpeg -f rawvideo -pix_fmt rgb24 -s 1280x720 -i - out.mp4
//
// Frames come as a decoder gives them, 8-bit RGB or NV12, and go as 8-bit RGB; the network's kernels convert. While the device
// computes one frame the next is read and the one before written. MODEL has one input and one output of type f32[1, 3, h, w].
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include <tuff/tuff.h>

#ifdef _WIN32
#include <fcntl.h>
#include <io.h>
#endif

namespace {

constexpr uint32_t kInFlight = 3;

// Without exit(), which would take a driver's static objects away from frames that are on their way.
[[noreturn]] void fail(const std::string& message) {
  std::fprintf(stderr, "upscale_stream: %s\n", message.c_str());
  std::fflush(nullptr);
  std::_Exit(EXIT_FAILURE);
}

tuff_error_t* error = nullptr;
void check(tuff_status_t status) {
  if (status == TUFF_OK) return;
  char message[1024];
  tuff_error_message(error, message, sizeof message, nullptr);
  fail(message);
}

std::string tensor_name(const tuff_model_t* model, tuff_direction_t direction) {
  char name[256];
  check(tuff_model_tensor_name(model, direction, 0, name, sizeof name, nullptr, &error));
  return name;
}

// What the model's file says of its tensors.
struct Tensors {
  std::string input, output;
  std::string height, width;  // what the sizes of the input are called, where they are not fixed
};

Tensors look_at(const char* path) {
  tuff_model_t* model = nullptr;
  check(tuff_model_load_file(path, TUFF_TEXT_END, nullptr, &model, &error));
  Tensors tensors = {tensor_name(model, TUFF_INPUT), tensor_name(model, TUFF_OUTPUT), "", ""};
  for (uint32_t axis : {2u, 3u}) {
    char text[256];
    int64_t size = 0;
    check(tuff_model_tensor_axis(model, TUFF_INPUT, 0, axis, &size, text, sizeof text, nullptr, &error));
    if (size == -1) (axis == 2 ? tensors.height : tensors.width) = text;
  }
  tuff_model_release(model);
  return tensors;
}

// The model with pixels for its tensors.
tuff_model_t* load(const char* path, const Tensors& tensors, tuff_pixels_t pixels) {
  tuff_image_t images[2] = {TUFF_IMAGE_INIT, TUFF_IMAGE_INIT};
  images[0].tensor = tensors.input.c_str();
  images[0].pixels = pixels;
  images[1].direction = TUFF_OUTPUT;
  images[1].tensor = tensors.output.c_str();
  tuff_model_desc_t desc = TUFF_MODEL_DESC_INIT;
  desc.images = images;
  desc.image_count = 2;
  tuff_model_t* model = nullptr;
  check(tuff_model_load_file(path, TUFF_TEXT_END, &desc, &model, &error));
  return model;
}

// A frame on its way: the host's two ends of the run that it is.
struct Frame {
  std::vector<unsigned char> in, out;
  tuff_tensor_desc_t input = TUFF_TENSOR_DESC_INIT, output = TUFF_TENSOR_DESC_INIT;
  tuff_run_t* run = nullptr;
};

tuff_tensor_desc_t tensor(std::vector<unsigned char>& bytes, const std::vector<int64_t>& shape) {
  tuff_tensor_desc_t t = TUFF_TENSOR_DESC_INIT;
  t.dtype = TUFF_U8;
  t.data = bytes.data();
  t.size_bytes = bytes.size();
  t.rank = static_cast<uint32_t>(shape.size());
  t.shape = shape.data();
  return t;
}

std::vector<int64_t> shape_of(tuff_session_t* session, tuff_direction_t direction) {
  std::vector<int64_t> shape(4);
  uint32_t rank = 0;
  check(tuff_session_tensor_shape(session, direction, 0, shape.data(), 4, &rank, &error));
  shape.resize(rank);
  return shape;
}

size_t bytes_of(const std::vector<int64_t>& shape) {
  size_t bytes = 1;
  for (int64_t size : shape) bytes *= static_cast<size_t>(size);
  return bytes;
}

void finish(Frame& frame) {
  check(tuff_run_wait(frame.run, TUFF_WAIT_FOREVER, nullptr, &error));
  tuff_run_release(frame.run);
  frame.run = nullptr;
  if (std::fwrite(frame.out.data(), 1, frame.out.size(), stdout) != frame.out.size()) fail("cannot write");
}

}  // namespace

int main(int argc, char** argv) {
  const bool is_nv12 = argc == 5 && std::strcmp(argv[4], "nv12") == 0;
  if (argc < 4 || argc > 5 || (argc == 5 && !is_nv12 && std::strcmp(argv[4], "rgb") != 0)) {
    std::fprintf(stderr, "usage: upscale_stream MODEL.onnx WIDTH HEIGHT [rgb|nv12] < frames > rgb frames\n");
    return 2;
  }
  const int64_t width = std::atoll(argv[2]), height = std::atoll(argv[3]);
  if (width < 1 || height < 1 || width > 16384 || height > 16384) fail("a frame has 1 to 16384 pixels along each side");
#ifdef _WIN32
  _setmode(_fileno(stdin), _O_BINARY);
  _setmode(_fileno(stdout), _O_BINARY);
#endif

  tuff_device_desc_t any = TUFF_DEVICE_DESC_INIT;
  any.allow_software = 1;
  tuff_device_t* device = nullptr;
  check(tuff_device_open(&any, &device, &error));
  const Tensors tensors = look_at(argv[1]);
  tuff_model_t* model = load(argv[1], tensors, is_nv12 ? TUFF_PIXELS_NV12 : TUFF_PIXELS_RGB8);
  tuff_program_t* program = nullptr;
  check(tuff_program_create(device, model, nullptr, &program, &error));
  tuff_session_desc_t streaming = TUFF_SESSION_DESC_INIT;
  streaming.in_flight_count = kInFlight;
  tuff_session_t* session = nullptr;
  check(tuff_session_create(program, &streaming, &session, &error));

  // Everything is made for this size now; no frame allocates, records or compiles.
  std::vector<tuff_symbol_value_t> sizes;
  if (!tensors.height.empty()) sizes.push_back({height, TUFF_TEXT_END, tensors.height.c_str()});
  if (!tensors.width.empty()) sizes.push_back({width, TUFF_TEXT_END, tensors.width.c_str()});
  check(tuff_session_prepare(session, sizes.data(), static_cast<uint32_t>(sizes.size()), &error));
  const std::vector<int64_t> in_shape = shape_of(session, TUFF_INPUT), out_shape = shape_of(session, TUFF_OUTPUT);
  if (in_shape[1] != (is_nv12 ? height + (height + 1) / 2 : height) || in_shape[2] != (is_nv12 ? (width + 1) / 2 * 2 : width))
    fail("the model takes frames of another size");

  Frame ring[kInFlight];
  for (Frame& frame : ring) {
    frame.in.resize(bytes_of(in_shape));
    frame.out.resize(bytes_of(out_shape));
    frame.input = tensor(frame.in, in_shape);
    frame.output = tensor(frame.out, out_shape);
  }
  uint64_t count = 0;
  bool torn = false;
  for (;; ++count) {
    Frame& frame = ring[count % kInFlight];
    if (frame.run) finish(frame);
    const size_t read = std::fread(frame.in.data(), 1, frame.in.size(), stdin);
    if (std::ferror(stdin)) fail("cannot read");
    torn = read > 0 && read < frame.in.size();
    if (read == 0 || torn) break;
    tuff_run_desc_t run = TUFF_RUN_DESC_INIT;
    run.inputs = &frame.input;
    run.input_count = 1;
    run.outputs = &frame.output;
    run.output_count = 1;
    check(tuff_session_submit(session, &run, &frame.run, &error));
  }
  for (uint64_t i = 1; i < kInFlight; ++i) {
    Frame& frame = ring[(count + i) % kInFlight];
    if (frame.run) finish(frame);
  }
  if (std::fflush(stdout) != 0) fail("cannot write");
  if (torn) fail("the stream ends inside frame " + std::to_string(count));
  std::fprintf(stderr, "upscale_stream: %llu frames of %lldx%lld to %lldx%lld\n", static_cast<unsigned long long>(count),
               static_cast<long long>(width), static_cast<long long>(height), static_cast<long long>(out_shape[2]),
               static_cast<long long>(out_shape[1]));

  tuff_session_release(session);
  tuff_program_release(program);
  tuff_model_release(model);
  tuff_device_release(device);
  return 0;
}
