/* The layout of every public struct, for pointers of 8 and of 4 bytes: what a binding in another language counts on. A
 * line that fails here is a broken ABI, not a broken test. Included by C99, C11 and C++. */
#ifndef TUFF_TESTS_HEADER_LAYOUT_H
#define TUFF_TESTS_HEADER_LAYOUT_H

#include <stddef.h>
#include <tuff/tuff.h>
#include <tuff/tuff_vulkan.h>

/* An array of negative size where the condition does not hold: C99 has no static_assert. */
#define LAYOUT_JOIN2(a, b) a##b
#define LAYOUT_JOIN(a, b) LAYOUT_JOIN2(a, b)
#define LAYOUT_CHECK(condition) typedef char LAYOUT_JOIN(layout_check_, __LINE__)[(condition) ? 1 : -1]

/* Where a uint64_t may stand: at 8, on i386 Linux at 4. */
struct layout_alignment {
  char before;
  uint64_t value;
};
#define PADDED(size)                                                                                    \
  (((size) + offsetof(struct layout_alignment, value) - 1) / offsetof(struct layout_alignment, value) * \
   offsetof(struct layout_alignment, value))

/* size and offset with 8-byte pointers, then with 4-byte ones (i386 aligns 64-bit numbers to 4, ARM to 8; every 64-bit
 * field stands at a multiple of 8, so that both agree). */
#if UINTPTR_MAX > 0xffffffffu
#define BY_POINTER(p8, p4) (p8)
#else
#define BY_POINTER(p8, p4) (p4)
#endif

/* Some structs end in padding, which initialisers leave as it is: a field that is appended there would read it from hosts
 * that were built before. The first field to be appended is as wide as the struct's alignment. */

LAYOUT_CHECK(sizeof(tuff_status_t) == 4);
LAYOUT_CHECK(sizeof(tuff_dtype_t) == 4);

LAYOUT_CHECK(sizeof(tuff_device_info_t) == 48);
LAYOUT_CHECK(offsetof(tuff_device_info_t, memory_bytes) == 16);
LAYOUT_CHECK(offsetof(tuff_device_info_t, has_timestamps) == 36);
LAYOUT_CHECK(offsetof(tuff_device_info_t, buffer_offset_alignment) == 40);

LAYOUT_CHECK(offsetof(tuff_device_desc_t, selector_length) == 8);
LAYOUT_CHECK(offsetof(tuff_device_desc_t, selector) == 16);
LAYOUT_CHECK(offsetof(tuff_device_desc_t, log) == BY_POINTER(24, 20));
LAYOUT_CHECK(offsetof(tuff_device_desc_t, log_user_data) == BY_POINTER(32, 24));
LAYOUT_CHECK(offsetof(tuff_device_desc_t, vulkan_allocator) == BY_POINTER(40, 28));
LAYOUT_CHECK(offsetof(tuff_device_desc_t, kernel_statistics) == BY_POINTER(48, 32));

LAYOUT_CHECK(offsetof(tuff_symbol_range_t, divisor) == 4);
LAYOUT_CHECK(offsetof(tuff_symbol_range_t, min) == 8);
LAYOUT_CHECK(offsetof(tuff_symbol_range_t, max) == 16);
LAYOUT_CHECK(offsetof(tuff_symbol_range_t, name_length) == 24);
LAYOUT_CHECK(offsetof(tuff_symbol_range_t, name) == 32);

LAYOUT_CHECK(offsetof(tuff_input_shape_t, rank) == 4);
LAYOUT_CHECK(offsetof(tuff_input_shape_t, name_length) == 8);
LAYOUT_CHECK(offsetof(tuff_input_shape_t, name) == 16);
LAYOUT_CHECK(offsetof(tuff_input_shape_t, sizes) == BY_POINTER(24, 20));
LAYOUT_CHECK(sizeof(tuff_input_shape_t) == BY_POINTER(32, 24));

