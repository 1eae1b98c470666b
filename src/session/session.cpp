#include "session/session.h"

#include "session/session_checks.h"

namespace tuff {

Result<std::unique_ptr<Session>> make_session(std::shared_ptr<const Program> program, const SessionOptions& options) {
  switch (program->target.kind) {
    case TargetKind::kDevice: return make_device_session(std::move(program), options);
    case TargetKind::kCpu: return make_cpu_session(std::move(program));
    case TargetKind::kDescription: break;
  }
  return unsupported("'" + program->target.info.name + "' is only described by a text; a program for it cannot run here.");
}

}  // namespace tuff
