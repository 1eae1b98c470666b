// The roofline of a profile: rate of arithmetic over arithmetic intensity, both logarithmic, under the device's two roofs.
#pragma once

#include "cli/profile_report.h"

namespace tuff::cli {

// An <svg> whose dots link to #kernel-<position>. Kernels that compute nothing, or took no time, have no dot.
std::string roofline_svg(const ProfileReport& report);
// How many those are.
size_t kernels_without_dot(const ProfileReport& report);

}  // namespace tuff::cli