LAYOUT_CHECK(offsetof(tuff_image_t, tensor_length) == 8);
LAYOUT_CHECK(offsetof(tuff_image_t, width) == 16);
LAYOUT_CHECK(offsetof(tuff_image_t, crop_height) == 56);
LAYOUT_CHECK(offsetof(tuff_image_t, tensor) == 64);
LAYOUT_CHECK(offsetof(tuff_image_t, pixels) == BY_POINTER(72, 68));
LAYOUT_CHECK(offsetof(tuff_image_t, resize) == BY_POINTER(88, 84));
LAYOUT_CHECK(offsetof(tuff_image_t, mean) == BY_POINTER(92, 88));
LAYOUT_CHECK(offsetof(tuff_image_t, scale) == BY_POINTER(108, 104));
LAYOUT_CHECK(sizeof(tuff_image_t) == BY_POINTER(128, 120));

LAYOUT_CHECK(offsetof(tuff_model_desc_t, symbols) == 16);
LAYOUT_CHECK(offsetof(tuff_model_desc_t, input_shapes) == BY_POINTER(24, 20));
LAYOUT_CHECK(offsetof(tuff_model_desc_t, output_count) == BY_POINTER(32, 24));
LAYOUT_CHECK(offsetof(tuff_model_desc_t, outputs) == BY_POINTER(40, 32));
LAYOUT_CHECK(offsetof(tuff_model_desc_t, images) == BY_POINTER(48, 36));
LAYOUT_CHECK(offsetof(tuff_model_desc_t, image_count) == BY_POINTER(56, 40));
LAYOUT_CHECK(sizeof(tuff_model_desc_t) == PADDED(BY_POINTER(64, 48)));

LAYOUT_CHECK(offsetof(tuff_value_name_t, name) == 8);

LAYOUT_CHECK(offsetof(tuff_program_desc_t, exact) == 4);
LAYOUT_CHECK(offsetof(tuff_program_desc_t, no_fuse) == 8);
LAYOUT_CHECK(offsetof(tuff_program_desc_t, cache_dir_length) == 16);
LAYOUT_CHECK(offsetof(tuff_program_desc_t, observations_length) == 24);
LAYOUT_CHECK(offsetof(tuff_program_desc_t, cache_dir) == 32);
LAYOUT_CHECK(offsetof(tuff_program_desc_t, observations) == BY_POINTER(40, 36));
LAYOUT_CHECK(offsetof(tuff_program_desc_t, progress) == BY_POINTER(48, 40));
LAYOUT_CHECK(offsetof(tuff_program_desc_t, progress_user_data) == BY_POINTER(56, 44));
LAYOUT_CHECK(offsetof(tuff_program_desc_t, kernel_progress) == BY_POINTER(64, 48));
LAYOUT_CHECK(offsetof(tuff_program_desc_t, parallel_for) == BY_POINTER(72, 52));
LAYOUT_CHECK(offsetof(tuff_program_desc_t, cache_load) == BY_POINTER(88, 60));
LAYOUT_CHECK(offsetof(tuff_program_desc_t, cache_user_data) == BY_POINTER(104, 68));
LAYOUT_CHECK(offsetof(tuff_program_desc_t, cancel_token) == BY_POINTER(112, 72));
LAYOUT_CHECK(sizeof(tuff_program_desc_t) == PADDED(BY_POINTER(120, 76)));

LAYOUT_CHECK(sizeof(tuff_program_info_t) == PADDED(36));
LAYOUT_CHECK(offsetof(tuff_program_info_t, exact) == 32);
LAYOUT_CHECK(offsetof(tuff_program_info_t, weight_bytes) == 16);

LAYOUT_CHECK(offsetof(tuff_symbol_value_t, value) == 0);
LAYOUT_CHECK(offsetof(tuff_symbol_value_t, name_length) == 8);
LAYOUT_CHECK(offsetof(tuff_symbol_value_t, name) == 16);

LAYOUT_CHECK(offsetof(tuff_print_desc_t, symbols) == 16);
LAYOUT_CHECK(sizeof(tuff_print_desc_t) == BY_POINTER(24, 20));

LAYOUT_CHECK(sizeof(tuff_session_desc_t) == PADDED(BY_POINTER(56, 52)));
LAYOUT_CHECK(offsetof(tuff_session_desc_t, prepared_shape_count) == 8);
LAYOUT_CHECK(offsetof(tuff_session_desc_t, memory_limit_bytes) == 16);
LAYOUT_CHECK(offsetof(tuff_session_desc_t, in_flight_count) == 24);
LAYOUT_CHECK(offsetof(tuff_session_desc_t, cancellable) == 28);
LAYOUT_CHECK(offsetof(tuff_session_desc_t, submit_time_limit_ns) == 32);
LAYOUT_CHECK(offsetof(tuff_session_desc_t, dynamic_dimension_count) == 40);
LAYOUT_CHECK(offsetof(tuff_session_desc_t, dynamic_dimensions) == 48);

