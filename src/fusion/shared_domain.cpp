// Maps over the same domain that need nothing of each other are one kernel (a key and a value written into their caches), and
// so are copies: each invocation computes both at its point. Neither is computed twice; what it saves is a launch.
#include <algorithm>

#include "fusion/cost.h"
#include "fusion/grow.h"

namespace tuff {
namespace {

// Which groups run before which, while groups are joined.
class RunsBefore {
 public:
  explicit RunsBefore(const std::vector<std::set<uint32_t>>& dependencies) {
    const size_t count = dependencies.size();
    earlier_.assign(count, std::vector<bool>(count));
    std::vector<State> states(count, State::kNew);
    for (size_t g = 0; g < count; ++g) close(g, dependencies, states);
  }

  bool operator()(size_t first, size_t second) const { return earlier_[second][first]; }

  // One kernel takes the place of both.
  void join(size_t into, size_t from) {
    add(into, earlier_[from]);
    for (std::vector<bool>& its : earlier_) {
      if (!its[into] && !its[from]) continue;
      its[into] = true;
      for (size_t g = 0; g < its.size(); ++g) its[g] = its[g] || earlier_[into][g];
    }
  }

 private:
  enum class State : uint8_t { kNew, kOpen, kDone };

  void add(size_t to, const std::vector<bool>& more) {
    for (size_t g = 0; g < more.size(); ++g) earlier_[to][g] = earlier_[to][g] || more[g];
  }
  // Depth first, with a stack of its own: a network may be deeper than the thread's. Of a cycle, which in_order() reports, each
  // group is seen once.
  void close(size_t root, const std::vector<std::set<uint32_t>>& dependencies, std::vector<State>& states) {
    std::vector<size_t> stack = {root};
    while (!stack.empty()) {
      const size_t g = stack.back();
      if (states[g] == State::kNew) {
        states[g] = State::kOpen;
        for (uint32_t d : dependencies[g])
          if (states[d] == State::kNew) stack.push_back(d);
        continue;
      }
      stack.pop_back();
      if (states[g] == State::kDone) continue;
      states[g] = State::kDone;
      for (uint32_t d : dependencies[g]) {
        add(g, earlier_[d]);
        earlier_[g][d] = true;
      }
    }
  }

  std::vector<std::vector<bool>> earlier_;  // earlier_[g][h]: h runs before g
};

}  // namespace

// Would the invocations of both walk over memory in the same order?
bool Fuser::shares_domain(const Group& a, const Group& b) const {
  const ValueId first = graph.node(a.anchor).output, second = graph.node(b.anchor).output;
  return a.members.empty() == b.members.empty() && graph.value(first).shape == graph.value(second).shape &&
         layouts.of(first).order == layouts.of(second).order;
}

// Does the copy bring an input to the front of an output? Where both are state in one buffer (plan/in_place.h) it has nothing
// to do and does not run.
bool Fuser::copies_state(const Group& group) const {
  if (!group.members.empty() || group.stores.size() != 1) return false;
  const ValueId piece = group.stores[0];
  const Placement& place = placements[piece.value];
  if (place.owner == piece || !place.offset.is(0)) return false;
  const Dims& whole = graph.value(place.owner).shape;
  const std::vector<ValueId>& sources = graph.producer(piece)->inputs;
  return std::all_of(whole.begin(), whole.begin() + place.axis, [](const IntExpr& d) { return d.is(1); }) &&
         std::any_of(sources.begin(), sources.end(), [&](ValueId v) { return !graph.value(v).producer.valid(); });
}

void Fuser::join_maps_of_shared_domain() {
  auto may_join = [&](uint32_t g) {
    return groups[g].kind == AnchorKind::kMap && !groups[g].stores.empty() && !stays_alone(groups[g].anchor) &&
           !copies_state(groups[g]);
  };
  RunsBefore runs_before(dependencies());
  for (uint32_t g = 0; g < groups.size(); ++g) {
    for (uint32_t other = g + 1; may_join(g) && other < groups.size(); ++other) {
      if (!may_join(other) || !shares_domain(groups[g], groups[other])) continue;
      if (runs_before(g, other) || runs_before(other, g)) continue;
      Group grown = groups[g];
      add_members(grown, groups[other]);
      grown.stores.insert(grown.stores.end(), groups[other].stores.begin(), groups[other].stores.end());
      grown.coordinates.insert(groups[other].coordinates.begin(), groups[other].coordinates.end());
      const std::vector<NodeId> nodes = {groups[g].anchor, groups[other].anchor};
      const std::string subject = label(nodes[1]) + " beside " + label(nodes[0]);
      std::string refusal = why_too_large(grown);
      // Stores are chosen already; of copies it does not count them.
      if (refusal.empty()) refusal = why_too_many_buffers(loads(grown).size() + grown.stores.size());
      if (!refusal.empty()) {
        decide(false, "shared domain", nodes, subject, std::move(refusal));
        continue;
      }
      decide(true, "shared domain", nodes, subject,
             "each invocation computes both at its point; saves a launch, about " + std::to_string(device.rates.launch_ns) +
                 " ns.");
      groups[other].stores.clear();
      GrownGroups all;
      all.emplace_back(g, std::move(grown));
      write_into(other, std::move(all));
      runs_before.join(g, other);
    }
  }
}

}  // namespace tuff
