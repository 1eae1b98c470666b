#include "model/image.h"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "model/onnx/resize_axis.h"

namespace tuff {
namespace {

using namespace onnx;  // the language of tensors, not the format

// Along one side, where the picture's size is a symbol: places in it then fit 32 bits.
constexpr int64_t kMostPixels = 32768;

// A tensor's name as the beginning of a symbol's, which has letters, digits, '_' and '.', no digit or '.' first.
std::string symbol_name(std::string name) {
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '_' && c != '.') c = '_';
  const bool begins_well = !name.empty() && (std::isalpha(static_cast<unsigned char>(name[0])) || name[0] == '_');
  return begins_well ? name : "_" + name;
}

int bytes_per_pixel(PixelFormat format) {
  switch (format) {
    case PixelFormat::kRgb:
    case PixelFormat::kBgr: return 3;
    case PixelFormat::kRgba:
    case PixelFormat::kBgra: return 4;
    case PixelFormat::kGrey:
    case PixelFormat::kNv12: return 1;
  }
  return 1;
}

bool is_blue_first(PixelFormat format) { return format == PixelFormat::kBgr || format == PixelFormat::kBgra; }

Status refused(const Image& image, const std::string& why) {
  return invalid_argument("The image '" + image.tensor + "': " + why);
}

// Where a tensor has its channels, rows and columns.
struct Axes {
  int batch = -1;  // none: rank 3
  int channel = 0, row = 0, column = 0;
  IntExpr channels, height, width;
};

Result<Axes> axes_of(const Image& image, const Value& tensor) {
  const int rank = static_cast<int>(tensor.shape.size());
  if (rank != 3 && rank != 4) return refused(image, "the tensor has " + std::to_string(rank) + " axes; images have 3 or 4.");
  if (!is_float(tensor.dtype) && tensor.dtype != Dtype::kU8)
    return refused(image, "the tensor is " + std::string(dtype_name(tensor.dtype)) + ", neither float nor u8.");
  const int first = rank - 3;
  auto size = [&](int axis) { return tensor.shape[static_cast<size_t>(axis)]; };
  auto are_channels = [&](const IntExpr& n) { return n.is(1) || n.is(3) || n.is(4); };
  Axes a;
  a.batch = first - 1;
  if (are_channels(size(first))) {
    a.channel = first, a.row = first + 1, a.column = first + 2;
  } else if (are_channels(size(first + 2))) {
    a.channel = first + 2, a.row = first, a.column = first + 1;
  } else {
    return refused(image, "the tensor " + dims_text(tensor.shape) + " has neither first nor last 1, 3 or 4 channels.");
  }
  a.channels = size(a.channel), a.height = size(a.row), a.width = size(a.column);
  const int pixel = bytes_per_pixel(image.format);
  const bool fits = image.format == PixelFormat::kNv12 ? a.channels.is(3)
                    : pixel == 4                       ? a.channels.is(3) || a.channels.is(4)
                                                       : a.channels.is(pixel);
  if (!fits) return refused(image, "pixels of this format do not give the tensor's " + a.channels.text() + " channels.");
  return a;
}

Status check(const Image& image) {
  if (image.row_alignment < 1 || image.row_alignment > 65536)
    return refused(image, "rows cannot be aligned to " + std::to_string(image.row_alignment) + " bytes.");
  if (image.orientation < 1 || image.orientation > 8)
    return refused(image, "there is no orientation " + std::to_string(image.orientation) + "; EXIF counts from 1 to 8.");
  const ImageCrop& c = image.crop;
  if (image.width < 0 || image.height < 0 || c.x < 0 || c.y < 0 || c.width < 0 || c.height < 0)
    return refused(image, "sizes and places are not negative.");
  if (std::max({image.width, image.height, c.x, c.y, c.width, c.height}) > kMostPixels ||
      std::max(c.x + c.width, c.y + c.height) > kMostPixels)
    return refused(image, "a picture has at most " + std::to_string(kMostPixels) + " pixels along each side.");
  if ((c.width == 0) != (c.height == 0)) return refused(image, "a crop has a width and a height, or neither.");
  if ((image.width != 0 && (c.x > image.width || c.width > image.width - c.x)) ||
      (image.height != 0 && (c.y > image.height || c.height > image.height - c.y)))
    return refused(image, "the crop reaches beyond the picture.");
  for (size_t i = 0; i < 4; ++i)
    if (!(image.mean[i] - image.mean[i] == 0) || !(image.scale[i] - image.scale[i] == 0))
      return refused(image, "mean and scale are finite numbers.");
  if (!image.is_output) return ok_status();
  if (image.format == PixelFormat::kNv12 || image.orientation != 1 || image.resize != ImageResize::kNone || c.width != 0 ||
      image.width != 0 || image.height != 0)
    return unsupported("The image '" + image.tensor +
                       "': an output has no size, crop, orientation or resize of its own, and is "
                       "not NV12.");
  return ok_status();
}

// A number a channel, shaped to broadcast over the tensor; one number where all are the same.
Tensor by_channel(Composition& c, const Axes& axes, int rank, const std::vector<float>& numbers) {
  if (std::all_of(numbers.begin(), numbers.end(), [&](float n) { return n == numbers[0]; }))
    return c.scalar(Dtype::kF32, static_cast<double>(numbers[0]));
  return along(c.floats({IntExpr(static_cast<int64_t>(numbers.size()))}, numbers), rank, axes.channel);
}

std::vector<float> scales_of(const Image& image, const Axes& axes, Dtype dtype) {
  const auto count = static_cast<size_t>(axes.channels.constant());
  std::vector<float> scales(image.scale.begin(), image.scale.begin() + static_cast<std::ptrdiff_t>(count));
  if (std::all_of(image.scale.begin(), image.scale.end(), [](float s) { return s == 0; }))
    scales.assign(count, is_float(dtype) ? 1.0f / 255.0f : 1.0f);
  return scales;
}

std::vector<float> means_of(const Image& image, const Axes& axes) {
  return {image.mean.begin(), image.mean.begin() + static_cast<std::ptrdiff_t>(axes.channels.constant())};
}

bool all_are(const std::vector<float>& numbers, float n) {
  return std::all_of(numbers.begin(), numbers.end(), [&](float x) { return x == n; });
}

// [n, h, w, c] or [h, w, c] and the tensor's own order of axes.
Tensor to_tensor_order(Tensor x, const Axes& axes) {
  if (axes.channel > axes.column) return x;
  return axes.batch < 0 ? transpose(x, {2, 0, 1}) : transpose(x, {0, 3, 1, 2});
}
Tensor to_pixel_order(Tensor x, const Axes& axes) {
  if (axes.channel > axes.column) return x;
  return axes.batch < 0 ? transpose(x, {1, 2, 0}) : transpose(x, {0, 2, 3, 1});
}

// Channels last, colours first among them.
Tensor blue_and_red_swapped(Tensor x, const Axes& axes) {
  const int channel = x.rank() - 1;
  Tensor colours = slice(x, channel, IntExpr(2), IntExpr(3), -1);
  return axes.channels.is(4) ? concat({colours, slice(x, channel, IntExpr(3), IntExpr(1))}, channel) : colours;
}

// Bytes from one row to the next.
IntExpr pitch_of(const Image& image, const IntExpr& row_bytes) {
  return ceil_div(row_bytes, IntExpr(image.row_alignment)) * IntExpr(image.row_alignment);
}

Tensor reversed(Tensor x, int axis) { return slice(x, axis, x.dim(axis) - IntExpr(1), x.dim(axis), -1); }

// Each element twice along the axis, `count` of them in all.
Tensor doubled(Tensor x, int axis, const IntExpr& count) {
  Dims split = x.shape(), joined = x.shape();
  split.insert(split.begin() + axis + 1, IntExpr(1));
  Dims repeated = split;
  repeated[static_cast<size_t>(axis) + 1] = IntExpr(2);
  joined[static_cast<size_t>(axis)] *= IntExpr(2);
  return slice(reshape(broadcast(reshape(x, split), repeated), joined), axis, IntExpr(0), count);
}

struct YuvRow {
  float luma_low, luma_gain, red_v, green_u, green_v, blue_u;
};

// R = luma + red_v * V and so on, U and V about 128. BT.601: Kr 0.299, Kb 0.114; BT.709: Kr 0.2126, Kb 0.0722;
// red_v = 2 (1 - Kr), blue_u = 2 (1 - Kb), green_u = -Kb/Kg blue_u, green_v = -Kr/Kg red_v; limited range stretches luma by
// 255/219 and chroma by 255/224.
YuvRow yuv_row(Yuv yuv) {
  const bool is_709 = yuv == Yuv::kBt709 || yuv == Yuv::kBt709Full;
  const bool is_full = yuv == Yuv::kBt601Full || yuv == Yuv::kBt709Full;
  const double kr = is_709 ? 0.2126 : 0.299, kb = is_709 ? 0.0722 : 0.114, kg = 1 - kr - kb;
  const double chroma = is_full ? 1 : 255.0 / 224, red = 2 * (1 - kr) * chroma, blue = 2 * (1 - kb) * chroma;
  auto f = [](double x) { return static_cast<float>(x); };
  return {is_full ? 0.0f : 16.0f, is_full ? 1.0f : f(255.0 / 219), f(red), f(-kb / kg * blue), f(-kr / kg * red), f(blue)};
}

class InputImage {
 public:
  InputImage(Composition& c, const Image& image, const Value& tensor, const Axes& axes)
      : c_(c), image_(image), tensor_(tensor), axes_(axes), rank_(static_cast<int>(tensor.shape.size())) {}

