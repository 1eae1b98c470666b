// Artifact: a compiled model as bytes (.tuff). In: plans and modules of one graph for several devices. Out: bytes, and from
// them the plan and the modules for one device, without a compiler.
//
//   head     magic, format version, numerics version, size of the whole, hash of all that is not the hash
//   body     exact?, graph text without constants' bytes, where each constant's bytes lie, modules (each once), entries
//            (device text, which modules, plan), then the constants in the graph's order, row-major as in
//            the model
//
// Numbers are little-endian. The same inputs give the same bytes. Constants are borrowed from the bytes that are loaded,
// never copied.
//
// Invariant: whatever the bytes are, loading them is a plan that verifies, or a status. The hash is against damage: who
// can write a file can write its hash. What is loaded is therefore checked as if it had none; but a module is code for a
// driver, whose own promises end at a module that is made to harm. Load artifacts of people whose programs you would run.
#pragma once

#include <string>
#include <vector>

#include "base/file.h"
#include "device/device_info.h"
#include "module/compiled_kernels.h"
#include "plan/plan.h"

namespace tuff {

inline constexpr uint32_t kArtifactFormatVersion = 5;

struct ArtifactEntry {
  DeviceInfo device;
  Plan plan;  // of one graph, the same in all entries
  CompiledKernels modules;
};

// INVALID_ARGUMENT where the entries are of different graphs or there is none.
Result<std::vector<std::byte>> save_artifact(const std::vector<ArtifactEntry>& entries, bool exact, uint32_t numerics_version);

struct LoadedArtifact {
  bool exact = false;
  Plan plan;  // for the CPU only its graph is set
  CompiledKernels modules;
  std::string entry_name;  // of the device that the plan was made for
};

// Takes the entry that was made for a device with the same facts as this one, else the first whose needs this device meets;
// UNSUPPORTED with what is missing where there is none. null: the graph alone, for the CPU. CORRUPT for anything but what
// save_artifact() gave; UNSUPPORTED for other versions of it.
Result<LoadedArtifact> load_artifact(const Bytes& bytes, const DeviceInfo* device, uint32_t numerics_version);

// What every Vulkan 1.1 device has, and nothing more: an entry made for it runs wherever there are no older limits.
DeviceInfo fallback_device();

// Equal for devices for which the stages make the same plan: names, versions and what only reports are left out.
Hash facts_hash(const DeviceInfo& device);
// Why a plan for `made_for` may not run on `device`, as a clause; empty: it may.
std::string missing_on(const DeviceInfo& device, const DeviceInfo& made_for);

}  // namespace tuff
