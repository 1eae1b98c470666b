#include "api/guard.h"
#include "api/handles.h"

using namespace tuff;

tuff_status_t tuff_buffer_create(tuff_device_t* device, uint64_t size_bytes, tuff_buffer_t** out_buffer,
                                 tuff_error_t** out_error) {
  return guarded(out_error, [&]() -> Status {
    TUFF_NOT_NULL(device);
    TUFF_NOT_NULL(out_buffer);
    const Target& target = device->target;
    if (!target.device) return unsupported("'" + target.info.name + "' has no device memory.");
    auto buffer = std::make_unique<tuff_buffer>();
    buffer->device = target.device;
    TUFF_ASSIGN(buffer->buffer, target.device->allocate(MemoryUse::kDevice, size_bytes));
    *out_buffer = buffer.release();
    return ok_status();
  });
}

void tuff_buffer_retain(tuff_buffer_t* buffer) { retain_handle(buffer); }
void tuff_buffer_release(tuff_buffer_t* buffer) { release_handle(buffer); }

uint64_t tuff_buffer_size_bytes(const tuff_buffer_t* buffer) { return buffer ? buffer->buffer->size_bytes() : 0; }

tuff_status_t tuff_buffer_write(tuff_buffer_t* buffer, uint64_t offset_bytes, const void* data, uint64_t size_bytes,
                                tuff_error_t** out_error) {
  return guarded(out_error, [&]() -> Status {
    TUFF_NOT_NULL(buffer);
    if (size_bytes != 0) TUFF_NOT_NULL(data);
    return buffer->device->upload(*buffer->buffer, offset_bytes,
                                  {static_cast<const std::byte*>(data), static_cast<size_t>(size_bytes)});
  });
}

tuff_status_t tuff_buffer_read(tuff_buffer_t* buffer, uint64_t offset_bytes, void* data, uint64_t size_bytes,
                               tuff_error_t** out_error) {
  return guarded(out_error, [&]() -> Status {
    TUFF_NOT_NULL(buffer);
    if (size_bytes != 0) TUFF_NOT_NULL(data);
    return buffer->device->download(*buffer->buffer, offset_bytes,
                                    {static_cast<std::byte*>(data), static_cast<size_t>(size_bytes)});
  });
}