  // Adds the pixels as an input; gives what the model reads.
  Tensor build() {
    choose_size();
    Tensor x = image_.format == PixelFormat::kNv12 ? nv12() : pixels();
    x = oriented(cropped(x));
    if (is_blue_first(image_.format)) x = blue_and_red_swapped(x, axes_);
    if (axes_.channels.is(3)) x = slice(x, rank_ - 1, IntExpr(0), IntExpr(3));
    const std::vector<float> means = means_of(image_, axes_), scales = scales_of(image_, axes_, tensor_.dtype);
    const bool is_kept = all_are(means, 0) && all_are(scales, 1) && image_.resize != ImageResize::kLinear;
    if (!(tensor_.dtype == Dtype::kU8 && is_kept)) x = cast(x, Dtype::kF32);
    x = to_tensor_order(resized(x), axes_);
    if (x.dtype() == Dtype::kF32) {
      if (!all_are(means, 0)) x = x - by_channel(c_, axes_, rank_, means);
      if (!all_are(scales, 1)) x = x * by_channel(c_, axes_, rank_, scales);
      if (tensor_.dtype == Dtype::kU8) x = map(MapOp::round, {minimum(maximum(x, 0), 255)});
    }
    x = cast(x, tensor_.dtype);
    if (c_.status().ok() && x.shape() != tensor_.shape)
      return c_.fail(
          invalid_argument("its pixels become " + dims_text(x.shape()) + ", the tensor is " + dims_text(tensor_.shape) + "."));
    return x;
  }

