// Entries to the bytes of an artifact.
#include <map>

#include "artifact/artifact.h"
#include "artifact/format.h"
#include "artifact/plan_bytes.h"

namespace tuff {
namespace {

// Each constant's bytes, and where they go, in the graph's order.
struct ConstantPlace {
  uint32_t node;
  uint64_t offset;  // from the first constant's
  std::span<const std::byte> data;
};

std::vector<ConstantPlace> take_constants(Graph& graph) {
  std::vector<ConstantPlace> places;
  uint64_t offset = 0;
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    auto* constant = std::get_if<ConstantAttrs>(&graph.nodes[n].attrs);
    if (!constant || constant->data.kind != ConstantData::Kind::kBytes) continue;
    places.push_back({static_cast<uint32_t>(n), offset, constant->data.bytes.data});
    offset = (offset + constant->data.bytes.data.size() + kConstantAlignment - 1) / kConstantAlignment * kConstantAlignment;
    constant->data.kind = ConstantData::Kind::kSplat;  // a stand-in that prints short; its data comes from the place
    constant->data.bits = 0;
  }
  return places;
}

std::string text_without_constants(Graph graph) {
  take_constants(graph);
  return print(graph);
}

// Modules that several devices share are kept once.
struct ModuleTable {
  std::vector<const CompiledKernel*> modules;
  std::map<Hash, uint32_t> known;

  uint32_t index_of(const CompiledKernel& kernel) {
    auto [it, is_new] = known.emplace(kernel.hash, static_cast<uint32_t>(modules.size()));
    if (is_new) modules.push_back(&kernel);
    return it->second;
  }
};

Status check(const std::vector<ArtifactEntry>& entries, const std::string& text) {
  for (const ArtifactEntry& entry : entries) {
    if (text_without_constants(entry.plan.graph) != text)
      return invalid_argument("The plan for '" + entry.device.name + "' is of another graph than the one for '" +
                              entries[0].device.name + "'.");
    if (entry.modules.kernels.size() != entry.plan.kernels.size())
      return invalid_argument("The plan for '" + entry.device.name + "' has " + std::to_string(entry.plan.kernels.size()) +
                              " kernels but " + std::to_string(entry.modules.kernels.size()) + " modules.");
  }
  return ok_status();
}

}  // namespace

Result<std::vector<std::byte>> save_artifact(const std::vector<ArtifactEntry>& entries, bool exact, uint32_t numerics_version) {
  if (entries.empty()) return invalid_argument("An artifact needs at least one device that it is for.");
  Graph graph = entries[0].plan.graph;
  const std::vector<ConstantPlace> constants = take_constants(graph);
  const std::string text = print(graph);
  TUFF_TRY(check(entries, text));

  ByteWriter out;
  out.raw(std::as_bytes(std::span(kArtifactMagic)));
  out.u32(kArtifactFormatVersion);
  out.u32(numerics_version);
  for (int word = 0; word < 3; ++word) out.u64(0);  // size and hash, once known

  out.u8(exact);
  out.text(text);
  out.list(constants, [&](const ConstantPlace& c) {
    out.u32(c.node);
    out.u64(c.offset);
    out.u64(c.data.size());
  });
  ModuleTable table;
  std::vector<std::vector<uint32_t>> indices;
  for (const ArtifactEntry& entry : entries) {
    indices.emplace_back();
    for (const CompiledKernel& kernel : entry.modules.kernels) indices.back().push_back(table.index_of(kernel));
  }
  out.list(table.modules,
           [&](const CompiledKernel* module) { out.list(module->spirv, [&](uint32_t word) { out.u32(word); }); });
  out.u32(static_cast<uint32_t>(entries.size()));
  for (size_t e = 0; e < entries.size(); ++e) {
    out.text(print(entries[e].device));
    ByteWriter plan;
    write_plan(entries[e].plan, plan);
    out.list(indices[e], [&](uint32_t index) { out.u32(index); });
    out.u64(plan.size());  // so that those for other devices are passed over
    out.raw(plan.bytes());
  }
  out.align(kConstantAlignment);
  const size_t start = out.size();
  for (const ConstantPlace& c : constants) {
    out.bytes().resize(start + c.offset);
    out.raw(c.data);
  }
  seal_artifact(out.bytes());
  return std::move(out.bytes());
}

void seal_artifact(std::span<std::byte> bytes) {
  auto put = [&](size_t offset, uint64_t v) {
    for (size_t i = 0; i < 8; ++i) bytes[offset + i] = static_cast<std::byte>(v >> (8 * i));
  };
  put(kSizeOffset, bytes.size());
  const Hash hash = artifact_hash(bytes);
  put(kHashOffset, hash.high);
  put(kHashOffset + 8, hash.low);
}

Hash artifact_hash(std::span<const std::byte> bytes) {
  return Hasher().bytes(bytes.data(), kHashOffset).bytes(bytes.data() + kHeadBytes, bytes.size() - kHeadBytes).finish();
}

}  // namespace tuff
