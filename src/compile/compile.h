// A Graph to a Program: every stage in order, with dump, verify and time after each.
//
// Given the same graph, options, device and observations the plan and the modules are the same bytes.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "artifact/artifact.h"
#include "backend/backend.h"
#include "codegen/codegen.h"
#include "device/observations.h"
#include "graph/graph.h"
#include "plan/plan.h"
#include "program/make_program.h"
#include "session/program.h"
#include "session/shapes.h"

namespace tuff {

// What f32 values are kept and computed in (simplify/precision.h).
enum class FloatPrecision : uint8_t { kModel, kF16Storage, kF16 };

struct CompileOptions {
  bool exact = false;
  bool fuse = true;
  FloatPrecision precision = FloatPrecision::kModel;
  Observations observations;
  std::shared_ptr<Cache> cache;  // null: nothing is kept between processes
  StageProgress progress;
  Workers workers = {};  // a piece a kernel, in the stages "codegen" and "pipelines"
};

// What can be looked at. A stage is also how far run_stages() goes.
enum class Stage : uint8_t { kGraph, kSimplified, kLayout, kFusion, kExplain, kKernels, kPlan, kBound, kSpirv };
std::optional<Stage> stage_from_name(std::string_view name);  // "graph", "simplified", ...

enum class TextFormat : uint8_t { kText, kJson };

Result<std::shared_ptr<const Program>> compile_model(const Graph& graph, const Target& target, const CompileOptions& options);

// The bytes of an artifact (artifact/artifact.h) with a plan and modules for each device, in this order, and for any other
// device the fallback, unless the model needs what it lacks.
Result<std::vector<std::byte>> compile_artifact(const Graph& graph, const std::vector<DeviceInfo>& devices,
                                                const CompileOptions& options, uint32_t numerics_version);

// What `tuff inspect` shows. symbols: for kBound, and for the sizes in kPlan's JSON where they are complete. JSON exists for
// kPlan and kBound; UNSUPPORTED for the others.
struct PrintRequest {
  Stage stage = Stage::kGraph;
  TextFormat format = TextFormat::kText;
  SymbolValues symbols;
};
Result<std::string> print_stage(const Graph& graph, const DeviceInfo& device, const CompileOptions& options,
                                const PrintRequest& request);
// Of a program that is made: its graph, for kGraph and kSimplified, kPlan and kBound; UNSUPPORTED for the others.
Result<std::string> print_stage(const Program& program, const PrintRequest& request);

}  // namespace tuff