 private:
  bool is_turned() const { return image_.orientation >= 5; }

  void choose_size() {
    height_ = is_turned() ? axes_.width : axes_.height;
    width_ = is_turned() ? axes_.height : axes_.width;
    if (image_.resize == ImageResize::kNone && image_.crop.width == 0) {
      auto fits = [](int64_t given, const IntExpr& size) { return given == 0 || size.is(given); };
      if (!fits(image_.height, height_) || !fits(image_.width, width_))
        c_.fail(invalid_argument("the picture is " + std::to_string(image_.width) + " by " + std::to_string(image_.height) +
                                 ", the tensor " + dims_text(tensor_.shape) + ", and it is neither cropped nor resized."));
      return;
    }
    auto size = [&](int64_t known, const char* name, int64_t least) {
      Symbol symbol;
      symbol.name = symbol_name(image_.tensor) + name;
      symbol.min = std::max<int64_t>(least, 1);
      symbol.max = kMostPixels;
      return known != 0 ? IntExpr(known) : c_.builder().symbol(symbol);
    };
    height_ = size(image_.height, ".height", image_.crop.y + image_.crop.height);
    width_ = size(image_.width, ".width", image_.crop.x + image_.crop.width);
  }

  Dims with_batch(Dims dims) const {
    if (axes_.batch >= 0) dims.insert(dims.begin(), tensor_.shape[0]);
    return dims;
  }

  // The u8 input as [n, rows, bytes of pixels in a row].
  Tensor rows(const IntExpr& count, const IntExpr& row_bytes, const Dims& dense_shape) {
    const IntExpr pitch = pitch_of(image_, row_bytes);
    if (pitch == row_bytes && !dense_shape.empty()) {
      Tensor x(&c_, c_.builder().input(image_.tensor, Dtype::kU8, dense_shape));
      return reshape(x, with_batch({count, row_bytes}));
    }
    Tensor x(&c_, c_.builder().input(image_.tensor, Dtype::kU8, with_batch({count, pitch})));
    return slice(x, rank_ - 2, IntExpr(0), row_bytes);
  }

