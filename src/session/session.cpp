#include "session/session.h"

#include "session/session_checks.h"

namespace tuff {

Result<std::unique_ptr<Session>> make_session(std::shared_ptr<const Program> program, const SessionOptions& options) {
  TUFF_TRY(dynamic_symbols(program->plan.graph, options.dynamic_dimensions).status());
  switch (program->target.kind) {
    case TargetKind::kDevice: return make_device_session(std::move(program), options);
    case TargetKind::kCpu: return make_cpu_session(std::move(program), options);
    case TargetKind::kDescription: break;
  }
  return unsupported("'" + program->target.info.name + "' is only described by a text; a program for it cannot run here.");
}

Status run(Session& session, uint64_t timeout_ns) {
  TUFF_ASSIGN(const RunId id, session.submit({}));
  Result<bool> finished = session.wait(id, timeout_ns);
  session.release(id);
  if (!finished.ok()) return finished.status();
  return *finished ? ok_status()
                   : internal_error("A run did not end within " + std::to_string(timeout_ns / 1'000'000) + " ms.");
}

}  // namespace tuff
