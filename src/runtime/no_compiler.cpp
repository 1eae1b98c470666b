// What tuff_runtime has in the place of src/compile: the same functions, which answer that this build has no compiler. The
// linker chooses between the two, so that src/api is one and every function exists in every build.
#include "compile/compile.h"
#include "compile/load.h"
#include "compile/run_bounds.h"

namespace tuff {
namespace {

Status no_compiler(const std::string& what) {
  return unsupported("This library is tuff_runtime, which runs artifacts and cannot " + what + "; libtuff can.");
}

}  // namespace

Result<LoadedModel> load_model(const std::string& path, const LoadOptions&, const std::vector<std::string>&) {
  return no_compiler("read the model '" + path + "'");
}

Result<LoadedModel> load_model(const Bytes&, const std::string& name, const LoadOptions&, const std::vector<std::string>&) {
  return no_compiler("read the model '" + name + "'");
}

Result<std::shared_ptr<const Program>> compile_model(const Graph& graph, const Target&, const CompileOptions&) {
  return no_compiler("compile '" + graph.name + "'");
}

Result<std::vector<std::byte>> compile_artifact(const Graph& graph, const std::vector<DeviceInfo>&, const CompileOptions&,
                                                uint32_t) {
  return no_compiler("compile '" + graph.name + "'");
}

Result<std::string> print_stage(const Graph& graph, const DeviceInfo&, const CompileOptions&, const PrintRequest&) {
  return no_compiler("print the stages of '" + graph.name + "'");
}

Result<std::string> print_stage(const Program& program, const PrintRequest&) {
  return no_compiler("print the stages of '" + program.plan.graph.name + "'");
}

Result<std::vector<Bounded>> run_bounds(const Graph& graph, const std::vector<Tensor>&, const std::vector<Tensor>&,
                                        const SymbolValues&, const std::vector<ValueId>&) {
  return no_compiler("bound the errors of '" + graph.name + "'");
}

}  // namespace tuff
