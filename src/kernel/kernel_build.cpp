#include "kernel/kernel_build.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "fusion/cost.h"
#include "fusion/reduced_window.h"
#include "fusion/separable.h"
#include "graph/builder.h"
#include "kernel/integer_dot.h"
#include "kernel/shader_library.h"

namespace tuff {

GroupScope::GroupScope(const KernelRequest& request) : stored(request.fusion.stored) {
  scope = group_scope(request.group, request.graph, request.layouts, request.fusion);
  for (ValueId v : request.group.stores) stored[v.value] = false;
  scope.stored = &stored;
}

IntExpr replace_variables(const IntExpr& e, const Substitution& substitution) {
  return e.substitute([&](const Symbol& s) -> std::optional<IntExpr> {
    auto it = s.extent ? substitution.find(s.name) : substitution.end();
    return it == substitution.end() ? std::nullopt : std::optional<IntExpr>(it->second);
  });
}

Dims replace_variables(const Dims& dims, const Substitution& substitution) {
  Dims out;
  for (const IntExpr& d : dims) out.push_back(replace_variables(d, substitution));
  return out;
}

namespace {

template <class F>
void for_each_expression(Point& point, F&& change) {
  for (PointOp& op : point.ops) {
    change(op.index);
    for (RangeCheck& c : op.checks) {
      change(c.value);
      change(c.extent);
    }
  }
}

}  // namespace

void replace_variables(Point& point, const Substitution& substitution) {
  for_each_expression(point, [&](IntExpr& e) { e = replace_variables(e, substitution); });
}

IntExpr rename_symbols(const IntExpr& e, const Substitution& symbols) {
  return e.substitute([&](const Symbol& s) -> std::optional<IntExpr> {
    if (s.extent) return IntExpr::loop_variable(s.name, rename_symbols(*s.extent, symbols));
    auto it = symbols.find(s.name);
    return it == symbols.end() ? std::nullopt : std::optional<IntExpr>(it->second);
  });
}

void rename_symbols(Point& point, const Substitution& symbols) {
  for_each_expression(point, [&](IntExpr& e) { e = rename_symbols(e, symbols); });
}

Result<StoredElement> stored_element(const KernelRequest& request, const PointScope& scope, PointBuilder& builder,
                                     ValueId value) {
  const Graph& graph = request.graph;
  ValueId source = value;
  if (!request.group.members.empty()) {
    while (!scope.members[graph.value(source).producer.value]) source = graph.producer(source)->inputs[0];
  }
  TUFF_ASSIGN(int op, builder.element(source, request.group.coordinates.at(source.value)));
  return StoredElement{op, storage_address(scope, value, request.group.coordinates.at(value.value))};
}

Result<StoredElements> stored_elements(const KernelRequest& request, const PointScope& scope, PointBuilder& builder,
                                       const Substitution& variables) {
  StoredElements stores;
  for (ValueId v : request.group.stores) {
    TUFF_ASSIGN(StoredElement element, stored_element(request, scope, builder, v));
    element.address = replace_variables(element.address, variables);
    stores.emplace_back(v, std::move(element));
  }
  return stores;
}

Reduction reduction_of(ReduceOp op, Dtype dtype) {
  const bool real = is_float(dtype);
  auto infinity = [&](double sign) {
    if (dtype == Dtype::kF64) return sign > 0 ? uint64_t{0x7ff0000000000000} : uint64_t{0xfff0000000000000};
    return scalar_bits(dtype, sign / 0.0);
  };
  const int bits = static_cast<int>(8 * dtype_size_bytes(dtype));
  const uint64_t ones = bits == 64 ? ~uint64_t{0} : (uint64_t{1} << bits) - 1;
  const uint64_t top = uint64_t{1} << (bits - 1);
  switch (op) {
    case ReduceOp::kSum: return {MapOp::add, 0};
    case ReduceOp::kProduct: return {MapOp::mul, scalar_bits(dtype, 1)};
    case ReduceOp::kMax:
    case ReduceOp::kArgMax: return {MapOp::max, real ? infinity(-1) : is_signed_integer(dtype) ? top : 0};
    case ReduceOp::kMin:
    case ReduceOp::kArgMin: return {MapOp::min, real ? infinity(1) : is_signed_integer(dtype) ? ones >> 1 : ones};
    case ReduceOp::kAny: return {MapOp::logical_or, 0};
    case ReduceOp::kAll: return {MapOp::logical_and, 1};
  }
  return {};
}

Grid1d spread(const IntExpr& workgroups, const DeviceInfo& device) {
  const int64_t limit = std::min<int64_t>(device.max_workgroup_count[0], 65535);
  if (workgroups.interval().high <= limit) return {{workgroups, IntExpr(1), IntExpr(1)}, "int(gl_WorkGroupID.x)"};
  IntExpr x = minimum(workgroups, IntExpr(limit));
  return {{x, ceil_div(workgroups, IntExpr(limit)), IntExpr(1)},
          "(int(gl_WorkGroupID.y) * " + std::to_string(limit) + " + int(gl_WorkGroupID.x))"};
}

// Where the workgroup is one subgroup, the subgroup's barrier is enough: it orders shared memory, too. GPUs take nothing for
// either; llvmpipe runs a workgroup's subgroups as coroutines, which keep all their values in memory, if one waits for others.
std::string barrier_text(int64_t x, int64_t y, const DeviceInfo& device) {
  const bool one_subgroup = can_exchange_loads(device) && x == device.subgroup_size && y == 1;
  return one_subgroup && !device.rates.shared_memory_on_chip ? "subgroupBarrier();" : "barrier();";
}

int innermost_axis(const KernelRequest& request, ValueId value) {
  return innermost_axis(request.graph, request.layouts, request.fusion.placements, value);
}

std::string kernel_name(const KernelRequest& request, std::string_view skeleton) {
  std::string name(skeleton);
  auto append = [&](NodeId node) {
    if (!node.valid()) return;
    std::string part = request.graph.node(node).origins.back();
    for (char& c : part)
      if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
    name += "_" + part.substr(0, 40);
  };
  append(request.group.anchor);
  if (!request.group.members.empty() && request.group.members.back() != request.group.anchor)
    append(request.group.members.back());
  return name;
}

namespace {

constexpr std::string_view kIntegerPrelude =
    "int tuff_floor_div(int a, int b) { return a >= 0 ? a / b : -((b - 1 - a) / b); }\n"
    "int tuff_floor_mod(int a, int b) { return a - tuff_floor_div(a, b) * b; }\n";
constexpr std::string_view kMatrixExtensions =
    "#extension GL_KHR_cooperative_matrix : require\n"
    "#extension GL_KHR_memory_scope_semantics : require\n"
    "#extension GL_KHR_shader_subgroup_basic : require\n"
    "#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require\n";

// Of the value as the window's operand, which may step over some: along an axis no more than its results have taps.
IntExpr elements_read_by(const Graph& graph, const Node& node, const Dims& shape) {
  const auto& window = std::get<WindowAttrs>(node.attrs);
  const Dims& results = graph.value(node.output).shape;
  IntExpr elements = shape[0] * shape[1];
  for (size_t i = 0; i < window.kernel.size(); ++i)
    elements *= window.strides[i] > window.kernel[i] ? results[2 + i] * IntExpr(window.kernel[i]) : shape[2 + i];
  return elements;
}

// How many of the value's elements the group reads.
IntExpr elements_read(const KernelRequest& request, ValueId value) {
  const Graph& graph = request.graph;
  const Dims& shape = graph.value(value).shape;
  const Node* only_window = nullptr;
  for (NodeId m : request.group.members) {
    const Node& node = graph.node(m);
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      ValueId read = node.inputs[i];
      while (read != value && graph.producer(read) && is_view(graph.producer(read)->attrs))
        read = graph.producer(read)->inputs[0];
      if (read != value) continue;
      const bool is_window = i == 0 && node.inputs[0] == value && std::holds_alternative<WindowAttrs>(node.attrs);
      if (!is_window || only_window) return product(shape);
      only_window = &node;
    }
  }
  return only_window ? elements_read_by(graph, *only_window, shape) : product(shape);
}

}  // namespace