  Tensor pixels() {
    const IntExpr bytes(bytes_per_pixel(image_.format));
    const Dims shape = with_batch({height_, width_, bytes});
    return reshape(rows(height_, width_ * bytes, shape), shape);
  }

  // RGB as floats, from 0 to 255.
  Tensor nv12() {
    const IntExpr half_height = ceil_div(height_, IntExpr(2)), half_width = ceil_div(width_, IntExpr(2));
    const int row = rank_ - 3, column = rank_ - 2, channel = rank_ - 1;
    Tensor planes = rows(height_ + half_height, half_width * IntExpr(2), {});
    Tensor luma = reshape(slice(slice(planes, row, IntExpr(0), height_), column, IntExpr(0), width_),
                          with_batch({height_, width_, IntExpr(1)}));
    Tensor chroma = reshape(slice(planes, row, height_, half_height), with_batch({half_height, half_width, IntExpr(2)}));
    chroma = doubled(doubled(chroma, row, height_), column, width_);
    auto part = [&](int i) { return cast(slice(chroma, channel, IntExpr(i), IntExpr(1)), Dtype::kF32) - 128; };
    auto weights = [&](const std::vector<float>& numbers) { return along(c_.floats({IntExpr(3)}, numbers), rank_, channel); };
    const YuvRow m = yuv_row(image_.yuv);
    Tensor y = cast(luma, Dtype::kF32);
    if (m.luma_low != 0) y = (y - static_cast<double>(m.luma_low)) * static_cast<double>(m.luma_gain);
    Tensor rgb = y + part(0) * weights({0, m.green_u, m.blue_u}) + part(1) * weights({m.red_v, m.green_v, 0});
    return minimum(maximum(rgb, 0), 255);
  }

  Tensor cropped(Tensor x) {
    const ImageCrop& crop = image_.crop;
    if (crop.width == 0) return x;
    return slice(slice(x, rank_ - 3, IntExpr(crop.y), IntExpr(crop.height)), rank_ - 2, IntExpr(crop.x), IntExpr(crop.width));
  }

  Tensor oriented(Tensor x) {
    const int row = rank_ - 3, column = rank_ - 2;
    if (is_turned()) x = axes_.batch < 0 ? transpose(x, {1, 0, 2}) : transpose(x, {0, 2, 1, 3});
    const int o = image_.orientation;
    if (o == 2 || o == 3 || o == 6 || o == 7) x = reversed(x, column);
    if (o == 3 || o == 4 || o == 7 || o == 8) x = reversed(x, row);
    return x;
  }

  Tensor resized(Tensor x) {
    if (image_.resize == ImageResize::kNone) return x;
    Sampling sampling;
    sampling.interpolation = image_.resize == ImageResize::kLinear ? Interpolation::kLinear : Interpolation::kNearest;
    for (int side = 0; side < 2; ++side) {
      AxisResize a;
      a.axis = rank_ - 3 + side;
      a.out = side == 0 ? axes_.height : axes_.width;
      const IntExpr in = x.dim(a.axis);
      if (a.out == in) continue;
      a.scale = quotient(a.out, in);
      if (in.is_constant() && a.out.is_constant())
        a.real_scale = static_cast<float>(a.out.constant()) / static_cast<float>(in.constant());
      x = resize_axis(x, a, sampling);
    }
    return x;
  }

