// Images in place of tensors: on the device and on the reference, against pixels taken one by one.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "kernels/check_graph.h"
#include "model/image.h"
#include "reference/reference.h"

namespace tuff {
namespace {

struct Size {
  int64_t width, height;
};

// How a picture of this size lies in memory.
struct Stored {
  const Image& image;
  Size size;

  bool is_nv12() const { return image.format == PixelFormat::kNv12; }
  int64_t pixel_bytes() const {
    switch (image.format) {
      case PixelFormat::kRgb:
      case PixelFormat::kBgr: return 3;
      case PixelFormat::kRgba:
      case PixelFormat::kBgra: return 4;
      default: return 1;
    }
  }
  int64_t pitch() const {
    const int64_t bytes = is_nv12() ? (size.width + 1) / 2 * 2 : size.width * pixel_bytes();
    return (bytes + image.row_alignment - 1) / image.row_alignment * image.row_alignment;
  }
  int64_t rows() const { return is_nv12() ? size.height + (size.height + 1) / 2 : size.height; }
  // A channel of the tensor, which has red first.
  double channel(const std::vector<uint8_t>& bytes, int64_t x, int64_t y, int64_t c) const {
    auto at = [&](int64_t row, int64_t column) {
      return static_cast<double>(bytes[static_cast<size_t>(row * pitch() + column)]);
    };
    if (!is_nv12()) {
      const bool blue_first = image.format == PixelFormat::kBgr || image.format == PixelFormat::kBgra;
      return at(y, x * pixel_bytes() + (blue_first && c < 3 ? 2 - c : c));
    }
    const bool full = image.yuv == Yuv::kBt601Full || image.yuv == Yuv::kBt709Full;
    const bool hd = image.yuv == Yuv::kBt709 || image.yuv == Yuv::kBt709Full;
    const double luma = full ? at(y, x) : (at(y, x) - 16) * 255 / 219;
    const double chroma = full ? 1 : 255.0 / 224;
    const double u = (at(size.height + y / 2, x / 2 * 2) - 128) * chroma;
    const double v = (at(size.height + y / 2, x / 2 * 2 + 1) - 128) * chroma;
    // The usual tables, to four digits.
    const double rgb[] = {luma + (hd ? 1.5748 : 1.402) * v, luma - (hd ? 0.1873 : 0.3441) * u - (hd ? 0.4681 : 0.7141) * v,
                          luma + (hd ? 1.8556 : 1.772) * u};
    return std::clamp(rgb[c], 0.0, 255.0);
  }
};

// The picture upright: cropped, then turned as EXIF's table has it.
struct Upright {
  const Stored& stored;
  Size size;