Result<Kernel> finish_kernel(const KernelRequest& request, KernelWriter& writer, std::string_view skeleton, Slots slots,
                             std::array<uint32_t, 3> workgroup, std::array<IntExpr, 3> grid, std::string schedule) {
  const Graph& graph = request.graph;
  Kernel kernel;
  kernel.name = kernel_name(request, skeleton);
  kernel.skeleton = skeleton;
  kernel.schedule = std::move(schedule);
  kernel.workgroup = workgroup;
  kernel.grid = std::move(grid);
  kernel.exact = request.exact;
  kernel.needs_int64 = writer.uses(Register::kInt64) || writer.uses(Register::kUint64);
  kernel.needs_float64 = writer.uses(Register::kDouble);
  if (kernel.needs_int64 && !request.device.int64)
    return unsupported(kernel.name + " computes 64-bit integers, which " + request.device.name + " does not.");
  if (kernel.needs_float64 && !request.device.float64)
    return unsupported(kernel.name + " computes 64-bit floats, which " + request.device.name + " does not.");

  slots["declarations"] = writer.declarations();
  for (int axis = 0; axis < 3; ++axis)
    slots[std::string("workgroup_") + "xyz"[axis]] = std::to_string(workgroup[static_cast<size_t>(axis)]);
  TUFF_ASSIGN(std::string body, expand_skeleton(std::string(skeleton) + ".glsl", slots));
  std::string source = "#version 450\n";
  if (kernel.needs_int64) source += "#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require\n#define TUFF_INT64\n";
  if (body.find("uint8_t") != std::string::npos) source += "#extension GL_EXT_shader_8bit_storage : require\n";
  if (body.find("uint16_t") != std::string::npos) source += "#extension GL_EXT_shader_16bit_storage : require\n";
  if (body.find("subgroupBarrier") != std::string::npos) source += "#extension GL_KHR_shader_subgroup_basic : require\n";
  if (body.find("subgroupBroadcast") != std::string::npos) source += "#extension GL_KHR_shader_subgroup_ballot : require\n";
  if (body.find("subgroupShuffle") != std::string::npos) source += "#extension GL_KHR_shader_subgroup_shuffle : require\n";
  if (body.find("coopmat<") != std::string::npos) source += kMatrixExtensions;
  if (body.find("[[dont_unroll]]") != std::string::npos) source += "#extension GL_EXT_control_flow_attributes : require\n";
  source += integer_dot_extensions(body);
  if (body.find("tuff_floor_") != std::string::npos) source += kIntegerPrelude;
  kernel.source = source + library_for(body) + integer_dot_functions(body) + body;

  kernel.bindings = writer.bindings();
  kernel.parameters = writer.parameters();
  kernel.partial_bytes = writer.partial_bytes();
  kernel.counter_count = writer.counter_count();
  std::set<uint32_t> counted;  // a value may be bound with several texel sizes
  for (const KernelBinding& b : kernel.bindings) {
    if (b.access != Access::kRead || !counted.insert(b.value.value).second) continue;
    kernel.bytes_read += elements_read(request, b.value) * IntExpr(dtype_size_bytes(graph.value(b.value).dtype));
  }
  for (ValueId v : request.group.stores)
    kernel.bytes_written += product(graph.value(v).shape) * IntExpr(dtype_size_bytes(graph.value(v).dtype));
  kernel.bytes_read += kernel.partial_bytes;
  kernel.bytes_written += kernel.partial_bytes;
  const std::vector<int> buffers = texel_words_of(kernel);
  const int64_t storage_buffers = std::count(buffers.begin(), buffers.end(), 0);
  if (storage_buffers > request.device.max_storage_buffers)
    return limit_exceeded(kernel.name + " binds " + std::to_string(storage_buffers) + " buffers; " + request.device.name +
                          " allows " + std::to_string(request.device.max_storage_buffers) + ".");
  auto origin = [&](NodeId n) {
    for (const std::string& name : graph.node(n).origins)
      if (std::find(kernel.origins.begin(), kernel.origins.end(), name) == kernel.origins.end()) kernel.origins.push_back(name);
  };
  for (NodeId m : request.group.members) origin(m);
  if (request.group.members.empty())
    for (ValueId v : request.group.stores) origin(graph.value(v).producer);
  return kernel;
}

