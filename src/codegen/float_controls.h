// Modes of float arithmetic that a module asks of the driver (SPV_KHR_float_controls), beyond what GLSL can say.
//
//   signed zeros, infinities and NaNs in f32   exact kernels, on devices that offer it
//   denormal halves                            kernels that unpack halves, on devices that offer it: denormal halves are
//                                              small weights, and unpackHalf2x16 may take them for zeros otherwise. A device
//                                              may ask the same of f64 then.
//
// Modes for denormals of f32 and for rounding are not asked for: shaders/lib does not depend on the former, every device
// rounds f32 to nearest even, and both tie the other float widths on some devices.
#pragma once

#include <cstdint>
#include <vector>

#include "base/status.h"
#include "device/device_info.h"
#include "kernel/kernel.h"

namespace tuff {

struct FloatControl {
  uint32_t capability, mode, bits;  // SPIR-V's capability and execution mode, and the width of the floats
};

// Those that the kernel's module needs; the same for the same source, `exact` and device.
std::vector<FloatControl> float_controls_of(const Kernel& kernel, const DeviceInfo& device);

Result<std::vector<uint32_t>> add_float_controls(std::vector<uint32_t> words, const std::vector<FloatControl>& controls);

}  // namespace tuff
