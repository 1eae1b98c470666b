#include "api/desc.h"
#include "api/guard.h"
#include "api/handles.h"

namespace tuff {
namespace {

static_assert(static_cast<int>(Stage::kSpirv) == TUFF_STAGE_SPIRV);
static_assert(static_cast<int>(Stage::kPlan) == TUFF_STAGE_PLAN);
static_assert(static_cast<int>(TextFormat::kJson) == TUFF_FORMAT_JSON);

Result<PrintRequest> print_request(const tuff_print_desc_t* desc) {
  tuff_print_desc_t d;
  TUFF_TRY(read_desc(desc, d, "tuff_print_desc_t"));
  if (d.stage < TUFF_STAGE_GRAPH || d.stage > TUFF_STAGE_SPIRV)
    return invalid_argument("There is no stage " + std::to_string(d.stage) + ".");
  if (d.format != TUFF_FORMAT_TEXT && d.format != TUFF_FORMAT_JSON)
    return invalid_argument("There is no format " + std::to_string(d.format) + ".");
  PrintRequest request;
  request.stage = static_cast<Stage>(d.stage);
  request.format = static_cast<TextFormat>(d.format);
  TUFF_ASSIGN(request.symbols, read_symbol_values(d.symbols, d.symbol_count));
  return request;
}

}  // namespace
}  // namespace tuff

using namespace tuff;

tuff_status_t tuff_program_create(tuff_device_t* device, tuff_model_t* model, const tuff_program_desc_t* desc,
                                  tuff_program_t** out_program, tuff_error_t** out_error) {
  return guarded(out_error, [&]() -> Status {
    TUFF_NOT_NULL(device);
    TUFF_NOT_NULL(model);
    TUFF_NOT_NULL(out_program);
    TUFF_ASSIGN(CompileOptions options, compile_options(desc, device->log));
    auto program = std::make_unique<tuff_program>();
    TUFF_ASSIGN(program->program, compile_model(model->model->graph, device->target, options));
    *out_program = program.release();
    return ok_status();
  });
}

void tuff_program_retain(tuff_program_t* program) { retain_handle(program); }
void tuff_program_release(tuff_program_t* program) { release_handle(program); }

tuff_status_t tuff_program_get_info(const tuff_program_t* program, tuff_program_info_t* out_info, tuff_error_t** out_error) {
  return guarded(out_error, [&]() -> Status {
    TUFF_NOT_NULL(program);
    const Program& p = *program->program;
    tuff_program_info_t info = TUFF_PROGRAM_INFO_INIT;
    info.kernel_count = static_cast<uint32_t>(p.plan.kernels.size());
    info.step_count = static_cast<uint32_t>(p.plan.steps.size());
    info.stage_count = static_cast<uint32_t>(p.times.size());
    info.weight_bytes = p.plan.weight_bytes;
    info.exact = p.exact;
    for (const StageTime& time : p.times) info.compile_ns += static_cast<uint64_t>(time.time_ns);
    return write_info(info, out_info, "out_info");
  });
}

tuff_status_t tuff_program_stage_time(const tuff_program_t* program, uint32_t index, uint64_t* out_time_ns, char* buffer,
                                      uint64_t capacity, uint64_t* out_length, tuff_error_t** out_error) {
  return guarded(out_error, [&]() -> Status {
    TUFF_NOT_NULL(program);
    const std::vector<StageTime>& times = program->program->times;
    if (index >= times.size()) return invalid_argument("There is no stage " + std::to_string(index) + ".");
    if (out_time_ns) *out_time_ns = static_cast<uint64_t>(times[index].time_ns);
    text_out(times[index].stage, buffer, capacity, out_length);
    return ok_status();
  });
}

tuff_status_t tuff_program_print(const tuff_device_t* device, const tuff_model_t* model,
                                 const tuff_program_desc_t* program_desc, const tuff_print_desc_t* print_desc, char* buffer,
                                 uint64_t capacity, uint64_t* out_length, tuff_error_t** out_error) {
  return guarded(out_error, [&]() -> Status {
    TUFF_NOT_NULL(device);
    TUFF_NOT_NULL(model);
    TUFF_ASSIGN(CompileOptions options, compile_options(program_desc, device->log));
    TUFF_ASSIGN(PrintRequest request, print_request(print_desc));
    TUFF_ASSIGN(std::string text, print_stage(model->model->graph, device->target.info, options, request));
    text_out(text, buffer, capacity, out_length);
    return ok_status();
  });
}

tuff_status_t tuff_program_text(const tuff_program_t* program, const tuff_print_desc_t* desc, char* buffer, uint64_t capacity,
                                uint64_t* out_length, tuff_error_t** out_error) {
  return guarded(out_error, [&]() -> Status {
    TUFF_NOT_NULL(program);
    TUFF_ASSIGN(PrintRequest request, print_request(desc));
    TUFF_ASSIGN(std::string text, print_stage(*program->program, request));
    text_out(text, buffer, capacity, out_length);
    return ok_status();
  });
}

tuff_status_t tuff_program_model(const tuff_program_t* program, tuff_model_t** out_model, tuff_error_t** out_error) {
  return guarded(out_error, [&]() -> Status {
    TUFF_NOT_NULL(program);
    TUFF_NOT_NULL(out_model);
    auto loaded = std::make_shared<LoadedModel>();
    loaded->graph = program->program->plan.graph;
    loaded->named = named_values(loaded->graph);
    auto model = std::make_unique<tuff_model>();
    model->model = std::move(loaded);
    *out_model = model.release();
    return ok_status();
  });
}
