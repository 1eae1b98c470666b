/* The headers alone, as C99 and as C11 with every warning an error; and its INIT macros, which have to fill their struct. */
#include "header_layout.h"

int header_c_compiles(void);

int header_c_compiles(void) {
  tuff_device_info_t device_info = TUFF_DEVICE_INFO_INIT;
  tuff_device_desc_t device = TUFF_DEVICE_DESC_INIT;
  tuff_symbol_range_t range = TUFF_SYMBOL_RANGE_INIT;
  tuff_input_shape_t shape = TUFF_INPUT_SHAPE_INIT;
  tuff_model_desc_t model = TUFF_MODEL_DESC_INIT;
  tuff_program_desc_t program = TUFF_PROGRAM_DESC_INIT;
  tuff_program_info_t program_info = TUFF_PROGRAM_INFO_INIT;
  tuff_symbol_value_t value = TUFF_SYMBOL_VALUE_INIT;
  tuff_print_desc_t print = TUFF_PRINT_DESC_INIT;
  tuff_session_desc_t session = TUFF_SESSION_DESC_INIT;
  tuff_tensor_desc_t tensor = TUFF_TENSOR_DESC_INIT;
  tuff_session_info_t session_info = TUFF_SESSION_INFO_INIT;
  tuff_run_desc_t run = TUFF_RUN_DESC_INIT;
  tuff_vulkan_device_desc_t vulkan = TUFF_VULKAN_DEVICE_DESC_INIT;
  tuff_record_desc_t record = TUFF_RECORD_DESC_INIT;
  tuff_record_info_t record_info = TUFF_RECORD_INFO_INIT;
  tuff_profile_desc_t profile = TUFF_PROFILE_DESC_INIT;
  tuff_profile_info_t profile_info = TUFF_PROFILE_INFO_INIT;
  tuff_kernel_profile_t kernel = TUFF_KERNEL_PROFILE_INIT;
  return device_info.struct_size == sizeof device_info && device.struct_size == sizeof device &&
         range.struct_size == sizeof range && shape.struct_size == sizeof shape && model.struct_size == sizeof model &&
         program.struct_size == sizeof program && program_info.struct_size == sizeof program_info &&
         value.name_length == TUFF_TEXT_END && print.struct_size == sizeof print && session.struct_size == sizeof session &&
         tensor.struct_size == sizeof tensor && session_info.struct_size == sizeof session_info &&
         run.struct_size == sizeof run && vulkan.struct_size == sizeof vulkan && record.struct_size == sizeof record &&
         record_info.struct_size == sizeof record_info && profile.struct_size == sizeof profile &&
         profile_info.struct_size == sizeof profile_info && kernel.struct_size == sizeof kernel;
}
