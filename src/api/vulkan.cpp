// tuff_vulkan.h.
#include "tuff/tuff_vulkan.h"

#include "api/guard.h"
#include "api/handles.h"
#include "api/session_calls.h"

using namespace tuff;

struct tuff_vulkan_requirements {
  VulkanRequirements requirements;
};

namespace {

tuff_status_t item_out(const std::vector<std::string>* list, uint32_t index, char* buffer, uint64_t capacity,
                       uint64_t* out_length, tuff_error_t** out_error) {
  return guarded(out_error, [&]() -> Status {
    if (!list) return null_argument("requirements");
    if (index >= list->size()) return invalid_argument("There is no entry " + std::to_string(index) + ".");
    text_out((*list)[index], buffer, capacity, out_length);
    return ok_status();
  });
}

}  // namespace

tuff_status_t tuff_vulkan_requirements_create(tuff_vulkan_function_t get_instance_proc_addr, void* instance,
                                              void* physical_device, uint32_t api_version, tuff_vulkan_tier_t tier,
                                              tuff_vulkan_requirements_t** out_requirements, tuff_error_t** out_error) {
  return guarded(out_error, [&]() -> Status {
    TUFF_NOT_NULL(get_instance_proc_addr);
    TUFF_NOT_NULL(instance);
    TUFF_NOT_NULL(physical_device);
    TUFF_NOT_NULL(out_requirements);
    if (tier != TUFF_VULKAN_REQUIRED && tier != TUFF_VULKAN_RECOMMENDED)
      return invalid_argument("There is no tier " + std::to_string(tier) + ".");
    auto made = std::make_unique<tuff_vulkan_requirements>();
    TUFF_ASSIGN(made->requirements, vulkan_requirements(get_instance_proc_addr, instance, physical_device, api_version,
                                                        tier == TUFF_VULKAN_RECOMMENDED));
    *out_requirements = made.release();
    return ok_status();
  });
}

void tuff_vulkan_requirements_release(tuff_vulkan_requirements_t* requirements) { delete requirements; }

uint32_t tuff_vulkan_requirements_queue_family(const tuff_vulkan_requirements_t* requirements) {
  return requirements ? requirements->requirements.queue_family : 0;
}
uint32_t tuff_vulkan_requirements_extension_count(const tuff_vulkan_requirements_t* requirements) {
  return requirements ? static_cast<uint32_t>(requirements->requirements.extensions.size()) : 0;
}
tuff_status_t tuff_vulkan_requirements_extension(const tuff_vulkan_requirements_t* requirements, uint32_t index, char* buffer,
                                                 uint64_t capacity, uint64_t* out_length, tuff_error_t** out_error) {
  return item_out(requirements ? &requirements->requirements.extensions : nullptr, index, buffer, capacity, out_length,
                  out_error);
}
uint32_t tuff_vulkan_requirements_feature_count(const tuff_vulkan_requirements_t* requirements) {
  return requirements ? static_cast<uint32_t>(requirements->requirements.features.size()) : 0;
}
tuff_status_t tuff_vulkan_requirements_feature(const tuff_vulkan_requirements_t* requirements, uint32_t index, char* buffer,
                                               uint64_t capacity, uint64_t* out_length, tuff_error_t** out_error) {
  return item_out(requirements ? &requirements->requirements.features : nullptr, index, buffer, capacity, out_length,
                  out_error);
}
const void* tuff_vulkan_requirements_features(const tuff_vulkan_requirements_t* requirements) {
  return requirements ? requirements->requirements.chain.get() : nullptr;
}

tuff_status_t tuff_device_from_vulkan(const tuff_vulkan_device_desc_t* desc, tuff_device_t** out_device,
                                      tuff_error_t** out_error) {
  return guarded(out_error, [&]() -> Status {
    TUFF_NOT_NULL(desc);
    TUFF_NOT_NULL(out_device);
    tuff_vulkan_device_desc_t d;
    TUFF_TRY(read_desc(desc, d, "tuff_vulkan_device_desc_t"));
    TUFF_NOT_NULL(d.get_instance_proc_addr);
    TUFF_NOT_NULL(d.instance);
    TUFF_NOT_NULL(d.physical_device);
    TUFF_NOT_NULL(d.device);
    TUFF_NOT_NULL(d.queue);
    if (d.extension_count != 0) TUFF_NOT_NULL(d.extensions);
    if (!d.lock_queue != !d.unlock_queue)
      return invalid_argument("A queue is locked and unlocked by two callbacks, not by one.");
    BorrowedVulkanDevice host;
    host.get_instance_proc_addr = d.get_instance_proc_addr;
    host.instance = d.instance;
    host.physical_device = d.physical_device;
    host.api_version = d.api_version;
    host.device = d.device;
    host.queue = d.queue;
    host.queue_family = d.queue_family;
    host.features = d.features;
    host.allocator = d.allocator;
    for (uint32_t i = 0; i < d.extension_count; ++i) {
      TUFF_NOT_NULL(d.extensions[i]);
      host.extensions.emplace_back(d.extensions[i]);
    }
    if (d.lock_queue) {
      host.lock_queue = [call = d.lock_queue, data = d.queue_user_data] { call(data); };
      host.unlock_queue = [call = d.unlock_queue, data = d.queue_user_data] { call(data); };
    }
    auto device = std::make_unique<tuff_device>();
    device->log = log_of(d.log, d.log_user_data);
    host.log = device->log;
    TUFF_ASSIGN(device->target, borrowed_target(host));
    *out_device = device.release();
    return ok_status();
  });
}

uint32_t tuff_vulkan_buffer_usage(const tuff_device_t* device) {
  return device && device->target.device ? vulkan_buffer_usage(device->target.info) : 0;
}
uint64_t tuff_vulkan_buffer_handle(const tuff_buffer_t* buffer) { return buffer ? buffer->buffer->native_handle() : 0; }

tuff_status_t tuff_session_record(tuff_session_t* session, const tuff_record_desc_t* desc, tuff_record_info_t* out_info,
                                  tuff_error_t** out_error) {
  if (!session) return guarded(out_error, [] { return null_argument("session"); });
  return entered(session->state, out_error, [&]() -> Status {
    TUFF_NOT_NULL(desc);
    tuff_record_desc_t d;
    TUFF_TRY(read_desc(desc, d, "tuff_record_desc_t"));
    TUFF_NOT_NULL(d.command_buffer);
    SessionState& state = *session->state;
    TUFF_ASSIGN(const IoBinding* binding, register_tensors(state, d.inputs, d.input_count, d.outputs, d.output_count));
    for (const auto* list : {&state.inputs, &state.outputs})
      for (const CallerTensor& tensor : *list)
        if (tensor.view.data)
          return invalid_argument("Recorded commands copy no host memory: it goes through set_input and read_output.");
    if (out_info) {
      const VulkanDependency input = vulkan_input_dependency(), output = vulkan_output_dependency();
      tuff_record_info_t info = TUFF_RECORD_INFO_INIT;
      info.clobbers = TUFF_CLOBBERS_COMPUTE_PIPELINE | TUFF_CLOBBERS_COMPUTE_DESCRIPTOR_SET;
      info.input_stages = input.stages;
      info.input_access = input.access;
      info.output_stages = output.stages;
      info.output_access = output.access;
      TUFF_TRY(write_info(info, out_info, "out_info"));
    }
    return state.session->record_into(static_cast<uint64_t>(reinterpret_cast<uintptr_t>(d.command_buffer)), binding);
  });
}
