// How a rewrite is applied: the nodes of src are walked in order and emitted into dst; a rule may answer for a node
// with another value of dst.
//
// Invariant: a rule's value has the dtype and shape of the node's output, and equals it in real arithmetic. Names of
// values, origins, inputs and outputs are carried over here, so that no rule has to.
#pragma once

#include <functional>
#include <initializer_list>
#include <optional>
#include <unordered_set>

#include "graph/builder.h"
#include "simplify/integer_storage.h"
#include "simplify/simplify.h"

namespace tuff {

// What a rule is asked about: a node whose inputs are already values of dst.
struct Site {
  const Attrs& attrs;
  const std::vector<ValueId>& inputs;
  const Value& output;  // its dtype and shape

  template <class T>
  const T* as() const {
    return std::get_if<T>(&attrs);
  }
  bool is_map(MapOp op) const {
    const auto* map = as<MapAttrs>();
    return map && map->op == op;
  }
};

class Rewriter;
using Rewritten = Result<ValueId>;
inline constexpr ValueId kNoMatch;
using RewriteRule = Rewritten (*)(Rewriter& dst, const Site& site);

class Rewriter {
 public:
  Rewriter(const Graph& src, const SimplifyOptions& options);

  const SimplifyOptions& options() const { return options_; }
  GraphBuilder& builder() { return builder_; }
  const Value& value(ValueId v) const { return builder_.value(v); }
  const Dims& shape(ValueId v) const { return builder_.shape(v); }
  const Node* producer(ValueId v) const { return builder_.graph().producer(v); }
  template <class T>
  const T* producer_as(ValueId v) const {
    return builder_.graph().producer_as<T>(v);
  }
  // The map that makes v, if it is that one.
  const Node* map_producer(ValueId v, MapOp op) const;

  // Reads of v by nodes and outputs. A rule that replaces v's producer saves nothing while others still read v.
  int64_t use_count(ValueId v) const;
  // True if v depends on constants alone and fold_constants evaluates it.
  bool is_constant(ValueId v) const { return constant_[v.value]; }
  // True if a new constant as large as v may be made: both limits of folding hold. Counts it.
  bool take_fold_bytes(ValueId v);
  // What is emitted next stands for the producers of these values, too, named first.
  void also_from(std::initializer_list<ValueId> values);

  Result<Graph> run(std::span<const RewriteRule> rules);
  int64_t match_count() const { return match_count_; }

 private:
  // Where a node of dst comes from, beside the names that it was made with. Kept as links and followed once, at the end,
  // for the nodes that stay: names that were copied from node to node would grow with the square of a chain's length.
  struct Sources {
    std::vector<NodeId> replaced;  // nodes of dst
    std::vector<NodeId> vanished;  // nodes of src that became this one
  };

  Result<ValueId> rewrite_node(const Node& node, std::span<const RewriteRule> rules);
  std::vector<std::string> origins_of(NodeId node) const;
  void note_new_nodes();
  void map_value(ValueId src, ValueId dst);

  const Graph& src_;
  const SimplifyOptions& options_;
  GraphBuilder builder_;
  std::vector<ValueId> dst_of_;        // by src value
  std::vector<int64_t> src_uses_;      // by src value
  std::vector<int64_t> mapped_uses_;   // by dst value: those of the src values that it stands for; -1: for none
  std::vector<int64_t> emitted_uses_;  // by dst value: by nodes of dst
  std::vector<bool> constant_;         // by dst value
  IntegerStorage storage_;             // of dst
  std::vector<Sources> sources_;       // by dst node
  std::vector<NodeId> also_from_;      // of what is emitted next
  int refined_count_ = 0;              // 1: the last of them is what a rule has made of the node so far
  int64_t fold_bytes_left_;
  int64_t match_count_ = 0;
};

// The first rule that matches wins; the rules are then asked about what it made, until none matches. Nodes that no
// output depends on are dropped.
Result<Graph> rewrite_nodes(const Graph& src, std::span<const RewriteRule> rules, const SimplifyOptions& options,
                            int64_t* match_count = nullptr);

// Nodes that an output depends on, renumbered. Inputs stay.
Graph prune_dead(Graph graph);

// Origins of several nodes in one list, each name once, in the order in which they were added. The nodes that they are
// added from outlive it.
class OriginList {
 public:
  void add(const std::vector<std::string>& origins) {
    for (const std::string& name : origins)
      if (known_.insert(name).second) names_.push_back(name);
  }
  const std::vector<std::string>& names() const { return names_; }

 private:
  std::unordered_set<std::string_view> known_;
  std::vector<std::string> names_;
};

}  // namespace tuff
