// A Graph to a Program: every stage in order, with dump, verify and time after each.
//
// Given the same graph, options, device and observations the plan and the modules are the same bytes.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "backend/backend.h"
#include "codegen/codegen.h"
#include "compile/disk_cache.h"
#include "device/observations.h"
#include "graph/graph.h"
#include "plan/plan.h"
#include "session/program.h"
#include "session/shapes.h"

namespace tuff {

struct CompileOptions {
  bool exact = false;
  bool fuse = true;
  Observations observations;
  std::shared_ptr<DiskCache> cache;                      // null: nothing is kept between processes
  std::function<void(std::string_view stage)> progress;  // before each stage; may be null
};

// What can be looked at. A stage is also how far run_stages() goes.
enum class Stage : uint8_t { kGraph, kSimplified, kLayout, kFusion, kExplain, kKernels, kPlan, kBound, kSpirv };
std::optional<Stage> stage_from_name(std::string_view name);  // "graph", "simplified", ...

enum class TextFormat : uint8_t { kText, kJson };

Result<std::shared_ptr<const Program>> compile_model(const Graph& graph, const Target& target, const CompileOptions& options);

// What `tuff inspect` shows. symbols: for kBound, and for the sizes in kPlan's JSON where they are complete. JSON exists for
// kPlan and kBound; UNSUPPORTED for the others.
struct PrintRequest {
  Stage stage = Stage::kGraph;
  TextFormat format = TextFormat::kText;
  SymbolValues symbols;
};
Result<std::string> print_stage(const Graph& graph, const DeviceInfo& device, const CompileOptions& options,
                                const PrintRequest& request);

}  // namespace tuff
