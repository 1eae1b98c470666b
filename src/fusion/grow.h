// The state of fusion while groups grow, and the moves that the passes make on it. Private to src/fusion.
#pragma once

#include <optional>
#include <set>

#include "fusion/fusion.h"

namespace tuff {

// More nodes than this in one kernel would only lengthen compile times; chains longer than that are rare.
constexpr size_t kMaxMembers = 96;
// Why a node stays alone.
constexpr const char* kIdleSubgroups = "this driver reads buffers for subgroups without work, which ends the process.";
constexpr const char* kNoPipeline = "the driver made no pipeline of a kernel with one of them.";

// Follows bijective views back from a value to what a compute node makes. `path` gets the views, nearest to it first.
ValueId storable_source(const Graph& graph, ValueId value, std::vector<NodeId>* path);
bool made_by_compute(const Graph& graph, ValueId value);

// Does it combine all axes of an image, of which those of length 1 need no reduction?
bool combines_images(const ReduceAttrs& reduce, const Dims& shape);
// "1 product", "2 products"
std::string counted(int64_t count, const std::string& noun);
inline bool in_f32_registers(Dtype dtype) { return is_float(dtype) && dtype_size_bytes(dtype) <= 4; }
// Takes the other group's nodes in, in node order.
void add_members(Group& to, const Group& from);
// Groups as they would be, by their places among the Fuser's.
using GrownGroups = std::vector<std::pair<uint32_t, Group>>;

// Normalised rows that products read: see row_statistics.cpp.
struct Rows {
  ValueId result;
  std::set<uint32_t> readers;         // groups
  int64_t phases = 0;                 // reductions
  int64_t bytes = 0, operations = 0;  // of all rows
};

// Of a kernel whose elements a reduction combines, of the reduction's, and what it saves that the two are one.
struct ReducedBytes {
  int64_t source = 0, reduction = 0, saved = 0;
};

struct Fuser {
  const Graph& graph;
  const Layouts& layouts;
  const DeviceInfo& device;
  const FusionOptions& options;
  const bool exact;                        // FusionOptions'
  std::vector<std::vector<NodeId>> users;  // by ValueId
  std::vector<Group> groups;               // dead ones have no members and no stores
  std::vector<std::set<uint32_t>> homes;   // by NodeId: the groups that compute it
  std::vector<Placement> placements;
  std::vector<bool> needed;  // by ValueId: must have storage whoever reads it
  std::vector<Decision> decisions;

  Fuser(const Graph& g, const Layouts& l, const DeviceInfo& d, const FusionOptions& o);

  void start_groups();
  void place_concats();
  void fit_bindings();
  void join_attention();
  void grow_epilogues();
  void join_products_of_shared_rows();
  void write_maps_into_rows();
  void write_rows_into_products();
  void write_into_readers();  // prologues
  void write_products_into_windows();
  void write_windows_into_products();
  void write_windows_into_reductions();
  void combine_tiles();
  void choose_stores();
  void join_maps_of_shared_domain();
  void explain_boundaries();
  Result<std::vector<Group>> in_order();