  explicit Upright(const Stored& s) : stored(s), size(s.size) {
    if (s.image.crop.width != 0) size = {s.image.crop.width, s.image.crop.height};
    if (s.image.orientation >= 5) std::swap(size.width, size.height);
  }
  double channel(const std::vector<uint8_t>& bytes, int64_t x, int64_t y, int64_t c) const {
    const int64_t right = size.width - 1 - x, bottom = size.height - 1 - y;
    const int64_t column[] = {x, right, right, x, y, y, bottom, bottom}, row[] = {y, y, bottom, bottom, x, right, right, x};
    const size_t o = static_cast<size_t>(stored.image.orientation - 1);
    return stored.channel(bytes, column[o] + stored.image.crop.x, row[o] + stored.image.crop.y, c);
  }
};

double resized(const Upright& picture, const std::vector<uint8_t>& bytes, Size to, int64_t x, int64_t y, int64_t c) {
  const ImageResize resize = picture.stored.image.resize;
  if (resize == ImageResize::kNone) return picture.channel(bytes, x, y, c);
  auto place = [](int64_t i, int64_t in, int64_t out) {
    return (static_cast<double>(i) + 0.5) * static_cast<double>(in) / static_cast<double>(out) - 0.5;
  };
  const double px = std::clamp(place(x, picture.size.width, to.width), 0.0, static_cast<double>(picture.size.width - 1));
  const double py = std::clamp(place(y, picture.size.height, to.height), 0.0, static_cast<double>(picture.size.height - 1));
  if (resize == ImageResize::kNearest)  // ties go down
    return picture.channel(bytes, static_cast<int64_t>(std::ceil(px - 0.5)), static_cast<int64_t>(std::ceil(py - 0.5)), c);
  const auto x0 = static_cast<int64_t>(px), y0 = static_cast<int64_t>(py);
  const int64_t x1 = std::min(x0 + 1, picture.size.width - 1), y1 = std::min(y0 + 1, picture.size.height - 1);
  const double fx = px - static_cast<double>(x0), fy = py - static_cast<double>(y0);
  auto row = [&](int64_t at) { return picture.channel(bytes, x0, at, c) * (1 - fx) + picture.channel(bytes, x1, at, c) * fx; };
  return row(y0) * (1 - fy) + row(y1) * fy;
}

Graph parsed(const std::string& text) {
  auto graph = parse_graph(text, "test");
  REQUIRE_MESSAGE(graph.ok(), graph.status().message());
  return std::move(graph).value();
}

// y = -x over a tensor of symbols h and w.
Graph negated(int64_t channels, bool channels_last, const std::string& dtype = "f32") {
  const std::string c = std::to_string(channels), shape = channels_last ? "[1, h, w, " + c + "]" : "[1, " + c + ", h, w]";
  return parsed("graph \"negated\" {\n  symbol h in 1..4096 step 1\n  symbol w in 1..4096 step 1\n  input %0 \"x\": " + dtype +
                shape + "\n  %1: " + dtype + shape + " = map.neg %0 from \"neg\"\n  output %1 \"y\"\n}\n");
}

std::vector<uint8_t> pixels(size_t count) {
  std::vector<uint8_t> bytes(count);
  uint32_t state = 12345;
  for (uint8_t& b : bytes) b = static_cast<uint8_t>((state = state * 1664525u + 1013904223u) >> 24);
  return bytes;
}

// The image as the input of `graph` at this size of its tensor; `from`: of the picture, where that is another.
void check_input(const Image& image, int64_t channels, bool channels_last, Size tensor, Size from) {
  auto graph = with_images(negated(channels, channels_last), {image});
  REQUIRE_MESSAGE(graph.ok(), graph.status().message());
  const Stored stored{image, from};
  const Upright upright(stored);
  const std::vector<uint8_t> bytes = pixels(static_cast<size_t>(stored.pitch() * stored.rows()));
  std::vector<int64_t> shape = {1, from.height, from.width, stored.pixel_bytes()};
  if (stored.is_nv12() || stored.pitch() != from.width * stored.pixel_bytes()) shape = {1, stored.rows(), stored.pitch()};
  GraphCase c{*graph, {{"h", tensor.height}, {"w", tensor.width}}};
  for (const Symbol& s : graph->symbols) {
    if (s.name == "x.width") c.symbols[s.name] = from.width;
    if (s.name == "x.height") c.symbols[s.name] = from.height;
  }
  const std::vector<Tensor> inputs = {make_tensor(Dtype::kU8, shape, bytes)};
  auto outputs = evaluate(*graph, inputs, c.symbols);
  REQUIRE_MESSAGE(outputs.ok(), outputs.status().message());
  int64_t index = 0;
  const int64_t outer = channels_last ? 1 : channels, inner = channels_last ? channels : 1;
  bool agrees = true;
  for (int64_t k = 0; k < outer; ++k)
    for (int64_t y = 0; y < tensor.height; ++y)
      for (int64_t x = 0; x < tensor.width; ++x)
        for (int64_t l = 0; l < inner; ++l) {
          const int64_t channel = channels_last ? l : k;
          const auto ci = static_cast<size_t>(channel);
          const bool is_default = image.scale == std::array<float, 4>{};
          const double scale = is_default ? 1.0 / 255 : static_cast<double>(image.scale[ci]);
          const double pixel = resized(upright, bytes, tensor, x, y, channel);
          const double expected = -(pixel - static_cast<double>(image.mean[ci])) * scale;
          // The tables of NV12 have four digits.
          agrees =
              agrees && std::fabs((*outputs)[0].at(index++) - expected) < std::fabs(scale) * (stored.is_nv12() ? 0.05 : 1e-3);
        }
  CHECK(agrees);
  auto device = test_device();
  REQUIRE(device.ok());
  const Verdict verdict = check_graph(c, inputs, *device);
  CHECK_MESSAGE(verdict.kind == Verdict::Kind::kAgrees, mode_text(verdict.mode), ": ", verdict.what, "\n", verdict.sources);
}

Image input(PixelFormat format) {
  Image image;
  image.tensor = "x";
  image.format = format;
  return image;
}

}  // namespace

TEST_CASE("pixels of every format become the tensor, at any size") {
  for (PixelFormat format : {PixelFormat::kRgb, PixelFormat::kBgr, PixelFormat::kRgba, PixelFormat::kBgra, PixelFormat::kGrey})
    for (Size size : {Size{1, 1}, Size{3, 2}, Size{8, 4}, Size{7, 5}})
      for (bool channels_last : {false, true}) {
        CAPTURE(static_cast<int>(format));
        CAPTURE(size.width);
        check_input(input(format), format == PixelFormat::kGrey ? 1 : 3, channels_last, size, size);
      }
  check_input(input(PixelFormat::kBgra), 4, false, {5, 3}, {5, 3});
}

TEST_CASE("NV12 of even and odd sizes becomes RGB by either standard and range") {
  for (Yuv yuv : {Yuv::kBt601, Yuv::kBt601Full, Yuv::kBt709, Yuv::kBt709Full})
    for (Size size : {Size{8, 6}, Size{7, 5}, Size{1, 1}}) {
      CAPTURE(static_cast<int>(yuv));
      CAPTURE(size.width);
      Image image = input(PixelFormat::kNv12);
      image.yuv = yuv;
      image.row_alignment = size.width == 8 ? 32 : 1;
      check_input(image, 3, false, size, size);
    }
}

TEST_CASE("rows may have gaps, and pixels are shifted and scaled by channel") {
  Image image = input(PixelFormat::kRgb);
  image.row_alignment = 64;
  image.mean = {123.7f, 116.3f, 103.5f};
  image.scale = {0.0171f, 0.0175f, 0.0174f};
  check_input(image, 3, false, {7, 3}, {7, 3});
  check_input(image, 3, true, {7, 3}, {7, 3});
}

TEST_CASE("a picture is cropped, turned and resized in this order") {
  for (int orientation = 1; orientation <= 8; ++orientation) {
    CAPTURE(orientation);
    const bool turned = orientation >= 5;
    Image image = input(PixelFormat::kRgb);
    image.orientation = orientation;
    check_input(image, 3, false, turned ? Size{4, 6} : Size{6, 4}, {6, 4});
    image.crop = {1, 2, 5, 3};
    image.width = 8;
    image.height = 6;
    image.resize = ImageResize::kLinear;
    check_input(image, 3, false, {9, 4}, {8, 6});
  }
  for (ImageResize resize : {ImageResize::kNearest, ImageResize::kLinear})
    for (Size to : {Size{3, 3}, Size{13, 9}, Size{1, 1}}) {
      Image image = input(PixelFormat::kRgba);
      image.resize = resize;
      check_input(image, 3, false, to, {8, 5});  // of a size that is a symbol
    }
}

TEST_CASE("an output becomes pixels: rounded, held in range, in the order and alignment asked for") {
  for (PixelFormat format : {PixelFormat::kRgb, PixelFormat::kBgr, PixelFormat::kRgba, PixelFormat::kBgra, PixelFormat::kGrey})
    for (int64_t alignment : {1, 16})
      for (bool channels_last : {false, true}) {
        CAPTURE(static_cast<int>(format));
        CAPTURE(alignment);
        const int64_t channels = format == PixelFormat::kGrey ? 1 : 3, width = 7, height = 3;
        Image image = input(format);
        image.tensor = "y";
        image.is_output = true;
        image.row_alignment = alignment;
        image.mean = {10, 20, 30, 0};
        image.scale = {0.01f, 0.02f, 0.01f, 1};
        auto graph = with_images(negated(channels, channels_last), {image});
        REQUIRE_MESSAGE(graph.ok(), graph.status().message());
        std::vector<float> x(static_cast<size_t>(channels * width * height));
        for (size_t i = 0; i < x.size(); ++i) x[i] = -3.1f + 0.07f * static_cast<float>((i * 37) % 64);
        std::vector<int64_t> shape = {1, channels, height, width};
        if (channels_last) shape = {1, height, width, channels};
        GraphCase c{*graph, {{"h", height}, {"w", width}}};
        const std::vector<Tensor> inputs = {make_tensor(Dtype::kF32, shape, x)};
        auto outputs = evaluate(*graph, inputs, c.symbols);
        REQUIRE_MESSAGE(outputs.ok(), outputs.status().message());
        const Stored stored{image, {width, height}};
        const auto got = (*outputs)[0].elements<uint8_t>();
        REQUIRE(got.size() == static_cast<size_t>(stored.pitch() * height));
        const std::vector<uint8_t> bytes(got.begin(), got.end());
        for (int64_t k = 0; k < channels; ++k)
          for (int64_t row = 0; row < height; ++row)
            for (int64_t column = 0; column < width; ++column) {
              const int64_t at = channels_last ? (row * width + column) * channels + k : (k * height + row) * width + column;
              const auto ki = static_cast<size_t>(k);
              const double value = -static_cast<double>(x[static_cast<size_t>(at)]) / static_cast<double>(image.scale[ki]) +
                                   static_cast<double>(image.mean[ki]);
              // Half a step, and what f32 is off by before it is rounded.
              CHECK(std::fabs(stored.channel(bytes, column, row, k) - std::clamp(value, 0.0, 255.0)) < 0.501);
            }
        if (stored.pixel_bytes() == 4) CHECK(bytes[3] == 255);
        auto device = test_device();
        REQUIRE(device.ok());
        const Verdict verdict = check_graph(c, inputs, *device);
        CHECK_MESSAGE(verdict.kind == Verdict::Kind::kAgrees, mode_text(verdict.mode), ": ", verdict.what, "\n",
                      verdict.sources);
      }
}

TEST_CASE("a tensor's name is made a symbol's") {
  const char* names[][2] = {
      {"images/in", "images_in.width"}, {"input:0", "input_0.width"}, {"0", "_0.width"}, {"a.b", "a.b.width"}};
  for (const auto& [tensor, symbol] : names) {
    Graph named = negated(3, false);
    named.value(named.inputs[0]).name = tensor;
    Image image = input(PixelFormat::kRgb);
    image.tensor = tensor;
    image.resize = ImageResize::kLinear;
    auto graph = with_images(named, {image});
    REQUIRE_MESSAGE(graph.ok(), graph.status().message());
    CHECK(verify(*graph).ok());
    const std::string wanted = symbol;
    CHECK(std::any_of(graph->symbols.begin(), graph->symbols.end(), [&](const Symbol& s) { return s.name == wanted; }));
  }
}

TEST_CASE("a u8 tensor takes pixels as they are") {
  Image in = input(PixelFormat::kBgr), out = input(PixelFormat::kRgb);
  out.tensor = "y";
  out.is_output = true;
  auto graph = with_images(negated(3, false, "u8"), {in, out});
  REQUIRE_MESSAGE(graph.ok(), graph.status().message());
  auto outputs = evaluate(*graph, {make_tensor<uint8_t>(Dtype::kU8, {1, 1, 2, 3}, {1, 2, 3, 4, 5, 6})}, {{"h", 1}, {"w", 2}});
  REQUIRE_MESSAGE(outputs.ok(), outputs.status().message());
  const auto got = (*outputs)[0].elements<uint8_t>();
  CHECK(std::vector<uint8_t>(got.begin(), got.end()) == std::vector<uint8_t>{253, 254, 255, 250, 251, 252});
}

TEST_CASE("what is no image, or cannot be one, is refused") {
  auto status = [](auto change, const std::string& graph_text = "") {
    Image image = input(PixelFormat::kRgb);
    change(image);
    return with_images(graph_text.empty() ? negated(3, false) : parsed(graph_text), {image}).status();
  };
  CHECK(status([](Image&) {}).ok());
  CHECK(status([](Image& i) { i.tensor = "z"; }).message() ==
        "The image 'z': the model has no such input, or it is an image already.");
  CHECK(status([](Image& i) { i.format = PixelFormat::kGrey; }).code() == Code::kInvalidArgument);
  CHECK(status([](Image& i) { i.orientation = 9; }).code() == Code::kInvalidArgument);
  CHECK(status([](Image& i) { i.row_alignment = 0; }).code() == Code::kInvalidArgument);
  CHECK(status([](Image& i) { i.mean[0] = std::nanf(""); }).code() == Code::kInvalidArgument);
  CHECK(status([](Image& i) { i.crop = {0, 0, 4, 0}; }).code() == Code::kInvalidArgument);
  CHECK(status([](Image& i) { i.width = 4, i.height = 4, i.crop = {2, 0, 3, 4}; }).code() == Code::kInvalidArgument);
  CHECK(status([](Image& i) { i.crop = {0, 0, 4, 4}; }).code() == Code::kInvalidArgument);  // the tensor has symbols
  CHECK(status([](Image& i) { i.crop = {32768, 0, 4, 4}; }).code() == Code::kInvalidArgument);
  CHECK(status([](Image& i) { i.width = 640, i.height = 480; }).code() == Code::kInvalidArgument);  // nothing would use it
  CHECK(status([](Image& i) { i.tensor = "y", i.is_output = true, i.scale = {1, 1, 0, 0}; }).code() == Code::kInvalidArgument);
  CHECK(status([](Image& i) { i.tensor = "y", i.is_output = true, i.scale = {1, 1, 1, 0}; }).ok());  // three channels
  CHECK(status([](Image& i) { i.tensor = "y", i.is_output = true, i.format = PixelFormat::kNv12; }).code() ==
        Code::kUnsupported);
  CHECK(status([](Image& i) { i.tensor = "y", i.is_output = true, i.orientation = 3; }).code() == Code::kUnsupported);
  const char kTable[] =
      "graph \"table\" {\n  input %0 \"x\": f32[4, 4]\n  %1: f32[4, 4] = map.neg %0 from \"n\"\n  output %1 \"y\"\n}\n";
  CHECK(status([](Image&) {}, kTable).message() == "The image 'x': the tensor has 2 axes; images have 3 or 4.");
}

}  // namespace tuff
