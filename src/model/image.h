// Images: pixels of 8 bits in place of a model's float input or output, as nodes of the graph, so that they fuse like any
// others.
//
// In: a graph, and what is said of some of its inputs and outputs. Out: the graph with u8 in their place:
//   [n, height, width, bytes a pixel], or where rows have gaps or planes [n, rows, bytes a row]; n only where the tensor has
//   rank 4. An NV12 picture has height rows of luma, then half as many of interleaved chroma, all equally long.
// Pixels pass these steps in this order, and of an output the last ones backwards:
//   crop, orientation, resize, channels in the tensor's order, tensor = (pixel - mean) * scale
#pragma once

#include <array>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace tuff {

enum class PixelFormat : uint8_t { kRgb, kBgr, kRgba, kBgra, kGrey, kNv12 };
enum class ImageResize : uint8_t { kNone, kNearest, kLinear };  // pixel centres at halves; nearest: a tie goes down
// How YCbCr becomes RGB (ITU-R BT.601 and BT.709): luma from 16 to 235 in limited range, from 0 to 255 in full.
enum class Yuv : uint8_t { kBt601, kBt601Full, kBt709, kBt709Full };

struct ImageCrop {
  int64_t x = 0, y = 0, width = 0, height = 0;  // in pixels of the picture as it is stored; no width: all of it
};

struct Image {
  std::string tensor;  // [n, c, h, w], [n, h, w, c], or either without n; float or u8
  bool is_output = false;
  PixelFormat format = PixelFormat::kRgb;
  Yuv yuv = Yuv::kBt601;
  int64_t row_alignment = 1;  // in bytes, what each row begins at a multiple of
  // Of an input: the picture's size, needed where the tensor's does not say it. 0: the symbol "<tensor>.width".
  int64_t width = 0, height = 0;
  ImageCrop crop;
  int orientation = 1;  // as EXIF counts: 1 upright, 3 upside down, 6 to be turned clockwise, 8 counter-clockwise
  ImageResize resize = ImageResize::kNone;
  std::array<float, 4> mean = {};   // by channel of the tensor, in steps of pixels: 0 to 255
  std::array<float, 4> scale = {};  // all 0: 1/255 for a float tensor, 1 for a u8 one
};

// INVALID_ARGUMENT for a tensor that is none of the graph's or no image, UNSUPPORTED for steps that an output does not have.
Result<Graph> with_images(const Graph& graph, const std::vector<Image>& images);

}  // namespace tuff