  Composition& c_;
  const Image& image_;
  const Value& tensor_;
  const Axes& axes_;
  int rank_;
  IntExpr height_, width_;  // of the picture as it is stored
};

// The model's output as pixels.
Tensor output_image(Composition& c, const Image& image, Tensor x, const Axes& axes) {
  const int rank = x.rank();
  const std::vector<float> means = means_of(image, axes);
  std::vector<float> factors = scales_of(image, axes, x.dtype());
  for (float& s : factors) {
    s = 1.0f / s;
    if (!std::isfinite(s)) return c.fail(invalid_argument("an output cannot be divided by its scale."));
  }
  if (x.dtype() != Dtype::kU8 || !all_are(means, 0) || !all_are(factors, 1)) {
    x = cast(x, Dtype::kF32);
    if (!all_are(factors, 1)) x = x * by_channel(c, axes, rank, factors);
    if (!all_are(means, 0)) x = x + by_channel(c, axes, rank, means);
    x = cast(map(MapOp::round, {minimum(maximum(x, 0), 255)}), Dtype::kU8);
  }
  x = to_pixel_order(x, axes);
  if (is_blue_first(image.format)) x = blue_and_red_swapped(x, axes);
  const Dims none(static_cast<size_t>(rank), IntExpr(0));
  const int bytes = bytes_per_pixel(image.format);
  if (bytes == 4 && axes.channels.is(3)) {  // opaque
    Dims alpha = none;
    alpha.back() = IntExpr(1);
    x = pad(x, none, alpha, 255);
  }
  const IntExpr row_bytes = axes.width * IntExpr(bytes);
  const IntExpr pitch = pitch_of(image, row_bytes);
  if (pitch == row_bytes) return x;
  Dims rows = {axes.height, row_bytes}, gap(static_cast<size_t>(rank) - 1, IntExpr(0));
  if (axes.batch >= 0) rows.insert(rows.begin(), x.dim(0));
  gap.back() = pitch - row_bytes;
  return pad(reshape(x, rows), Dims(gap.size(), IntExpr(0)), gap, 0);
}

}  // namespace

Result<Graph> with_images(const Graph& graph, const std::vector<Image>& images) {
  if (images.empty()) return graph;
  std::vector<const Image*> of_input(graph.inputs.size()), of_output(graph.outputs.size());
  for (const Image& image : images) {
    TUFF_TRY(check(image));
    bool found = false;
    for (size_t i = 0; !image.is_output && i < graph.inputs.size(); ++i)
      if (graph.value(graph.inputs[i]).name == image.tensor) found = !std::exchange(of_input[i], &image);
    for (size_t i = 0; image.is_output && i < graph.outputs.size(); ++i)
      if (graph.output_names[i] == image.tensor) found = !std::exchange(of_output[i], &image);
    if (!found)
      return refused(image, std::string("the model has no such ") + (image.is_output ? "output" : "input") +
                                ", or it is an image already.");
  }
  Graph start;
  start.name = graph.name;
  start.symbols = graph.symbols;
  start.data_sizes = graph.data_sizes;
  GraphBuilder builder(std::move(start));
  Composition c(builder);
  std::vector<ValueId> made(graph.values.size());
  for (size_t i = 0; i < graph.inputs.size(); ++i) {
    const Value& tensor = graph.value(graph.inputs[i]);
    ValueId& value = made[graph.inputs[i].value];
    if (!of_input[i]) {
      value = builder.input(tensor.name, tensor.dtype, tensor.shape);
      continue;
    }
    TUFF_ASSIGN(Axes axes, axes_of(*of_input[i], tensor));
    builder.set_origins({"image " + tensor.name});
    value = InputImage(c, *of_input[i], tensor, axes).build().id();
    if (!c.status().ok()) return c.status().with_context("The image '" + tensor.name + "'");
  }
  for (const Node& node : graph.nodes) {
    builder.set_origins(node.origins);
    std::vector<ValueId> inputs;
    for (ValueId v : node.inputs) inputs.push_back(made[v.value]);
    TUFF_ASSIGN(ValueId value, builder.add(node.attrs, std::move(inputs)));
    builder.name_value(value, graph.value(node.output).name);
    made[node.output.value] = value;
  }
  for (size_t i = 0; i < graph.outputs.size(); ++i) {
    const ValueId value = made[graph.outputs[i].value];
    const std::string& name = graph.output_names[i];
    if (!of_output[i]) {
      builder.output(value, name);
      continue;
    }
    if (std::any_of(graph.data_sizes.begin(), graph.data_sizes.end(), [&](const DataSize& size) { return size.output == i; }))
      return refused(*of_output[i], "the data decide its size.");
    TUFF_ASSIGN(Axes axes, axes_of(*of_output[i], graph.value(graph.outputs[i])));
    builder.set_origins({"image " + name});
    const Tensor pixels = output_image(c, *of_output[i], Tensor(&c, value), axes);
    if (!c.status().ok()) return c.status().with_context("The image '" + name + "'");
    builder.output(pixels.id(), name);
  }
  return std::move(builder).finish();
}

}  // namespace tuff
