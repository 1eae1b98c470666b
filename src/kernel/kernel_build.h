// What every anchor's file needs to turn a group into source. Private to src/kernel.
#pragma once

#include "fusion/product.h"
#include "kernel/make_kernels.h"
#include "kernel/skeleton.h"

namespace tuff {

Result<std::vector<GuardedKernel>> make_map(const KernelRequest& request);
Result<std::vector<GuardedKernel>> make_row_reduce(const KernelRequest& request);
Result<std::vector<GuardedKernel>> make_contract(const KernelRequest& request);
Result<std::vector<GuardedKernel>> make_window(const KernelRequest& request);
Result<std::vector<GuardedKernel>> make_attend(const KernelRequest& request);
Result<std::vector<GuardedKernel>> make_separable(const KernelRequest& request);
Result<std::vector<GuardedKernel>> make_expand(const KernelRequest& request);

// The group's scope with what it stores itself taken off the list of loadable values.
struct GroupScope {
  explicit GroupScope(const KernelRequest& request);
  GroupScope(const GroupScope&) = delete;

  std::vector<bool> stored;
  PointScope scope;
};

// Replaces domain variables (d0, d1, ...) by other expressions.
using Substitution = std::map<std::string, IntExpr>;
IntExpr replace_variables(const IntExpr& e, const Substitution& substitution);
Dims replace_variables(const Dims& dims, const Substitution& substitution);
void replace_variables(Point& point, const Substitution& substitution);

// Symbols replaced everywhere, also in the extents of loop variables.
IntExpr rename_symbols(const IntExpr& e, const Substitution& symbols);
void rename_symbols(Point& point, const Substitution& symbols);

// The op that gives a stored value's element: of a view that is stored in place of its source, the source's where the
// kernel has it.
struct StoredElement {
  int op;
  IntExpr address;
};
Result<StoredElement> stored_element(const KernelRequest& request, const PointScope& scope, PointBuilder& builder,
                                     ValueId value);
// Of all that the group stores, with addresses over the kernel's own variables.
using StoredElements = std::vector<std::pair<ValueId, StoredElement>>;
Result<StoredElements> stored_elements(const KernelRequest& request, const PointScope& scope, PointBuilder& builder,
                                       const Substitution& variables);

// How a reduction combines two elements, and what changes nothing; any and all are or and and.
struct Reduction {
  MapOp combine = MapOp::add;
  uint64_t identity = 0;
};
Reduction reduction_of(ReduceOp op, Dtype dtype);

// Workgroups for a count of invocations along one axis, spread over two grid axes where one has not enough; the shader
// gets the linear workgroup number from `grid_index`.
struct Grid1d {
  std::array<IntExpr, 3> grid;
  std::string grid_index;
};
Grid1d spread(const IntExpr& workgroups, const DeviceInfo& device);

// What a workgroup of x by y invocations waits with until all of them have written to shared memory what they then read: one
// subgroup along x (llvmpipe makes none along y) for the rest of it.
std::string barrier_text(int64_t x, int64_t y, const DeviceInfo& device);

// The innermost axis of the value's storage that is longer than 1.
int innermost_axis(const KernelRequest& request, ValueId value);

// "contract_conv1_relu": skeleton and the first and last of the model's nodes, as an identifier.
std::string kernel_name(const KernelRequest& request, std::string_view skeleton);
// Fills in what follows from the writer: source with prelude and declarations, bindings, parameters, needs, bytes.
Result<Kernel> finish_kernel(const KernelRequest& request, KernelWriter& writer, std::string_view skeleton, Slots slots,
                             std::array<uint32_t, 3> workgroup, std::array<IntExpr, 3> grid, std::string schedule);

}  // namespace tuff
