// Statistics of a product's rows, computed by the workgroup that has them, for operands and epilogues that normalise rows.
// Private to src/kernel.
#pragma once

#include "kernel/contraction.h"

namespace tuff {

struct RowStatistics {
  std::string functions;  // before main(): how parts combine, and the shared memory that they meet in
  std::string text;       // after setup
  int64_t shared_bytes = 0;
  std::vector<NodeId> reductions;  // the group's, in order

  // The statistics of one row of the tile, as texts: number `i`, counted from the workgroup's first row.
  std::vector<std::string> of_row(const std::string& i) const;
};

// How the tile's invocations share its rows: `lanes` of them, of which this is number `lane`, have the `rows` rows from
// `first_row` of the workgroup on; row_text(i) says which of all rows the i-th is.
struct RowLanes {
  int rows = 1, lanes = 1, workgroup_rows = 1;
  int64_t workgroup_x = 1, workgroup_y = 1;
  std::string lane, first_row, row;  // row: of the i-th, as text over i
};

// What they take of shared memory.
int64_t statistics_shared_bytes(int64_t workgroup_rows, int64_t lanes, int64_t reduction_count);
Result<RowStatistics> row_statistics(const KernelRequest& request, const Contraction& c, const RowLanes& tile, Block& setup,
                                     KernelWriter& writer, GroupScope& group);
// Lets the group's Points read the statistics as inputs number `first` and on, at coordinates over the variables that
// `variables` puts for d0, d1, ...
void bind_statistics(const KernelRequest& request, const RowStatistics& statistics, const Substitution& variables, int first,
                     GroupScope& group);

}  // namespace tuff
