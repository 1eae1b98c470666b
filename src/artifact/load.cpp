// The bytes of an artifact to the plan and the modules for one device.
#include <algorithm>
#include <optional>

#include "artifact/artifact.h"
#include "artifact/format.h"
#include "artifact/plan_bytes.h"
#include "module/verify_spirv.h"

namespace tuff {
namespace {

Status check_head(std::span<const std::byte> bytes, uint32_t numerics_version) {
  const auto magic = std::as_bytes(std::span(kArtifactMagic));
  if (bytes.size() < magic.size() || !std::equal(magic.begin(), magic.end(), bytes.begin()))
    return corrupt("The bytes are no .tuff artifact: they do not begin like one.");
  if (bytes.size() < kHeadBytes)
    return corrupt("The artifact ends after " + std::to_string(bytes.size()) + " bytes, inside its head of " +
                   std::to_string(kHeadBytes) + ".");
  ByteReader in(bytes);
  in.raw(magic.size());
  const uint32_t format = in.u32(), numerics = in.u32();
  if (format != kArtifactFormatVersion)
    return unsupported("The artifact has format version " + std::to_string(format) + "; this library reads version " +
                       std::to_string(kArtifactFormatVersion) + ".");
  if (const uint64_t size = in.u64(); size != bytes.size())
    return corrupt("The artifact says that it has " + std::to_string(size) + " bytes, but there are " +
                   std::to_string(bytes.size()) + ".");
  Hash hash;
  hash.high = in.u64();
  hash.low = in.u64();
  if (hash != artifact_hash(bytes)) return corrupt("The artifact is damaged: its hash is not that of its bytes.");
  if (numerics != numerics_version)
    return unsupported("The artifact was made for numerics version " + std::to_string(numerics) +
                       "; this library computes version " + std::to_string(numerics_version) + ", whose bits may be others.");
  return ok_status();
}

struct ConstantRange {
  uint32_t node = 0;
  uint64_t offset = 0, size_bytes = 0;
};

// Constants are borrowed: whoever owns the artifact's bytes is kept by each.
Status place_constants(Graph& graph, const std::vector<ConstantRange>& ranges, size_t start, const Bytes& bytes) {
  const uint64_t space = bytes.data.size() - start;
  for (const ConstantRange& range : ranges) {
    auto* constant = range.node < graph.nodes.size() ? std::get_if<ConstantAttrs>(&graph.nodes[range.node].attrs) : nullptr;
    if (!constant) return corrupt("The artifact has bytes for node " + std::to_string(range.node) + ", which is no constant.");
    if (range.offset > space || range.size_bytes > space - range.offset)
      return corrupt("The constant of node " + std::to_string(range.node) + " lies outside the artifact.");
    constant->data = {};
    constant->data.bytes.data =
        bytes.data.subspan(start + static_cast<size_t>(range.offset), static_cast<size_t>(range.size_bytes));
    constant->data.bytes.owner = bytes.owner;
  }
  return verify(graph);  // sizes, too
}

struct Entry {
  std::string_view device_text;
  std::vector<uint32_t> modules;  // by KernelId
  std::span<const std::byte> plan;
};

struct Choice {
  const Entry* entry = nullptr;
  std::string device_name;
};

Result<Choice> choose_entry(const std::vector<Entry>& entries, const DeviceInfo& device) {
  const Hash facts = facts_hash(device);
  Choice fitting;
  std::string reasons;
  for (const Entry& entry : entries) {
    TUFF_ASSIGN(DeviceInfo made_for, parse_device_info(entry.device_text, "the artifact's device"));
    if (facts_hash(made_for) == facts) return Choice{&entry, made_for.name};
    const std::string missing = missing_on(device, made_for);
    if (!missing.empty()) {
      reasons += (reasons.empty() ? "" : "; ") + ("for '" + made_for.name + "' " + missing);
    } else if (!fitting.entry) {
      fitting = {&entry, made_for.name};
    }
  }
  if (fitting.entry) return fitting;
  return unsupported("The artifact has no plan for '" + device.name + "': " + reasons + ".");
}

Result<CompiledKernel> read_module(std::span<const std::byte> data, const Kernel& kernel, const DeviceInfo& device) {
  CompiledKernel out;
  out.name = kernel.name;
  ByteReader in(data);
  out.spirv.reserve(data.size() / 4);
  while (in.left() > 0) out.spirv.push_back(in.u32());
  TUFF_TRY(verify_spirv(out.spirv, kernel, device));
  out.hash = hash_bytes(out.spirv.data(), out.spirv.size() * sizeof(uint32_t));
  out.workgroup = kernel.workgroup;
  out.texel_words = texel_words_of(kernel);
  out.has_parameters = !kernel.parameters.empty();
  return out;
}

// What a compiler's own plan keeps by construction.
Status check_kernel(const Kernel& kernel, const DeviceInfo& device) {
  uint64_t invocations = 1;
  for (size_t axis = 0; axis < 3; ++axis) {
    if (kernel.workgroup[axis] < 1 || kernel.workgroup[axis] > device.max_workgroup_size[axis])
      return corrupt("The kernel '" + kernel.name + "' has workgroups of " + std::to_string(kernel.workgroup[axis]) +
                     " along axis " + std::to_string(axis) + ".");
    invocations *= kernel.workgroup[axis];
  }
  if (invocations > static_cast<uint64_t>(device.max_workgroup_invocations))
    return corrupt("The kernel '" + kernel.name + "' has " + std::to_string(invocations) + " invocations a workgroup; '" +
                   device.name + "' has at most " + std::to_string(device.max_workgroup_invocations) + ".");
  if (kernel.shared_bytes < 0 || kernel.shared_bytes > device.max_shared_bytes)
    return corrupt("The kernel '" + kernel.name + "' shares " + std::to_string(kernel.shared_bytes) + " bytes; '" +
                   device.name + "' has " + std::to_string(device.max_shared_bytes) + ".");
  if (kernel.parameters.size() > static_cast<uint64_t>(device.max_uniform_buffer_bytes) / 4)
    return corrupt("The kernel '" + kernel.name + "' has " + std::to_string(kernel.parameters.size()) +
                   " words of parameters; '" + device.name + "' has room for " +
                   std::to_string(device.max_uniform_buffer_bytes / 4) + ".");
  int64_t storage = 0, texels = 0;
  for (const int words : texel_words_of(kernel)) (words == 0 ? storage : texels)++;
  if (storage > device.max_storage_buffers || texels > usable_texel_buffers(device))
    return corrupt("The kernel '" + kernel.name + "' binds more buffers than '" + device.name + "' has.");
  return ok_status();
}

Result<LoadedArtifact> load(const Bytes& bytes, const DeviceInfo* device, uint32_t numerics_version) {
  TUFF_TRY(check_head(bytes.data, numerics_version));
  ByteReader in(bytes.data);
  in.raw(kHeadBytes);
  LoadedArtifact out;
  out.exact = in.boolean();
  const std::string_view graph_text = in.text();
  const auto constants = in.list(20, [&] {
    ConstantRange range;
    range.node = in.u32();
    range.offset = in.u64();
    range.size_bytes = in.u64();
    return range;
  });
  const auto modules = in.list(4, [&] { return in.raw(uint64_t{in.u32()} * 4); });
  const auto entries = in.list(16, [&] {
    Entry entry;
    entry.device_text = in.text();
    entry.modules = in.list(4, [&] { return in.u32(); });
    entry.plan = in.raw(in.u64());
    return entry;
  });
  in.align(kConstantAlignment);
  TUFF_TRY(in.status());
  if (entries.empty()) return corrupt("The artifact has no plan.");

  TUFF_ASSIGN(Graph graph, parse_graph(graph_text, "the artifact's graph"));
  TUFF_TRY(place_constants(graph, constants, in.position(), bytes));
  if (!device) {
    out.plan.graph = std::move(graph);
    out.entry_name = "the graph alone";
    return out;
  }
  TUFF_ASSIGN(Choice choice, choose_entry(entries, *device));
  out.entry_name = choice.device_name;
  ByteReader plan_bytes(choice.entry->plan);
  TUFF_ASSIGN(out.plan, read_plan(plan_bytes, std::move(graph)));
  if (plan_bytes.left() != 0) return corrupt("The artifact's plan has bytes behind its end.");
  TUFF_TRY(verify(out.plan));
  if (choice.entry->modules.size() != out.plan.kernels.size())
    return corrupt("The artifact's plan has " + std::to_string(out.plan.kernels.size()) + " kernels but " +
                   std::to_string(choice.entry->modules.size()) + " modules.");
  for (size_t k = 0; k < out.plan.kernels.size(); ++k) {
    const Kernel& kernel = out.plan.kernels[k];
    const uint32_t index = choice.entry->modules[k];
    if (index >= modules.size()) return corrupt("The kernel '" + kernel.name + "' names a module that is not there.");
    TUFF_TRY(check_kernel(kernel, *device));
    TUFF_ASSIGN(CompiledKernel module, read_module(modules[index], kernel, *device));
    out.modules.kernels.push_back(std::move(module));
  }
  return out;
}

// A text that does not parse and a plan that does not verify are the fault of the bytes, whoever notices.
bool is_fault_of_bytes(Code code) { return code == Code::kInvalidArgument || code == Code::kLimit || code == Code::kInternal; }

}  // namespace

Result<LoadedArtifact> load_artifact(const Bytes& bytes, const DeviceInfo* device, uint32_t numerics_version) {
  Result<LoadedArtifact> loaded = load(bytes, device, numerics_version);
  if (!loaded.ok() && is_fault_of_bytes(loaded.status().code()))
    return corrupt("The artifact makes no sense: " + loaded.status().message());
  return loaded;
}

}  // namespace tuff
