// Artifacts: models compiled ahead, and programs made of them.
#include "api/guard.h"
#include "api/handles.h"

namespace tuff {
namespace {

Status load(tuff_device_t* device, const Bytes& bytes, const std::string& source, const tuff_program_desc_t* desc,
            tuff_program_t** out_program) {
  TUFF_ASSIGN(CompileOptions options, compile_options(desc, device->log));
  auto program = std::make_unique<tuff_program>();
  TUFF_ASSIGN(program->program, load_program(bytes, source, device->target, TUFF_NUMERICS_VERSION,
                                             {options.cache, options.progress, options.workers}));
  *out_program = program.release();
  return ok_status();
}

}  // namespace
}  // namespace tuff

using namespace tuff;

tuff_status_t tuff_artifact_write_file(const tuff_model_t* model, tuff_device_t* const* devices, uint32_t device_count,
                                       const tuff_program_desc_t* desc, const char* path, uint64_t path_length,
                                       tuff_error_t** out_error) {
  return guarded(out_error, [&]() -> Status {
    TUFF_NOT_NULL(model);
    TUFF_NOT_NULL(path);
    if (device_count != 0) TUFF_NOT_NULL(devices);
    std::vector<DeviceInfo> infos;
    for (uint32_t i = 0; i < device_count; ++i) {
      TUFF_NOT_NULL(devices[i]);
      if (devices[i]->target.kind == TargetKind::kCpu)
        return invalid_argument("Device " + std::to_string(i) +
                                " is the CPU, which runs the graph of any artifact; nothing is compiled for it.");
      infos.push_back(devices[i]->target.info);
    }
    TUFF_ASSIGN(CompileOptions options, compile_options(desc, device_count != 0 ? devices[0]->log : nullptr));
    TUFF_ASSIGN(std::vector<std::byte> bytes, compile_artifact(model->model->graph, infos, options, TUFF_NUMERICS_VERSION));
    return write_file_atomic(std::string(text_in(path, path_length)), bytes);
  });
}

tuff_status_t tuff_program_load_file(tuff_device_t* device, const char* path, uint64_t path_length,
                                     const tuff_program_desc_t* desc, tuff_program_t** out_program, tuff_error_t** out_error) {
  return guarded(out_error, [&]() -> Status {
    TUFF_NOT_NULL(device);
    TUFF_NOT_NULL(path);
    TUFF_NOT_NULL(out_program);
    const std::string file(text_in(path, path_length));
    TUFF_ASSIGN(Bytes bytes, map_file(file));
    return load(device, bytes, file, desc, out_program);
  });
}

tuff_status_t tuff_program_load_memory(tuff_device_t* device, const void* data, uint64_t size_bytes,
                                       const tuff_program_desc_t* desc, tuff_program_t** out_program,
                                       tuff_error_t** out_error) {
  return guarded(out_error, [&]() -> Status {
    TUFF_NOT_NULL(device);
    TUFF_NOT_NULL(data);
    TUFF_NOT_NULL(out_program);
    const Bytes bytes =
        bytes_from_string(std::make_shared<const std::string>(static_cast<const char*>(data), static_cast<size_t>(size_bytes)));
    return load(device, bytes, "artifact in memory", desc, out_program);
  });
}