Result<std::vector<GuardedKernel>> make_kernels(const KernelRequest& request) {
  for (NodeId m : request.group.members) {
    const Node& node = request.graph.node(m);
    for (ValueId v : {node.inputs.empty() ? node.output : node.inputs[0], node.output}) {
      if (request.graph.value(v).dtype == Dtype::kF64 && !request.device.float64)
        return unsupported(node.origins.front() + " computes f64, which " + request.device.name + " does not.");
    }
  }
  Result<std::vector<GuardedKernel>> made = internal_error("unreachable");
  switch (request.group.kind) {
    case AnchorKind::kMap: made = make_map(request); break;
    case AnchorKind::kReduce: made = make_row_reduce(request); break;
    case AnchorKind::kContract: made = make_contract(request); break;
    case AnchorKind::kAttend: made = make_attend(request); break;
    case AnchorKind::kSeparable: made = make_separable(request); break;
    case AnchorKind::kExpand: made = make_expand(request); break;
    case AnchorKind::kWindow:
      made = is_own_channel_window(request.graph, request.group.anchor) ? make_window(request) : make_contract(request);
      break;
  }
  if (!made.ok() && request.group.anchor.valid())
    return made.status().with_context("Kernel of " + request.graph.node(request.group.anchor).origins.front());
  return made;
}

}  // namespace tuff