  // Pieces of the moves.
  bool stays_alone(NodeId node) const { return node.value < options.apart.size() && options.apart[node.value]; }
  bool try_join(Group& group, NodeId node);
  std::optional<Dims> join_coordinates(const Group& group, const Node& node) const;
  bool joins_row(const Group& group, const Node& node) const;
  std::optional<Dims> row_of_operand(const Group& target, ValueId value, const ReduceAttrs& reduce) const;
  std::optional<Dims> row_of_epilogue(const Group& target, ValueId value, const ReduceAttrs& reduce) const;
  std::optional<Group> with_rows(const Group& target, const Group& source, ValueId result, std::string& refusal) const;
  std::pair<ValueId, uint32_t> given_to_product(uint32_t group) const;
  bool shares_rows(const Group& a, const Group& b) const;
  void join_product(uint32_t from, uint32_t into, ValueId value);
  bool shares_domain(const Group& a, const Group& b) const;
  bool copies_state(const Group& group) const;
  int64_t terms_of(const Group& group) const;
  std::string why_apart(const Group& from, const Group& to, ValueId value) const;
  // By group: the groups whose stores it loads.
  std::vector<std::set<uint32_t>> dependencies() const;
  // Refusals are told where there is no later try.
  void write_map_into_readers(uint32_t group, bool is_last_try);
  std::optional<Rows> rows_of(uint32_t group) const;
  void write_rows(uint32_t group, const Rows& rows);
  int64_t added_ns(NodeId node, int64_t cache_bytes, int64_t operations) const;
  std::string why_no_attention(const Group& group, NodeId scores) const;  // empty: nothing is against it
  struct SeparableMerge;
  ValueId result_of_window(uint32_t group) const;
  SeparableMerge merge_window(const Group& source, ValueId result, const std::set<uint32_t>& into) const;
  std::optional<Group> with_window(const Group& target, const Group& source, std::string& refusal) const;
  ReducedBytes reduced_bytes(uint32_t source, uint32_t reduction) const;
  struct ReducedMerge;
  ReducedMerge merge_reduced(uint32_t window, uint32_t reduction) const;
  std::string why_not_reduced(const Group& source, const Group& target, const Group& grown) const;
  struct CombinedMerge;
  CombinedMerge merge_combined(uint32_t source, uint32_t reduction) const;
  std::string why_not_combined(const Group& source, const Group& target, const Group& grown) const;
  int64_t source_ns(const Group& source, int64_t bytes) const;
  Status check_without_window(const Group& group, ValueId window, ValueId operand) const;
  int64_t saved_in_products_ns(uint32_t window) const;
  std::string why_no_image_tiles(const Group& product) const;
  struct ExpandMerge;
  ValueId result_of_product(uint32_t group) const;
  ExpandMerge merge_product(uint32_t product, uint32_t window, ValueId result) const;
  std::optional<Group> with_product(const Group& target, const Group& source, std::string& refusal) const;
  Status check_expand(const Group& group, NodeId product) const;
  bool widens_for_loads(const Node& node) const;
  bool follows(NodeId node, const std::vector<NodeId>& nodes) const;
  bool is_cheap(NodeId node) const;
  bool is_read_by_rows(const Group& group, NodeId node) const;
  bool is_made_by_rows(const Group& group, NodeId node) const;
  bool stays_wide(ValueId value, int64_t narrow_bytes) const;
  bool reads_constants_alone(const Group& group) const;
  bool reads_through_views(ValueId operand, ValueId value) const;  // is the operand the value, or a view of it?
  Status check_points(const Group& group, const std::vector<ValueId>& wanted) const;
  bool makes_cycle(const Group& group, NodeId node) const;
  int binding_count(const Group& group) const;
  // Why no kernel has so many nodes or buffers; empty: it could.
  std::string why_too_large(const Group& group) const;
  std::string why_too_many_buffers(size_t count) const;
  // The groups of the nodes that read the value.
  std::set<uint32_t> reading_groups(ValueId value) const;
  // The grown groups take the place of what they were, and the group that they have in them ends.
  void write_into(uint32_t group, GrownGroups grown);
  bool is_operand(const Group& target, ValueId value) const;
  int64_t operand_reads(const Group& target, ValueId operand) const;
  int64_t bytes_of_load(const Group& source, ValueId value, int64_t elements) const;
  int64_t element_reads(const Group& target, ValueId value) const;
  // How many elements of the value attention would compute, were it written into it.
  int64_t attention_reads(const Group& group, ValueId value) const;
  void place_pieces(const Node& concat);
  bool store_through_views(ValueId value);
  void copy(ValueId value);
  // The values that the group reads from memory, and those that reading `roots` outside `members` would.
  std::vector<ValueId> loads(const Group& group) const;
  std::vector<ValueId> loads_behind(std::vector<ValueId> roots, const std::vector<NodeId>& members) const;
  bool leaves(ValueId value, uint32_t group) const;
  std::vector<ValueId> stored_views(ValueId value) const;
  // The nodes that read the value, looking through views.
  std::vector<NodeId> readers(ValueId value) const;
  void decide(bool accepted, std::string rule, std::vector<NodeId> nodes, std::string subject, std::string why);
  std::string label(NodeId node) const;
  uint32_t home(NodeId node) const { return homes[node.value].empty() ? UINT32_MAX : *homes[node.value].begin(); }
};

}  // namespace tuff
