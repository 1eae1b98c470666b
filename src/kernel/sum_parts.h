// Sums that several workgroups share, where a product's results alone keep too few of them busy: each takes a part of k for a
// whole tile of results and leaves its sums in memory, and the last of a tile to arrive adds up what all have left, in the
// order of the parts, and goes on to the epilogue. So a sum's bits do not hang on who is last.
//   fast   parts are of steps over k, within each tap of a window
//   exact  parts are of whole chunks of the sum's order, and what each chunk comes to is left by itself; a serial order has no
//          parts. Nor has gemv.glsl others in either mode
// Integers wrap, so that any parts give the same bits. Private to src/kernel.
#pragma once

#include <functional>
#include <string>

#include "kernel/contraction.h"

namespace tuff {

constexpr int64_t kArrivedBytes = 4;  // of a workgroup's shared memory: how many of a tile have arrived

struct SumParts {
  int64_t count = 1;
  int64_t units = 1;          // that parts have whole numbers of: chunks, or steps over k
  int64_t rounds = 1;         // of the loop over k in a unit
  bool leaves_units = false;  // each unit's sum by itself; else a part's

  int64_t units_each() const;
  // How many sums of each result are left.
  int64_t left_count() const { return leaves_units ? units : count; }
  // Has each part something to sum?
  bool are_filled() const { return count == 1 || (count >= 1 && (count - 1) * units_each() < units); }
};
SumParts sum_parts(const KernelRequest& request, const Contraction& c, const ContractTile& tile, bool gemv);

// A clause on why a contraction's sums have no parts; empty where they may have.
std::string why_no_parts(const KernelRequest& request, const Contraction& c, bool gemv);

// Rows up to which a kernel with parts is made, where their number is known late: those that its schedule was chosen for.
int64_t most_shared_rows(const Contraction& c, bool gemv);
// Workgroups, were no sums shared, and what all parts leave.
IntExpr tile_count(const Contraction& c, const ContractTile& tile, bool gemv);
IntExpr left_bytes(const Contraction& c, const SumParts& parts, bool gemv);
// Do the device's grid and buffers hold what the parts need?
bool holds_parts(const DeviceInfo& device, const Contraction& c, const ContractTile& tile, const SumParts& parts, bool gemv);

// The slots that contract.glsl and gemv.glsl have for parts; `is_here`: whether the result of row i and column j is one, as a
// condition, empty where all are.
Status fill_sum_parts(const SumParts& parts, const Contraction& c, const ContractTile& tile, bool gemv,
                      const std::function<std::string(int, int)>& is_here, KernelWriter& writer, Block& setup, Slots& slots);

}  // namespace tuff
