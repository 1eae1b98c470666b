// What windows are made of, for the kernels that have them: window.cpp alone, separable.cpp on the way to a product. Private to
// src/kernel.
#pragma once

#include <functional>
#include <optional>

#include "kernel/kernel_build.h"

namespace tuff {

// What the result at the coordinates reads, over the taps t0, t1, ...; w: of a convolution. `channels`: how many it sums over,
// as the variable c; none where each result sees its own.
struct WindowReads {
  Dims x, w;
};
WindowReads window_reads(const WindowAttrs& window, const Dims& at, const std::optional<IntExpr>& channels = {});
// The accumulator after one more tap.
std::string window_step(const KernelWriter& writer, const WindowAttrs& window, Dtype dtype, const std::string& acc,
                        const std::string& x, const std::string& w);
// The accumulator before the first.
std::string window_identity(const KernelWriter& writer, WindowOp op, Dtype dtype);
// Fills `loops` and `loops_end`, around a tap. Rolled, but for the innermost: unrolled, all taps load first, and their checks
// are more than NVIDIA has predicates.
void window_loops(const WindowAttrs& window, Slots& slots);

// A window's elements where another kernel needs them: `width` along the variable, at coordinates over the variables that
// `bind` knows of. What the blocks of `outer` (outermost first) can hold is computed there.
struct WindowElement {
  const KernelRequest& request;
  NodeId window;
  Dims at;
  std::optional<IntExpr> channels;  // as window_reads'
  std::string variable;
  int width = 1;
  std::vector<Block*> outer;
  std::function<void(Emitter&)> bind;
};
// What becomes of the elements, which the emitter has as its input 0: statements that come after those that it emits.
using WindowResult = std::function<Result<std::string>(Emitter&, Block&)>;
// The statements, in `setup` what comes before the taps.
Result<std::string> window_element(const WindowElement& element, Block& setup, const WindowResult& result);

}  // namespace tuff
