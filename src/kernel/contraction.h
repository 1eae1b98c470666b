// A contract or a convolution as one form: C[b, m, n] = sum over taps and k of A * B, with the coordinates of both operands
// and of the output over the variables b, m, n, t0, t1, ... and k. Private to src/kernel.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/kernel_build.h"

namespace tuff {

struct Contraction {
  IntExpr batch, rows, columns;                 // extents of b, m, n (each linear over its axes)
  Dims taps;                                    // extents of t0, t1, ...: loops outside k
  IntExpr depth;                                // extent of k
  Dims a, b;                                    // coordinates of the operands
  std::vector<std::pair<NodeId, Dims>> others;  // products of the same rows in the same kernel, and their b
  Substitution output;                          // the group's domain variables d0, d1, ...
  int64_t chunk_length = 0;                     // 0: serial
  IntExpr multiply_adds;
};

Contraction contraction_of(const KernelRequest& request);

// Names in Observations::schedules the kernels of a skeleton that compute the same sums of operands that lie the same way, with
// the same ops around them: "contract f32 1x3136x64x64 3x3 #90ad6e01" is batch x rows x columns x depth and taps, and a hash of
// the rest. Kernels of one key, in one model or in two, are tuned as one.
std::string contraction_key(const KernelRequest& request, const Contraction& c, std::string_view skeleton);

// Everything of one schedule: the tile of an invocation and how invocations cover the result.
struct ContractTile {
  int rows = 1;      // m an invocation
  int columns = 1;   // vectors of n an invocation
  int products = 1;  // of the same rows: each has as many accumulators
  int width = 1;     // n a vector
  int steps = 1;     // consecutive k loaded together
  uint32_t lanes_n = 64, lanes_m = 1;
  bool words = false;     // an operand of the sum is a word of four k (integer_dot.h): steps is 1
  bool exchange = false;  // the workgroup is one subgroup; each lane loads A for a row of its own and passes it around
  uint32_t parts = 1;     // workgroups that share a tile, each with a part of k (sum_parts.h)
  // Where not 0, a workgroup walks over tiles of columns, and there are at least so many workgroups (fusion/exchange_tile.h).
  uint32_t spread = 0;
  // Which tile of columns, as text.
  std::string column_tile = "int(gl_WorkGroupID.y)";
  int k_step() const { return words ? 4 : steps; }
};

struct IntegerDot;

// The slots that both schedules share, and the shared memory that their statistics of rows take; gemv: one row a workgroup,
// its k cut into chunks.
struct ContractSlots {
  Slots slots;
  int64_t shared_bytes = 0;
  int64_t statistic_count = 0;
};
// Where A's elements come from if not from the first operand's Point: the `steps` k from `k` of row `m`, whose number in the
// workgroup is `row`, as texts. What m alone decides goes into `rows`, before the loop over k, the rest into `inner`.
using RowElements =
    std::function<Result<std::vector<std::string>>(Block& rows, Block& inner, const std::string& m, const std::string& row)>;
// Tiles whose rows share elements of A. setup() puts b and m, the first row, into its block; is_own() is the condition, as
// text, that a row is the tile's to store (empty: always); load() puts the elements into the blocks setup, rows, tap and inner;
// at() is the one of a row and a step as text.
struct SharedElements {
  std::function<void(Block& setup)> setup;
  std::function<std::string(int row)> is_own;
  std::function<Status(const std::vector<Block*>& blocks)> load;
  std::function<std::string(Block& step, int row, int step_number)> at;
};
// dot: of a tile of words; shared: where given, in place of row_elements.
Result<ContractSlots> fill_contract(const KernelRequest& request, const Contraction& c, const ContractTile& tile, bool gemv,
                                    KernelWriter& writer, const RowElements& row_elements = {}, const IntegerDot* dot = nullptr,
                                    const SharedElements* shared = nullptr);

// The slots "loops" and "loops_end": around the loop over k.
void fill_tap_loops(const Contraction& c, KernelWriter& writer, Slots& slots);

Result<Kernel> make_gemv(const KernelRequest& request, const Contraction& c);
// On matrix units; fusion has chosen the shape of the matrices.
Result<Kernel> make_matrix_contract(const KernelRequest& request, const Contraction& c);
// In Winograd's form, which fusion has chosen.
Result<Kernel> make_winograd(const KernelRequest& request);

}  // namespace tuff