LAYOUT_CHECK(offsetof(tuff_tensor_desc_t, rank) == 12);
LAYOUT_CHECK(offsetof(tuff_tensor_desc_t, offset_bytes) == 16);
LAYOUT_CHECK(offsetof(tuff_tensor_desc_t, size_bytes) == 24);
LAYOUT_CHECK(offsetof(tuff_tensor_desc_t, shape) == 32);
LAYOUT_CHECK(offsetof(tuff_tensor_desc_t, byte_strides) == BY_POINTER(40, 36));
LAYOUT_CHECK(offsetof(tuff_tensor_desc_t, data) == BY_POINTER(48, 40));
LAYOUT_CHECK(offsetof(tuff_tensor_desc_t, buffer) == BY_POINTER(56, 44));
LAYOUT_CHECK(offsetof(tuff_tensor_desc_t, vk_buffer) == BY_POINTER(64, 48));
LAYOUT_CHECK(sizeof(tuff_tensor_desc_t) == BY_POINTER(72, 56));

LAYOUT_CHECK(sizeof(tuff_semaphore_use_t) == 16);
LAYOUT_CHECK(offsetof(tuff_run_desc_t, inputs) == BY_POINTER(24, 20));
LAYOUT_CHECK(offsetof(tuff_run_desc_t, outputs) == BY_POINTER(32, 24));
LAYOUT_CHECK(offsetof(tuff_run_desc_t, waits) == BY_POINTER(40, 28));
LAYOUT_CHECK(offsetof(tuff_run_desc_t, signals) == BY_POINTER(48, 32));

LAYOUT_CHECK(sizeof(tuff_session_info_t) == 80);
LAYOUT_CHECK(offsetof(tuff_session_info_t, submit_count) == 12);
LAYOUT_CHECK(offsetof(tuff_session_info_t, device_submits) == 32);
LAYOUT_CHECK(offsetof(tuff_session_info_t, state_bytes) == 72);

LAYOUT_CHECK(offsetof(tuff_vulkan_device_desc_t, get_instance_proc_addr) == 16);
LAYOUT_CHECK(offsetof(tuff_vulkan_device_desc_t, extensions) == BY_POINTER(56, 36));
LAYOUT_CHECK(sizeof(tuff_vulkan_device_desc_t) == BY_POINTER(120, 68));
LAYOUT_CHECK(offsetof(tuff_record_desc_t, inputs) == BY_POINTER(16, 12));
LAYOUT_CHECK(offsetof(tuff_record_desc_t, command_buffer) == BY_POINTER(32, 20));
LAYOUT_CHECK(sizeof(tuff_record_info_t) == 24);

LAYOUT_CHECK(sizeof(tuff_profile_desc_t) == 16);
LAYOUT_CHECK(offsetof(tuff_profile_desc_t, run_count) == 4);
LAYOUT_CHECK(offsetof(tuff_profile_desc_t, host_clock) == 12);
LAYOUT_CHECK(sizeof(tuff_profile_info_t) == 56);
LAYOUT_CHECK(offsetof(tuff_profile_info_t, host_clock) == 12);
LAYOUT_CHECK(offsetof(tuff_profile_info_t, run_time_ns) == 16);
LAYOUT_CHECK(offsetof(tuff_profile_info_t, launch_time_ns) == 48);
LAYOUT_CHECK(sizeof(tuff_kernel_profile_t) == 104);
LAYOUT_CHECK(offsetof(tuff_kernel_profile_t, bound) == 4);
LAYOUT_CHECK(offsetof(tuff_kernel_profile_t, time_ns) == 16);
LAYOUT_CHECK(offsetof(tuff_kernel_profile_t, bytes_read) == 48);
LAYOUT_CHECK(offsetof(tuff_kernel_profile_t, flops) == 64);
LAYOUT_CHECK(offsetof(tuff_kernel_profile_t, shared_bytes) == 96);

#endif
