#include "api/guard.h"
#include "api/handles.h"

namespace tuff {
namespace {

static_assert(static_cast<int>(DeviceKind::kSoftware) == TUFF_DEVICE_SOFTWARE);

tuff_device_info_t info_of(const DeviceInfo& info) {
  tuff_device_info_t out = TUFF_DEVICE_INFO_INIT;
  out.kind = static_cast<tuff_device_kind_t>(info.kind);
  out.vendor_id = info.vendor_id;
  out.device_id = info.device_id;
  out.memory_bytes = static_cast<uint64_t>(info.device_memory_bytes);
  out.max_storage_buffer_bytes = static_cast<uint64_t>(info.max_storage_buffer_bytes);
  out.unified_memory = info.unified_memory;
  out.has_timestamps = info.timestamp_period_ns > 0;
  out.buffer_offset_alignment = static_cast<uint64_t>(buffer_offset_alignment(info));
  return out;
}

std::string driver_of(const DeviceInfo& info) {
  if (info.driver_version.empty()) return info.driver_name;
  return info.driver_name + " " + info.driver_version;
}

// A text about one device of a list.
template <class TextOf>
tuff_status_t list_text(const tuff_device_list_t* list, uint32_t index, char* buffer, uint64_t capacity, uint64_t* out_length,
                        tuff_error_t** out_error, TextOf text_of) {
  return guarded(out_error, [&]() -> Status {
    TUFF_NOT_NULL(list);
    if (index >= list->list.entries.size()) {
      return invalid_argument("There is no device " + std::to_string(index) + "; the list has " +
                              std::to_string(list->list.entries.size()) + ".");
    }
    text_out(text_of(list->list.entries[index].info), buffer, capacity, out_length);
    return ok_status();
  });
}

}  // namespace
}  // namespace tuff

using namespace tuff;

tuff_status_t tuff_device_list_create(tuff_device_list_t** out_list, tuff_error_t** out_error) {
  return guarded(out_error, [&]() -> Status {
    TUFF_NOT_NULL(out_list);
    *out_list = new tuff_device_list{list_targets()};
    return ok_status();
  });
}

void tuff_device_list_release(tuff_device_list_t* list) { delete list; }

uint32_t tuff_device_list_count(const tuff_device_list_t* list) {
  return list ? static_cast<uint32_t>(list->list.entries.size()) : 0;
}

void tuff_device_list_reason(const tuff_device_list_t* list, char* buffer, uint64_t capacity, uint64_t* out_length) {
  text_out(list ? std::string_view(list->list.why_no_device) : std::string_view(), buffer, capacity, out_length);
}

tuff_status_t tuff_device_list_info(const tuff_device_list_t* list, uint32_t index, tuff_device_info_t* out_info,
                                    tuff_error_t** out_error) {
  return guarded(out_error, [&]() -> Status {
    TUFF_NOT_NULL(list);
    if (index >= list->list.entries.size()) {
      return invalid_argument("There is no device " + std::to_string(index) + ".");
    }
    return write_info(info_of(list->list.entries[index].info), out_info, "out_info");
  });
}

tuff_status_t tuff_device_list_name(const tuff_device_list_t* list, uint32_t index, char* buffer, uint64_t capacity,
                                    uint64_t* out_length, tuff_error_t** out_error) {
  return list_text(list, index, buffer, capacity, out_length, out_error, [](const DeviceInfo& i) { return i.name; });
}

tuff_status_t tuff_device_list_driver(const tuff_device_list_t* list, uint32_t index, char* buffer, uint64_t capacity,
                                      uint64_t* out_length, tuff_error_t** out_error) {
  return list_text(list, index, buffer, capacity, out_length, out_error, driver_of);
}

tuff_status_t tuff_device_list_uuid(const tuff_device_list_t* list, uint32_t index, char* buffer, uint64_t capacity,
                                    uint64_t* out_length, tuff_error_t** out_error) {
  return list_text(list, index, buffer, capacity, out_length, out_error, [](const DeviceInfo& i) { return i.device_uuid; });
}

tuff_status_t tuff_device_list_text(const tuff_device_list_t* list, uint32_t index, char* buffer, uint64_t capacity,
                                    uint64_t* out_length, tuff_error_t** out_error) {
  return list_text(list, index, buffer, capacity, out_length, out_error, [](const DeviceInfo& i) { return print(i); });
}

tuff_status_t tuff_device_open(const tuff_device_desc_t* desc, tuff_device_t** out_device, tuff_error_t** out_error) {
  return guarded(out_error, [&]() -> Status {
    TUFF_NOT_NULL(out_device);
    tuff_device_desc_t d;
    TUFF_TRY(read_desc(desc, d, "tuff_device_desc_t"));
    auto device = std::make_unique<tuff_device>();
    device->log = log_of(d.log, d.log_user_data);
    OpenOptions options;
    options.allow_software = d.allow_software != 0;
    options.log = device->log;
    options.vulkan_allocator = d.vulkan_allocator;
    options.statistics = d.kernel_statistics != 0;
    TUFF_ASSIGN(device->target, open_target(text_in(d.selector, d.selector_length), options));
    *out_device = device.release();
    return ok_status();
  });
}

tuff_status_t tuff_device_describe(const char* text, uint64_t length, const char* name, uint64_t name_length,
                                   tuff_device_t** out_device, tuff_error_t** out_error) {
  return guarded(out_error, [&]() -> Status {
    TUFF_NOT_NULL(text);
    TUFF_NOT_NULL(out_device);
    std::string source(text_in(name, name_length));
    auto device = std::make_unique<tuff_device>();
    TUFF_ASSIGN(device->target, describe_target(text_in(text, length), source.empty() ? "device text" : source));
    *out_device = device.release();
    return ok_status();
  });
}

void tuff_device_retain(tuff_device_t* device) { retain_handle(device); }
void tuff_device_release(tuff_device_t* device) { release_handle(device); }

tuff_status_t tuff_device_get_info(const tuff_device_t* device, tuff_device_info_t* out_info, tuff_error_t** out_error) {
  return guarded(out_error, [&]() -> Status {
    TUFF_NOT_NULL(device);
    return write_info(info_of(device->target.info), out_info, "out_info");
  });
}

tuff_status_t tuff_device_name(const tuff_device_t* device, char* buffer, uint64_t capacity, uint64_t* out_length,
                               tuff_error_t** out_error) {
  return guarded(out_error, [&]() -> Status {
    TUFF_NOT_NULL(device);
    text_out(device->target.info.name, buffer, capacity, out_length);
    return ok_status();
  });
}

tuff_status_t tuff_device_driver(const tuff_device_t* device, char* buffer, uint64_t capacity, uint64_t* out_length,
                                 tuff_error_t** out_error) {
  return guarded(out_error, [&]() -> Status {
    TUFF_NOT_NULL(device);
    text_out(driver_of(device->target.info), buffer, capacity, out_length);
    return ok_status();
  });
}
