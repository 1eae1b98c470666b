/* Tuff: neural networks on any Vulkan GPU as a few fused kernels, recorded once into one command buffer.
 *
 * Four nouns. A device: a GPU, the CPU (for checking), or the description of a device that is not in this machine. A
 * model: a graph in host memory; it knows no device. A program: a model compiled for a device; it owns weights and
 * pipelines. A session: the buffers, the recordings and the state of one stream of runs. Sessions of one program share its
 * weights. Beside them three that serve: a run, from its submit to its end, a buffer of device memory, and a profile of where
 * a run's time goes.
 *
 * Ownership. Every handle is counted: what makes one hands over one reference, *_retain adds one, *_release takes one;
 * releasing NULL does nothing. Children keep their parents alive, so handles may be released in any order.
 *
 * Threads. Devices, models, programs, profiles and cancel tokens may be used by any number of threads at once. A session with
 * its runs, a buffer and an error are used by one thread at a time; a second thread that enters a session at the same moment
 * gets TUFF_BUSY. The library starts no thread, prints nothing and writes no file that it was not asked for. Callbacks run on
 * the thread that made the call, or on threads that the caller lends to it (tuff_parallel_for_callback_t).
 *
 * Descs. Every tuff_..._desc_t starts with struct_size; zero is the default of every other field, and NULL instead of a
 * desc means all defaults. A desc that is larger than this library knows is accepted if what is unknown is zero. The
 * elements of an array have the struct_size of its first one.
 *
 * Strings. In: UTF-8 pointer and length in bytes; a length of TUFF_TEXT_END means NUL-terminated; NULL is the empty string.
 * Out: `buffer` of `capacity` bytes receives at most capacity - 1 bytes and a NUL, *out_length (may be NULL) the full
 * length without the NUL; a NULL buffer with capacity 0 asks for the length alone.
 *
 * Errors. Fallible functions return a status; on failure they set *out_error, if out_error is not NULL, to a handle that
 * the caller releases, and leave their other outputs as they were, unless they say otherwise. On success *out_error is
 * set to NULL. Any of them may answer TUFF_OUT_OF_MEMORY or TUFF_INTERNAL, and TUFF_INVALID_ARGUMENT where a pointer that
 * is not said to be NULL is, where an index is too large, or where a desc's struct_size is not set. A caller that wants no
 * detail passes NULL for out_error.
 */
#ifndef TUFF_TUFF_H
#define TUFF_TUFF_H

#include <stdint.h>

#if defined(_WIN32)
#if defined(TUFF_BUILDING)
#define TUFF_API __declspec(dllexport)
#else
#define TUFF_API __declspec(dllimport)
#endif
#else
#define TUFF_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Version ------------------------------------------------------------------------------------------------------ */

#define TUFF_VERSION_MAJOR 0
#define TUFF_VERSION_MINOR 1
#define TUFF_VERSION_PATCH 0
#define TUFF_VERSION ((TUFF_VERSION_MAJOR << 22) | (TUFF_VERSION_MINOR << 12) | TUFF_VERSION_PATCH)

/* The version of the library that is running, in the form of TUFF_VERSION. Major version 0 promises no stable ABI. */
TUFF_API uint32_t tuff_version(void);

/* Counted up whenever the same model may give other bits: it covers the importer, the rewrites, the orders of sums and the
 * shaders' functions. An artifact carries it, and is refused by a library of another one. */
#define TUFF_NUMERICS_VERSION 2
/* The numerics version of the library that is running. */
TUFF_API uint32_t tuff_numerics_version(void);

/* ---- Constants ---------------------------------------------------------------------------------------------------- */

#define TUFF_TEXT_END UINT64_MAX     /* a string's length: up to its NUL */
#define TUFF_WAIT_FOREVER UINT64_MAX /* a timeout in nanoseconds */

typedef int32_t tuff_status_t;
enum {
  TUFF_OK = 0,
  TUFF_INVALID_ARGUMENT = 1, /* a value that the call, the model or the file may not have */
  TUFF_UNSUPPORTED = 2,      /* right, but this build, device or version cannot do it */
  TUFF_OUT_OF_MEMORY = 3,    /* of the host or the device */
  TUFF_DEVICE_LOST = 4,      /* the device stopped answering; make a new one (tuff_session_recover) */
  TUFF_LIMIT = 5,            /* a size beyond a stated limit */
  TUFF_IO = 6,               /* the operating system said no */
  TUFF_CORRUPT = 7,          /* a file that is damaged */
  TUFF_BUSY = 8,             /* in use: a run is in flight, or another thread is in the session */
  TUFF_CANCELLED = 9,
  TUFF_INTERNAL = 10 /* a fault of Tuff's own */
};

typedef int32_t tuff_dtype_t;
enum {
  TUFF_F32 = 0,
  TUFF_F16 = 1,
  TUFF_BF16 = 2,
  TUFF_F64 = 3,
  TUFF_I8 = 4,
  TUFF_I16 = 5,
  TUFF_I32 = 6,
  TUFF_I64 = 7,
  TUFF_U8 = 8,
  TUFF_U16 = 9,
  TUFF_U32 = 10,
  TUFF_U64 = 11,
  TUFF_BOOL = 12 /* one byte: 0 or 1 */
};

typedef int32_t tuff_precision_t;
enum {
  TUFF_PRECISION_MODEL = 0, /* what the model says, sums in f32 */
  /* Weights and intermediate f32 values that products and windows read are kept in f16 and computed in f32; inputs, outputs and
   * sums stay. Half the memory and traffic; values beyond 65504 become infinite. TUFF_STAGE_EXPLAIN lists what is rounded.
   * Other numbers answer TUFF_UNSUPPORTED. */
  TUFF_PRECISION_F16_STORAGE = 1,
  /* As a model in f16: each operator's f32 result is rounded to f16, sums are f32. Reductions, what is computed from them or
   * from integers alone, and what they alone read stay f32; so do inputs and outputs. */
  TUFF_PRECISION_F16 = 2
};

typedef int32_t tuff_direction_t;
enum { TUFF_INPUT = 0, TUFF_OUTPUT = 1 };

typedef int32_t tuff_memory_t;
enum {
  TUFF_MEMORY_HOST = 0,   /* plain memory of this process */
  TUFF_MEMORY_DEVICE = 1, /* a tuff_buffer_t */
  TUFF_MEMORY_VULKAN = 2  /* a VkBuffer of the host's (tuff_vulkan.h). Other kinds answer TUFF_UNSUPPORTED */
};

typedef int32_t tuff_device_kind_t;
enum {
  TUFF_DEVICE_OTHER = 0,
  TUFF_DEVICE_INTEGRATED = 1,
  TUFF_DEVICE_DISCRETE = 2,
  TUFF_DEVICE_VIRTUAL = 3,
  TUFF_DEVICE_SOFTWARE = 4 /* a driver that computes on the CPU, or the CPU itself */
};

typedef int32_t tuff_severity_t;
enum { TUFF_SEVERITY_ERROR = 0, TUFF_SEVERITY_WARNING = 1, TUFF_SEVERITY_INFO = 2 };

/* The stages that can be printed, in the order that a model passes them. */
typedef int32_t tuff_stage_t;
enum {
  TUFF_STAGE_GRAPH = 0,      /* as loaded */
  TUFF_STAGE_SIMPLIFIED = 1, /* after rewriting; arithmetic is settled */
  TUFF_STAGE_LAYOUT = 2,     /* the storage order of each value */
  TUFF_STAGE_FUSION = 3,     /* which nodes share a kernel */
  TUFF_STAGE_EXPLAIN = 4,    /* why, and why not */
  TUFF_STAGE_KERNELS = 5,    /* GLSL */
  TUFF_STAGE_PLAN = 6,       /* steps, symbolic in the model's dimensions */
  TUFF_STAGE_BOUND = 7,      /* the plan for one set of sizes: byte ranges, barriers */
  TUFF_STAGE_SPIRV = 8       /* disassembled modules */
};

typedef int32_t tuff_format_t;
enum { TUFF_FORMAT_TEXT = 0, TUFF_FORMAT_JSON = 1 };

/* ---- Handles ------------------------------------------------------------------------------------------------------ */

typedef struct tuff_error tuff_error_t;
typedef struct tuff_device_list tuff_device_list_t;
typedef struct tuff_device tuff_device_t;
typedef struct tuff_buffer tuff_buffer_t;
typedef struct tuff_model tuff_model_t;
typedef struct tuff_program tuff_program_t;
typedef struct tuff_session tuff_session_t;
typedef struct tuff_run tuff_run_t;
typedef struct tuff_cancel_token tuff_cancel_token_t;
typedef struct tuff_profile tuff_profile_t;

/* ---- Errors ------------------------------------------------------------------------------------------------------- */

/* The name of a status, "OUT_OF_MEMORY"; "UNKNOWN" for a number that is none. */
TUFF_API void tuff_status_name(tuff_status_t status, char* buffer, uint64_t capacity, uint64_t* out_length);

/* The status that the failed call returned; TUFF_OK for NULL. */
TUFF_API tuff_status_t tuff_error_status(const tuff_error_t* error);
/* A full sentence, or several lines where many things are wrong; empty for NULL. */
TUFF_API void tuff_error_message(const tuff_error_t* error, char* buffer, uint64_t capacity, uint64_t* out_length);
/* Ends an error; NULL is nothing. Errors are not counted. */
TUFF_API void tuff_error_release(tuff_error_t* error);

/* ---- Devices ------------------------------------------------------------------------------------------------------ */

/* Called with what a person might want to know. `message` is UTF-8 of `length` bytes, valid during the call. Objects made
 * of a device call it too: the owner of user_data keeps it alive until the last of them is released. */
typedef void (*tuff_log_callback_t)(tuff_severity_t severity, const char* message, uint64_t length, void* user_data);

/* What a device is. Sizes in bytes. */
typedef struct tuff_device_info {
  uint32_t struct_size;
  tuff_device_kind_t kind;
  uint32_t vendor_id;
  uint32_t device_id;
  uint64_t memory_bytes;             /* the largest heap of the device's own; 0: not known */
  uint64_t max_storage_buffer_bytes; /* the largest tensor */
  int32_t unified_memory;            /* not 0: the host can map what kernels use */
  int32_t has_timestamps;            /* not 0: dispatches can be timed */
  uint64_t buffer_offset_alignment;  /* a tensor's offset in a buffer is a multiple of it */
} tuff_device_info_t;
#define TUFF_DEVICE_INFO_INIT \
  { (uint32_t)sizeof(tuff_device_info_t), 0, 0, 0, 0, 0, 0, 0, 0 }

/* Finds every device of every driver of this machine, and the CPU, which comes last. Loads drivers: milliseconds to
 * seconds. A machine without a driver is no error: see tuff_device_list_reason. */
TUFF_API tuff_status_t tuff_device_list_create(tuff_device_list_t** out_list, tuff_error_t** out_error);
/* Ends a list; NULL is nothing. Devices that were opened by its indices stay. */
TUFF_API void tuff_device_list_release(tuff_device_list_t* list);
/* How many devices, the CPU among them; 0 for NULL. */
TUFF_API uint32_t tuff_device_list_count(const tuff_device_list_t* list);
/* Why there is no device besides the CPU, as a sentence; empty if there is one. */
TUFF_API void tuff_device_list_reason(const tuff_device_list_t* list, char* buffer, uint64_t capacity, uint64_t* out_length);
/* What the index-th device is. *out_info is filled as far as its struct_size says. */
TUFF_API tuff_status_t tuff_device_list_info(const tuff_device_list_t* list, uint32_t index, tuff_device_info_t* out_info,
                                             tuff_error_t** out_error);
/* Its name, as the driver gives it. */
TUFF_API tuff_status_t tuff_device_list_name(const tuff_device_list_t* list, uint32_t index, char* buffer, uint64_t capacity,
                                             uint64_t* out_length, tuff_error_t** out_error);
/* Driver name and version, one string. */
TUFF_API tuff_status_t tuff_device_list_driver(const tuff_device_list_t* list, uint32_t index, char* buffer, uint64_t capacity,
                                               uint64_t* out_length, tuff_error_t** out_error);
/* 32 hexadecimal digits. */
TUFF_API tuff_status_t tuff_device_list_uuid(const tuff_device_list_t* list, uint32_t index, char* buffer, uint64_t capacity,
                                             uint64_t* out_length, tuff_error_t** out_error);
/* Everything that the stages may know of the device: the text that tuff_device_describe reads. */
TUFF_API tuff_status_t tuff_device_list_text(const tuff_device_list_t* list, uint32_t index, char* buffer, uint64_t capacity,
                                             uint64_t* out_length, tuff_error_t** out_error);

typedef struct tuff_device_desc {
  uint32_t struct_size;
  int32_t allow_software; /* not 0: software drivers and the CPU may be chosen; they are slow */
  uint64_t selector_length;
  const char* selector;    /* an index of the list, a part of a name, a UUID or "cpu"; NULL: the best device */
  tuff_log_callback_t log; /* NULL: silence */
  void* log_user_data;
  const void* vulkan_allocator; /* the VkAllocationCallbacks for everything that Tuff asks Vulkan for, from any thread, kept
                                   alive until the last of what is made of the device is released; NULL: the driver's own */
  int32_t kernel_statistics; /* not 0: the driver, where it can, keeps what tuff_kernel_profile_t says of registers and spills;
                                drivers may then compile anew what they have in their caches */
} tuff_device_desc_t;
#define TUFF_DEVICE_DESC_INIT \
  { (uint32_t)sizeof(tuff_device_desc_t), 0, UINT64_MAX, 0, 0, 0, 0, 0 }

/* Opens a device. desc may be NULL. TUFF_INVALID_ARGUMENT if nothing matches the selector, TUFF_UNSUPPORTED if only
 * software matches and it is not allowed. */
TUFF_API tuff_status_t tuff_device_open(const tuff_device_desc_t* desc, tuff_device_t** out_device, tuff_error_t** out_error);
/* A device known from a text (tuff_device_list_text): programs can be made for it and printed, not run. `name` stands for
 * the text's source in messages; NULL will do. */
TUFF_API tuff_status_t tuff_device_describe(const char* text, uint64_t length, const char* name, uint64_t name_length,
                                            tuff_device_t** out_device, tuff_error_t** out_error);
/* One reference more, one less; the last release closes the device once nothing made of it is left. NULL is nothing. */
TUFF_API void tuff_device_retain(tuff_device_t* device);
TUFF_API void tuff_device_release(tuff_device_t* device);
/* What the device is; *out_info is filled as far as its struct_size says. */
TUFF_API tuff_status_t tuff_device_get_info(const tuff_device_t* device, tuff_device_info_t* out_info,
                                            tuff_error_t** out_error);
/* Its name, as the driver gives it. */
TUFF_API tuff_status_t tuff_device_name(const tuff_device_t* device, char* buffer, uint64_t capacity, uint64_t* out_length,
                                        tuff_error_t** out_error);
/* Driver name and version, one string. */
TUFF_API tuff_status_t tuff_device_driver(const tuff_device_t* device, char* buffer, uint64_t capacity, uint64_t* out_length,
                                          tuff_error_t** out_error);

/* ---- Buffers ------------------------------------------------------------------------------------------------------ */

/* Allocates device memory, in which tensors of sessions of this device may lie: so that one session's output is another's
 * input without a way through the host. Its bytes are undefined. TUFF_UNSUPPORTED for the CPU and for descriptions,
 * TUFF_LIMIT above the device's limits. */
TUFF_API tuff_status_t tuff_buffer_create(tuff_device_t* device, uint64_t size_bytes, tuff_buffer_t** out_buffer,
                                          tuff_error_t** out_error);
/* One reference more, one less. Sessions keep the buffers that are registered, runs those that they use. NULL is nothing. */
TUFF_API void tuff_buffer_retain(tuff_buffer_t* buffer);
TUFF_API void tuff_buffer_release(tuff_buffer_t* buffer);
/* What it was created with; 0 for NULL. */
TUFF_API uint64_t tuff_buffer_size_bytes(const tuff_buffer_t* buffer);
/* Copies size_bytes bytes of the host in or out, and waits until they are there. Ordered after what sessions of the device
 * have submitted where memory is not unified; else the caller waits for the runs that use the buffer first. */
TUFF_API tuff_status_t tuff_buffer_write(tuff_buffer_t* buffer, uint64_t offset_bytes, const void* data, uint64_t size_bytes,
                                         tuff_error_t** out_error);
TUFF_API tuff_status_t tuff_buffer_read(tuff_buffer_t* buffer, uint64_t offset_bytes, void* data, uint64_t size_bytes,
                                        tuff_error_t** out_error);

/* ---- Models ------------------------------------------------------------------------------------------------------- */

/* What is known of a named dimension of the model. */
typedef struct tuff_symbol_range {
  uint32_t struct_size;
  uint32_t divisor; /* every value is a multiple; 0 means 1 */
  int64_t min;      /* 0 means 1; -1 means 0: there may be none */
  int64_t max;      /* 0: no bound. min == max makes it that number */
  uint64_t name_length;
  const char* name; /* as the model's file has it */
} tuff_symbol_range_t;
#define TUFF_SYMBOL_RANGE_INIT \
  { (uint32_t)sizeof(tuff_symbol_range_t), 0, 0, 0, UINT64_MAX, 0 }

/* A shape instead of the one that the model's file gives an input. */
typedef struct tuff_input_shape {
  uint32_t struct_size;
  uint32_t rank;
  uint64_t name_length;
  const char* name;
  const int64_t* sizes; /* rank of them */
} tuff_input_shape_t;
#define TUFF_INPUT_SHAPE_INIT \
  { (uint32_t)sizeof(tuff_input_shape_t), 0, UINT64_MAX, 0, 0 }

/* The name of a value, or of a dimension. No desc: it does not grow. */
typedef struct tuff_value_name {
  uint64_t name_length;
  const char* name; /* as the model's file has it */
} tuff_value_name_t;
#define TUFF_VALUE_NAME_INIT \
  { UINT64_MAX, 0 }

typedef int32_t tuff_pixels_t;
enum {
  TUFF_PIXELS_RGB8 = 0,
  TUFF_PIXELS_BGR8 = 1,
  TUFF_PIXELS_RGBA8 = 2, /* alpha is left out for a tensor of 3 channels; of such an output it is 255 */
  TUFF_PIXELS_BGRA8 = 3,
  TUFF_PIXELS_GREY8 = 4,
  TUFF_PIXELS_NV12 = 5 /* rows of luma, then half as many of interleaved chroma, all equally long; inputs only */
};

/* How NV12 becomes RGB. Limited range has luma from 16 to 235, full range from 0 to 255. */
typedef int32_t tuff_yuv_t;
enum { TUFF_YUV_BT601 = 0, TUFF_YUV_BT601_FULL = 1, TUFF_YUV_BT709 = 2, TUFF_YUV_BT709_FULL = 3 };

typedef int32_t tuff_resize_t;
enum {
  TUFF_RESIZE_NONE = 0,
  TUFF_RESIZE_NEAREST = 1,
  TUFF_RESIZE_LINEAR = 2
}; /* pixel centres at halves; of nearest a tie goes down; no antialiasing */

/* Pixels in place of a float or u8 tensor [n, c, h, w] or [n, h, w, c] (n may be missing) of 1, 3 or 4 channels. The model then
 * has a u8 tensor of that name: [n, height, width, bytes a pixel], or [n, rows, bytes a row] for NV12 and where row_alignment
 * leaves gaps or may do so, the width being a symbol. The tensor's channels are red, green, blue and alpha, or grey, whatever
 * the pixels' order. An input's pixels are cropped, turned, resized to the tensor's size and become (pixel - mean) * scale,
 * pixels being 0 to 255; an output's are what that makes the tensor of, rounded to nearest even and held in 0 to 255. These
 * steps are nodes of the graph: they fuse into its kernels. Of an output only tensor, pixels, row_alignment, mean and scale
 * count; the others are TUFF_UNSUPPORTED. */
typedef struct tuff_image {
  uint32_t struct_size;
  tuff_direction_t direction;
  uint64_t tensor_length;
  int64_t width, height;           /* of the picture as it is stored, where it is cropped or resized; else the tensor says it.
                                      At most 32768. 0: the symbols "<tensor>.width" and "<tensor>.height", with '_' for what
                                      a symbol's name cannot have */
  int64_t crop_x, crop_y;          /* in pixels as they are stored, before they are turned */
  int64_t crop_width, crop_height; /* 0: all of the picture */
  const char* tensor;              /* its name in the model */
  tuff_pixels_t pixels;
  tuff_yuv_t yuv;         /* of TUFF_PIXELS_NV12 */
  uint32_t row_alignment; /* each row begins at a multiple of so many bytes; 0 means 1 */
  int32_t orientation;    /* as EXIF counts, 1 to 8; 0 means 1. 6: to be turned clockwise by 90 degrees, 8: counter-clockwise */
  tuff_resize_t resize;
  float mean[4];  /* by channel of the tensor, in steps of pixels: 127.5 is the middle */
  float scale[4]; /* all 0: 1/255, and 1 for a u8 tensor */
} tuff_image_t;
#define TUFF_IMAGE_INIT                                                                                             \
  {                                                                                                                 \
    (uint32_t)sizeof(tuff_image_t), 0, UINT64_MAX, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, {0, 0, 0, 0}, { 0, 0, 0, 0 } \
  }

typedef struct tuff_model_desc {
  uint32_t struct_size;
  int32_t borrow_memory; /* tuff_model_load_memory only. Not 0: the bytes are not copied; they stay as they are until the
                            model and every program made of it are released */
  uint32_t symbol_count;
  uint32_t input_shape_count;
  const tuff_symbol_range_t* symbols;
  const tuff_input_shape_t* input_shapes;
  uint64_t output_count; /* 0: the model's own outputs */
  /* Any values of the model instead of its outputs; what none of them needs is not computed. TUFF_INVALID_ARGUMENT for a
   * name that is no value, or that comes twice. */
  const tuff_value_name_t* outputs;
  /* Inputs and outputs that are pixels. TUFF_INVALID_ARGUMENT where the model has none of that name, or its shape or size
   * does not fit. */
  const tuff_image_t* images;
  uint64_t image_count;
} tuff_model_desc_t;
#define TUFF_MODEL_DESC_INIT \
  { (uint32_t)sizeof(tuff_model_desc_t), 0, 0, 0, 0, 0, 0, 0, 0, 0 }

/* Loads a model. The file stays mapped, unread until needed, while the model or a program of it lives. desc may be NULL.
 * TUFF_IO, TUFF_CORRUPT, TUFF_LIMIT, or TUFF_UNSUPPORTED with a line for each node that Tuff cannot run. */
TUFF_API tuff_status_t tuff_model_load_file(const char* path, uint64_t path_length, const tuff_model_desc_t* desc,
                                            tuff_model_t** out_model, tuff_error_t** out_error);
/* The same from memory: `size_bytes` bytes at `data`. `name` stands for the file in messages; NULL will do. A model that
 * keeps its weights in other files is refused. */
TUFF_API tuff_status_t tuff_model_load_memory(const void* data, uint64_t size_bytes, const char* name, uint64_t name_length,
                                              const tuff_model_desc_t* desc, tuff_model_t** out_model,
                                              tuff_error_t** out_error);
/* One reference more, one less. Programs keep what they need of a model. NULL is nothing. */
TUFF_API void tuff_model_retain(tuff_model_t* model);
TUFF_API void tuff_model_release(tuff_model_t* model);

/* Nanoseconds that loading took. */
TUFF_API uint64_t tuff_model_load_time_ns(const tuff_model_t* model);
/* How many inputs or outputs; 0 for a direction that is none. */
TUFF_API uint32_t tuff_model_tensor_count(const tuff_model_t* model, tuff_direction_t direction);
/* The name of the index-th input or output, as in the model's file. */
TUFF_API tuff_status_t tuff_model_tensor_name(const tuff_model_t* model, tuff_direction_t direction, uint32_t index,
                                              char* buffer, uint64_t capacity, uint64_t* out_length, tuff_error_t** out_error);
/* dtype and rank; either out pointer may be NULL. */
TUFF_API tuff_status_t tuff_model_tensor_type(const tuff_model_t* model, tuff_direction_t direction, uint32_t index,
                                              tuff_dtype_t* out_dtype, uint32_t* out_rank, tuff_error_t** out_error);
/* One axis: its size as text, "224" or "2*height", and *out_size, which is -1 where the size has symbols. */
TUFF_API tuff_status_t tuff_model_tensor_axis(const tuff_model_t* model, tuff_direction_t direction, uint32_t index,
                                              uint32_t axis, int64_t* out_size, char* buffer, uint64_t capacity,
                                              uint64_t* out_length, tuff_error_t** out_error);
/* How many values the model computes that have names, in the order in which it does: what tuff_model_desc_t::outputs may
 * name, beside its outputs' own names. Does not depend on which were chosen. 0 for NULL. */
TUFF_API uint64_t tuff_model_value_count(const tuff_model_t* model);
/* The name of the index-th of them. */
TUFF_API tuff_status_t tuff_model_value_name(const tuff_model_t* model, uint64_t index, char* buffer, uint64_t capacity,
                                             uint64_t* out_length, tuff_error_t** out_error);
/* The names of the model's nodes that it comes from, separated by ", ". */
TUFF_API tuff_status_t tuff_model_value_nodes(const tuff_model_t* model, uint64_t index, char* buffer, uint64_t capacity,
                                              uint64_t* out_length, tuff_error_t** out_error);
/* The model's symbols: what its inputs' sizes may be expressed in. */
TUFF_API uint32_t tuff_model_symbol_count(const tuff_model_t* model);
/* A symbol's name, and its range as a tuff_symbol_range_t whose name is left NULL; out_range may be NULL. */
TUFF_API tuff_status_t tuff_model_symbol(const tuff_model_t* model, uint32_t index, tuff_symbol_range_t* out_range,
                                         char* buffer, uint64_t capacity, uint64_t* out_length, tuff_error_t** out_error);
/* TUFF_STAGE_GRAPH as text; for later stages see tuff_program_print. */
TUFF_API tuff_status_t tuff_model_print(const tuff_model_t* model, tuff_stage_t stage, tuff_format_t format, char* buffer,
                                        uint64_t capacity, uint64_t* out_length, tuff_error_t** out_error);

/* ---- Programs ----------------------------------------------------------------------------------------------------- */

/* Called before each stage of compiling with its name, "simplify", "plan", "codegen", ... */
typedef void (*tuff_progress_callback_t)(const char* stage, uint64_t length, void* user_data);
/* Called after each kernel of the stages "codegen" and "pipelines", on the thread that made it but never by two at once; done
 * grows from 1 to total. Kernels of the same words are one pipeline. */
typedef void (*tuff_kernel_progress_callback_t)(uint32_t done, uint32_t total, void* user_data);

/* One of the pieces of a compile that do not depend on each other. Any thread may call it. */
typedef void (*tuff_task_callback_t)(uint32_t index, void* task_data);
/* Lends threads: calls task(i, task_data) once for each i below count, in any order and at once on as many threads as the host
 * likes, and returns when all of these calls have ended. What comes out does not depend on the threads. */
typedef void (*tuff_parallel_for_callback_t)(uint32_t count, tuff_task_callback_t task, void* task_data, void* user_data);

/* Takes the bytes of an entry of a cache, which are copied. */
typedef void (*tuff_cache_give_callback_t)(const void* data, uint64_t size_bytes, void* give_data);
/* Calls give(data, size_bytes, give_data) once with what was stored under this key, or does nothing where nothing was. The key
 * is ASCII that serves as a file's name. Bytes that are damaged, of another version, another device or another driver are
 * told from good ones before they are used, and cost speed only. */
typedef void (*tuff_cache_load_callback_t)(const char* key, uint64_t key_length, tuff_cache_give_callback_t give,
                                           void* give_data, void* user_data);
/* Keeps size_bytes bytes at data, which are valid during the call, under the key, in the place of those that were there. */
typedef void (*tuff_cache_store_callback_t)(const char* key, uint64_t key_length, const void* data, uint64_t size_bytes,
                                            void* user_data);

/* A token ends the compiles that it was given to, from any thread: they answer TUFF_CANCELLED before they begin their next
 * kernel. What was compiled by then stays in the cache. */
TUFF_API tuff_status_t tuff_cancel_token_create(tuff_cancel_token_t** out_token, tuff_error_t** out_error);
/* Cancels for good: a compile that is given the token later ends, too. NULL is nothing. */
TUFF_API void tuff_cancel_token_cancel(tuff_cancel_token_t* token);
/* One reference more, one less. NULL is nothing. */
TUFF_API void tuff_cancel_token_retain(tuff_cancel_token_t* token);
TUFF_API void tuff_cancel_token_release(tuff_cancel_token_t* token);

typedef struct tuff_program_desc {
  uint32_t struct_size;
  int32_t exact;   /* not 0: the same bits on every device (and slower) */
  int32_t no_fuse; /* not 0: one kernel an operator, to compare with */
  tuff_precision_t precision;
  uint64_t cache_dir_length;
  uint64_t observations_length;
  const char* cache_dir;             /* where modules and driver blobs are kept; NULL: nowhere. Damage there costs speed
                                        only; it is made if it is missing */
  const char* observations;          /* what tuning learnt on such a device, as text (tuff tune); NULL: nothing. A schedule
                                        that does not fit is not taken, as TUFF_STAGE_EXPLAIN says */
  tuff_progress_callback_t progress; /* NULL: silence */
  void* progress_user_data;          /* of kernel_progress, too */
  tuff_kernel_progress_callback_t kernel_progress; /* NULL: silence */
  tuff_parallel_for_callback_t parallel_for;       /* NULL: the thread that made the call compiles */
  void* parallel_for_user_data;
  /* Instead of cache_dir, where the host itself keeps the bytes: in a saved game, in a phone's storage. Either may be NULL.
   * They are called on the threads that compile, but never by two at once. */
  tuff_cache_load_callback_t cache_load;
  tuff_cache_store_callback_t cache_store;
  void* cache_user_data;
  tuff_cancel_token_t* cancel_token; /* the caller's, alive during the call. NULL: nothing cancels it */
} tuff_program_desc_t;
#define TUFF_PROGRAM_DESC_INIT \
  { (uint32_t)sizeof(tuff_program_desc_t), 0, 0, 0, UINT64_MAX, UINT64_MAX, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }

/* Compiles a model for a device and uploads its weights. desc may be NULL. TUFF_CANCELLED by its cancel_token. */
TUFF_API tuff_status_t tuff_program_create(tuff_device_t* device, tuff_model_t* model, const tuff_program_desc_t* desc,
                                           tuff_program_t** out_program, tuff_error_t** out_error);
/* One reference more, one less. Sessions keep their program. NULL is nothing. */
TUFF_API void tuff_program_retain(tuff_program_t* program);
TUFF_API void tuff_program_release(tuff_program_t* program);

typedef struct tuff_program_info {
  uint32_t struct_size;
  uint32_t kernel_count;
  uint32_t step_count;
  uint32_t stage_count; /* of tuff_program_stage_time */
  uint64_t weight_bytes;
  uint64_t compile_ns; /* the sum of all stages */
  int32_t exact;       /* not 0: the same bits on every device */
} tuff_program_info_t;
#define TUFF_PROGRAM_INFO_INIT \
  { (uint32_t)sizeof(tuff_program_info_t), 0, 0, 0, 0, 0, 0 }

/* What was made of the model; *out_info is filled as far as its struct_size says. */
TUFF_API tuff_status_t tuff_program_get_info(const tuff_program_t* program, tuff_program_info_t* out_info,
                                             tuff_error_t** out_error);
/* The name of the index-th stage that made the program, and the nanoseconds that it took; out_time_ns may be NULL. */
TUFF_API tuff_status_t tuff_program_stage_time(const tuff_program_t* program, uint32_t index, uint64_t* out_time_ns,
                                               char* buffer, uint64_t capacity, uint64_t* out_length, tuff_error_t** out_error);

/* The graph that the program runs, as a model: names, types, shapes and symbols of its inputs and outputs are those of the
 * model that it was made of, whichever way it was made. Values in between are those that are left after simplifying. The model
 * lives on without the program. */
TUFF_API tuff_status_t tuff_program_model(const tuff_program_t* program, tuff_model_t** out_model, tuff_error_t** out_error);

/* A value for one of the model's symbols. No desc: it does not grow. */
typedef struct tuff_symbol_value {
  int64_t value;
  uint64_t name_length;
  const char* name;
} tuff_symbol_value_t;
#define TUFF_SYMBOL_VALUE_INIT \
  { 0, UINT64_MAX, 0 }

typedef struct tuff_print_desc {
  uint32_t struct_size;
  tuff_stage_t stage;
  tuff_format_t format; /* JSON: of the plan and bound stages only */
  uint32_t symbol_count;
  const tuff_symbol_value_t* symbols; /* what TUFF_STAGE_BOUND is for; a plan's JSON has sizes where they are complete */
} tuff_print_desc_t;
#define TUFF_PRINT_DESC_INIT \
  { (uint32_t)sizeof(tuff_print_desc_t), 0, 0, 0, 0 }

/* Any stage of a compile for a device, as text. Runs the stages up to it; no driver is asked, so the device may be a
 * description. program_desc and print_desc may be NULL. */
TUFF_API tuff_status_t tuff_program_print(const tuff_device_t* device, const tuff_model_t* model,
                                          const tuff_program_desc_t* program_desc, const tuff_print_desc_t* print_desc,
                                          char* buffer, uint64_t capacity, uint64_t* out_length, tuff_error_t** out_error);
/* A stage of a program that is made, as text, without compiling: the plan, the bound plan, and the graph that it runs, which
 * stands for TUFF_STAGE_GRAPH and TUFF_STAGE_SIMPLIFIED. TUFF_UNSUPPORTED for stages that a program does not keep, and for the
 * plan of a program of the CPU, which has none. desc may be NULL. */
TUFF_API tuff_status_t tuff_program_text(const tuff_program_t* program, const tuff_print_desc_t* desc, char* buffer,
                                         uint64_t capacity, uint64_t* out_length, tuff_error_t** out_error);

/* ---- Artifacts ---------------------------------------------------------------------------------------------------- */

/* An artifact (.tuff) is a model compiled ahead: its graph, its weights once, and a plan with its modules for each of some
 * devices and for any other with Vulkan 1.1's guaranteed limits. The same inputs give the same bytes. */

/* Compiles a model for device_count devices, opened or described (the CPU is no device to compile for), and writes the
 * artifact to a file, which is replaced as a whole or left as it was. With no devices it has the fallback alone; with some,
 * a model that the fallback cannot run does without it. desc may be NULL. TUFF_IO where the file cannot be written. */
TUFF_API tuff_status_t tuff_artifact_write_file(const tuff_model_t* model, tuff_device_t* const* devices, uint32_t device_count,
                                                const tuff_program_desc_t* desc, const char* path, uint64_t path_length,
                                                tuff_error_t** out_error);

/* Makes a program of an artifact without compiling, and uploads its weights. It takes the plan for a device with the same
 * facts, else the first whose needs this device meets, the fallback last; the CPU takes the graph. For a description the
 * program can be printed, not run. Of desc, which may be NULL, what is said of caches, progress, threads and cancelling counts;
 * the artifact says what is exact. The file is mapped while the program lives: it must not be changed, only replaced.
 * TUFF_UNSUPPORTED for an artifact of another format or numerics version, and for a device that no plan fits; TUFF_CORRUPT for
 * bytes that are no whole artifact; TUFF_IO where there is no file.
 *
 * A hash guards against damage, not against malice: modules are code for the driver. Load artifacts of those whose programs
 * you would run. */
TUFF_API tuff_status_t tuff_program_load_file(tuff_device_t* device, const char* path, uint64_t path_length,
                                              const tuff_program_desc_t* desc, tuff_program_t** out_program,
                                              tuff_error_t** out_error);
/* The same from size_bytes bytes at data, which are copied. */
TUFF_API tuff_status_t tuff_program_load_memory(tuff_device_t* device, const void* data, uint64_t size_bytes,
                                                const tuff_program_desc_t* desc, tuff_program_t** out_program,
                                                tuff_error_t** out_error);

/* ---- Sessions ----------------------------------------------------------------------------------------------------- */

typedef struct tuff_session_desc {
  uint32_t struct_size;
  int32_t timestamps;            /* not 0: time each dispatch on the device */
  uint64_t prepared_shape_count; /* how many are kept; 0 means 4 */
  uint64_t memory_limit_bytes;   /* for one shape's buffers, weights not counted; 0: what the device has */
  uint32_t in_flight_count;      /* runs at the same time; each has inputs and outputs of its own. 0 means 1 */
  int32_t cancellable;           /* not 0: tuff_run_cancel stops the device between two kernels; a little dearer a kernel */
  /* How long one submit may keep the device, for drivers whose watchdog resets a GPU that one job keeps for too long (0.5 to 2
   * s on phones and desktops, 10 s on some systems): a quarter of that leaves room for a slower clock. A run is then several
   * submits, split between kernels, made together and in order. The first run of a shape is split by predicted times,
   * cautiously, and timed on the device; the second one records the commands once more, split by those times, as does the next
   * run with each set of registered buffers (tuff_session_prepare and tuff_session_register do it ahead). Without timestamps
   * the prediction stays. A kernel that takes longer than the limit is a submit of its own, and is told to the log. Copies are
   * not counted, and what tuff_session_record writes is not split. State that is updated in place is undefined after a submit
   * that failed half-way, until it is reset or loaded. 0: one submit a run */
  uint64_t submit_time_limit_ns;
  /* Dimensions (the model's symbols) whose sizes change from run to run: how far a text has got, how many pictures there are.
   * What is prepared then serves all their sizes: its buffers are as large as the largest sizes need (each has to have an upper
   * bound, tuff_symbol_range_t::max), kernels are those that serve every size, and a run of other sizes is told them: it does
   * not record, allocate or compile. Tensors keep the shapes of their run, row-major without gaps; those in device memory have
   * room for the largest. An input that a run does not bring has to have been written in its current shape, or not at all.
   * With submit_time_limit_ns runs stay split by what is predicted for the largest sizes. tuff_session_record is
   * TUFF_UNSUPPORTED. The names are copied. Names that the model does not have, and dimensions without an upper bound, are
   * TUFF_INVALID_ARGUMENT */
  uint64_t dynamic_dimension_count;
  const tuff_value_name_t* dynamic_dimensions;
} tuff_session_desc_t;
#define TUFF_SESSION_DESC_INIT \
  { (uint32_t)sizeof(tuff_session_desc_t), 0, 0, 0, 0, 0, 0, 0, 0 }

/* A tensor in the caller's memory, which stays alive until the run that it was given to has ended. In device memory it is
 * row-major without gaps, and as many bytes are there as its elements have, rounded up to a multiple of 4, at least 16: kernels
 * read and write whole words. */
typedef struct tuff_tensor_desc {
  uint32_t struct_size;
  tuff_dtype_t dtype; /* as the model says */
  tuff_memory_t memory;
  uint32_t rank;               /* of shape and byte_strides */
  uint64_t offset_bytes;       /* of the first element, from data or in the buffer */
  uint64_t size_bytes;         /* of the memory at data, or of the VkBuffer; no element may lie outside */
  const int64_t* shape;        /* rank sizes. NULL: the session's prepared shape, or the model's where it has no symbols */
  const int64_t* byte_strides; /* rank strides, of any sign. NULL: row-major without gaps */
  void* data;                  /* of TUFF_MEMORY_HOST. Of an input it is only read. NULL with size_bytes 0: no elements; or an
                                  input that stays as it was written last, an output that is not copied */
  tuff_buffer_t* buffer;       /* of TUFF_MEMORY_DEVICE */
  uint64_t vk_buffer;          /* of TUFF_MEMORY_VULKAN: the VkBuffer */
} tuff_tensor_desc_t;
#define TUFF_TENSOR_DESC_INIT \
  { (uint32_t)sizeof(tuff_tensor_desc_t), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }

/* A session for a program. Allocates nothing on the device yet. desc may be NULL. TUFF_UNSUPPORTED if the program's device
 * is a description. */
TUFF_API tuff_status_t tuff_session_create(tuff_program_t* program, const tuff_session_desc_t* desc,
                                           tuff_session_t** out_session, tuff_error_t** out_error);
/* One reference more, one less. Runs keep their session; the last release waits for one that is in flight. NULL is
 * nothing. */
TUFF_API void tuff_session_retain(tuff_session_t* session);
TUFF_API void tuff_session_release(tuff_session_t* session);

/* After TUFF_DEVICE_LOST: the session goes on with `program`, which the host has made anew of the same model or artifact, with
 * the same desc, on a device made anew: tuff_device_open opens one of Tuff's own again; of a device that it lent, the host
 * makes a new VkDevice and lends that. One program serves all sessions of the lost one. The session keeps its options and what
 * was made state, and the shape that was current is prepared; runs then give the bits that they gave before. State begins from
 * zeros, or from what was saved (tuff_session_load_state); inputs are written and buffers registered anew. Runs of before
 * answer TUFF_DEVICE_LOST. TUFF_INVALID_ARGUMENT for a program with other inputs or outputs; after a failure the session is as
 * it was. */
TUFF_API tuff_status_t tuff_session_recover(tuff_session_t* session, tuff_program_t* program, tuff_error_t** out_error);

/* Makes an output and an input state: the next run reads what this one wrote, from zeros on. KV caches, recurrent networks
 * and video are this. Both have the same dtype and shape, without symbols; the host neither writes the one nor reads the other
 * (their descs have no data). Where no kernel reads an element of the input after one has written it as the output's, and
 * the session is not cancellable, both are one buffer; else two take turns, so that a run that is cancelled leaves the state as
 * it was. Before the first prepare or run.
 *
 * State may grow: the output is longer than the input along one axis, on which the input's size is a dynamic dimension of the
 * session (tuff_session_desc_t) and the output's the same dimension and more; the other axes have no symbols. The state then
 * has room for the dimension's largest size: one buffer, to which a run adds, where the axis is the outermost one (but for
 * those of size 1) and the model makes the output by a Concat of the input and what is new; else two. The session knows the
 * dimension's size: the least one at first, after each run what it added to it; tuff_session_reset_state begins anew, saved
 * state brings its size, a cancelled run adds nothing. What a host says of this dimension, by a symbol's value or in the shape
 * of such an input, is not read; tuff_session_tensor_shape tells what the next run begins with. A run that would make it larger
 * than its range allows is TUFF_LIMIT, and changes nothing.
 *
 * TUFF_UNSUPPORTED on the CPU, and for sessions that are cancellable with more than one run in flight. */
TUFF_API tuff_status_t tuff_session_alias(tuff_session_t* session, uint32_t output, uint32_t input, tuff_error_t** out_error);
/* All state to zeros. TUFF_BUSY while a run is in flight. */
TUFF_API tuff_status_t tuff_session_reset_state(tuff_session_t* session, tuff_error_t** out_error);
/* All state as bytes that tuff_session_load_state takes, on any device: *out_size_bytes of them, into `data` if `capacity`
 * suffices; NULL and 0 ask for the size alone. TUFF_BUSY while a run is in flight. */
TUFF_API tuff_status_t tuff_session_save_state(tuff_session_t* session, void* data, uint64_t capacity, uint64_t* out_size_bytes,
                                               tuff_error_t** out_error);
/* TUFF_CORRUPT for bytes that are damaged or no state, TUFF_INVALID_ARGUMENT for those of other tensors; either way the state
 * stays as it was. */
TUFF_API tuff_status_t tuff_session_load_state(tuff_session_t* session, const void* data, uint64_t size_bytes,
                                               tuff_error_t** out_error);

/* Makes one set of sizes current: allocates its buffers and records its commands, once; a run of a prepared shape does
 * neither, nor does it compile (only the second one records, where tuff_session_desc_t::submit_time_limit_ns is set). Sets that
 * differ in dynamic dimensions alone (tuff_session_desc_t) are one prepared shape. `symbols` gives the model's symbols; none
 * are needed for a model without. Sizes outside a symbol's range are TUFF_INVALID_ARGUMENT; buffers beyond the session's limit
 * TUFF_OUT_OF_MEMORY. */
TUFF_API tuff_status_t tuff_session_prepare(tuff_session_t* session, const tuff_symbol_value_t* symbols, uint32_t symbol_count,
                                            tuff_error_t** out_error);

/* The same with sizes taken from the shapes of all inputs; their data is not read and may be NULL with any size_bytes. */
TUFF_API tuff_status_t tuff_session_prepare_inputs(tuff_session_t* session, const tuff_tensor_desc_t* inputs,
                                                   uint32_t input_count, tuff_error_t** out_error);

/* Prepares for inputs and outputs that lie in the caller's device memory, once for each element of a ring of buffers: runs
 * that are given the same buffers and offsets then neither record nor write a descriptor. `inputs` and `outputs`: all of the
 * model's, in order; those in host memory come with each run. The buffers stay with the session until it is released, or
 * until tuff_session_unregister; a VkBuffer is not destroyed before. */
TUFF_API tuff_status_t tuff_session_register(tuff_session_t* session, const tuff_tensor_desc_t* inputs, uint32_t input_count,
                                             const tuff_tensor_desc_t* outputs, uint32_t output_count,
                                             tuff_error_t** out_error);
/* Lets go of all registered buffers, of all shapes. TUFF_BUSY while a run is in flight. */
TUFF_API tuff_status_t tuff_session_unregister(tuff_session_t* session, tuff_error_t** out_error);

/* What the current shape costs; with dynamic dimensions, what all their sizes do. */
typedef struct tuff_session_info {
  uint32_t struct_size;
  uint32_t dispatch_count; /* those that have nothing to compute at these sizes count where other sizes give them some */
  uint32_t barrier_count;
  uint32_t submit_count; /* of the next run: 1, unless the session limits their time. 0 on the CPU */
  uint64_t arena_bytes;  /* what intermediate values share */
  uint64_t buffer_bytes; /* arena, inputs, outputs, parameters and staging */
  /* What the device has done since it was opened, for all its sessions. */
  uint64_t device_submits;
  uint64_t device_recordings;
  uint64_t device_allocations;
  uint64_t device_descriptor_writes;
  uint64_t device_pipelines;
  uint64_t state_bytes; /* of what tuff_session_alias made state: one buffer each where a run updates it in place, else two */
} tuff_session_info_t;
#define TUFF_SESSION_INFO_INIT \
  { (uint32_t)sizeof(tuff_session_info_t), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }

/* TUFF_INVALID_ARGUMENT before the first prepare or run. */
TUFF_API tuff_status_t tuff_session_get_info(tuff_session_t* session, tuff_session_info_t* out_info, tuff_error_t** out_error);
/* The current shape of an input or output: *out_rank, and up to `capacity` sizes into `sizes` (may be NULL with 0). */
TUFF_API tuff_status_t tuff_session_tensor_shape(tuff_session_t* session, tuff_direction_t direction, uint32_t index,
                                                 int64_t* sizes, uint32_t capacity, uint32_t* out_rank,
                                                 tuff_error_t** out_error);

/* Copies an input of the current shape in, ahead of a run without inputs; it stays for later runs of this shape, and of other
 * sizes of dynamic dimensions that leave the input's own shape as it is.
 * TUFF_BUSY while as many runs are in flight as may be. */
TUFF_API tuff_status_t tuff_session_set_input(tuff_session_t* session, uint32_t index, const tuff_tensor_desc_t* input,
                                              tuff_error_t** out_error);
/* The shape of an output of the run that ended last, as tuff_session_tensor_shape gives it. The data decide the size of some
 * (NonZero, Compress and what reads those): their current shape is the largest that they can have, which is what a run's descs
 * and device memory hold, undefined beyond the size; and an output of the name with ".size" at its end, after all of the
 * model's, says how many there are (TUFF_I32, rank 0), for kernels of the host's, too. *out_rank, which may be NULL, and up to
 * `capacity` sizes into `sizes` (may be NULL with 0). TUFF_INVALID_ARGUMENT before a run has ended, and where the size went to
 * the caller's device memory; TUFF_BUSY where none has and one is in flight. */
TUFF_API tuff_status_t tuff_session_output_shape(tuff_session_t* session, uint32_t index, int64_t* sizes, uint32_t capacity,
                                                 uint32_t* out_rank, tuff_error_t** out_error);
/* Copies an output of the run that ended last out, of the shape that tuff_session_output_shape gives or of its current shape,
 * as long as no later run has taken its memory (with one run in flight: until the next submit). TUFF_BUSY where there is none
 * yet and one is in flight. */
TUFF_API tuff_status_t tuff_session_read_output(tuff_session_t* session, uint32_t index, const tuff_tensor_desc_t* output,
                                                tuff_error_t** out_error);

/* Runs and waits. `inputs`: all of the model's, in order; their shapes choose the current shape, which is prepared if it was
 * not. Or NULL and 0: those that were written last. `outputs`: the first output_count outputs; those in host memory are copied
 * out. Tensors in device memory that were not registered are recorded for this run alone. TUFF_BUSY while as many runs are in
 * flight as may be. */
TUFF_API tuff_status_t tuff_session_run(tuff_session_t* session, const tuff_tensor_desc_t* inputs, uint32_t input_count,
                                        const tuff_tensor_desc_t* outputs, uint32_t output_count, tuff_error_t** out_error);
/* A semaphore of the host's, of the API that the session's device is of. No desc: it does not grow. */
typedef struct tuff_semaphore_use {
  uint64_t handle; /* the VkSemaphore */
  uint64_t value;  /* of a timeline semaphore; 0: a binary one */
} tuff_semaphore_use_t;

typedef struct tuff_run_desc {
  uint32_t struct_size;
  uint32_t input_count;
  uint32_t output_count;
  uint32_t wait_count;
  uint32_t signal_count;
  const tuff_tensor_desc_t* inputs;
  const tuff_tensor_desc_t* outputs;
  const tuff_semaphore_use_t* waits;   /* the device begins once these are signalled; TUFF_UNSUPPORTED on the CPU */
  const tuff_semaphore_use_t* signals; /* signalled by the device at the end */
} tuff_run_desc_t;
#define TUFF_RUN_DESC_INIT \
  { (uint32_t)sizeof(tuff_run_desc_t), 0, 0, 0, 0, 0, 0, 0, 0 }

/* Starts a run like tuff_session_run and returns at once; inputs have been copied, outputs in host memory are copied by the
 * wait that sees the end. desc may be NULL. TUFF_BUSY while as many runs are in flight as may be: a run counts until it is
 * waited for to its end, or released and over. */
TUFF_API tuff_status_t tuff_session_submit(tuff_session_t* session, const tuff_run_desc_t* desc, tuff_run_t** out_run,
                                           tuff_error_t** out_error);
/* Waits at most timeout_ns (0 polls), sleeping. *out_finished, which may be NULL, is 1 if the run has ended, else 0; a
 * timeout is no error. The status of a run that failed, or TUFF_CANCELLED, is given by each wait. */
TUFF_API tuff_status_t tuff_run_wait(tuff_run_t* run, uint64_t timeout_ns, int32_t* out_finished, tuff_error_t** out_error);
/* Gives a run up: a wait for it ends with TUFF_CANCELLED and copies no outputs, and the session can go on. Returns at once. In
 * a cancellable session the device stops before the next kernel that it has not begun; else it computes to the end. What a
 * cancelled run wrote to the caller's device memory is undefined. A run that was waited for to its end stays as it is. */
TUFF_API tuff_status_t tuff_run_cancel(tuff_run_t* run, tuff_error_t** out_error);
/* Ends the handle, which is not counted; NULL is nothing. A run that has not ended goes on, and counts as in flight until it
 * has; its outputs are not copied. */
TUFF_API void tuff_run_release(tuff_run_t* run);

/* What a run may differ from the truth by, element by element: Tuff's published bounds of fast mode (sums by the number of
 * their terms, functions by their ULPs, each rounding once), worked out on the CPU with the truth in doubles. `inputs` and
 * `outputs`: all that one run of the program took and gave, in host memory, row-major, with shapes. `truths` and `bounds`: as
 * many TUFF_F64 tensors of the outputs' shapes, to be written. An output that is computed from other outputs is held against
 * what follows from those as the run gave them. So with every value an output (tuff_model_desc_t::outputs) each bound is of a
 * few operations; of a deep network's last output alone it is wider than any error. Infinite: nothing is promised, as where
 * rounding tips a comparison. `symbols`: those that the shapes leave open; may be NULL with 0. TUFF_UNSUPPORTED without a
 * compiler. */
TUFF_API tuff_status_t tuff_program_error_bounds(const tuff_program_t* program, const tuff_tensor_desc_t* inputs,
                                                 uint32_t input_count, const tuff_symbol_value_t* symbols,
                                                 uint32_t symbol_count, const tuff_tensor_desc_t* outputs,
                                                 const tuff_tensor_desc_t* truths, const tuff_tensor_desc_t* bounds,
                                                 uint32_t output_count, tuff_error_t** out_error);

/* After a finished run of a session with timestamps: *out_count, and up to `capacity` device times in nanoseconds, one a
 * dispatch in order. *out_count is 0 where the device has no timestamps. */
TUFF_API tuff_status_t tuff_session_dispatch_times(tuff_session_t* session, uint64_t* times_ns, uint32_t capacity,
                                                   uint32_t* out_count, tuff_error_t** out_error);

/* ---- Profiles ----------------------------------------------------------------------------------------------------- */

/* Where the time of a run goes, kernel by kernel, beside what the cost model says of each: launch + max(memory, arithmetic),
 * bytes and operations at the device's rates. A bound is the largest of the three terms, whatever was measured. */
typedef int32_t tuff_bound_t;
enum { TUFF_BOUND_MEMORY = 0, TUFF_BOUND_ARITHMETIC = 1, TUFF_BOUND_LAUNCH = 2 };

typedef struct tuff_profile_desc {
  uint32_t struct_size;
  uint32_t run_count;    /* that are timed, at most 1000000; 0 means 1 */
  uint32_t warmup_count; /* that go before them, at most 1000000 */
  int32_t host_clock;    /* not 0: not by the device's timestamps, though it has them */
} tuff_profile_desc_t;
#define TUFF_PROFILE_DESC_INIT \
  { (uint32_t)sizeof(tuff_profile_desc_t), 0, 0, 0 }

/* Runs the session's current shape, with the inputs that were written last into the session's own memory, and times each
 * kernel: by timestamps of the device around it; where the device has none, or the desc says so, by the host's clock, each
 * kernel being a submit of its own, which adds the time of a submit to each. Records commands for this, which go at the end:
 * other runs are as they were, and time nothing. Returns after the last run; tuff_session_read_output has its outputs. State is
 * as it was before, or undefined where this fails. What others do on the device at the same time is in the times, too. desc may
 * be NULL. TUFF_INVALID_ARGUMENT before the first prepare or run; TUFF_BUSY while a run is in flight; TUFF_LIMIT for more runs
 * than may be; TUFF_UNSUPPORTED on the CPU, and where no kernel runs. */
TUFF_API tuff_status_t tuff_session_profile(tuff_session_t* session, const tuff_profile_desc_t* desc,
                                            tuff_profile_t** out_profile, tuff_error_t** out_error);
/* One reference more, one less. A profile does not change, and keeps its program. NULL is nothing. */
TUFF_API void tuff_profile_retain(tuff_profile_t* profile);
TUFF_API void tuff_profile_release(tuff_profile_t* profile);

typedef struct tuff_profile_info {
  uint32_t struct_size;
  uint32_t kernel_count; /* that a run starts, one a step of the plan; what has no elements does not run */
  uint32_t run_count;
  int32_t host_clock;       /* not 0: kernels were submits of their own, by the host's clock */
  uint64_t run_time_ns;     /* of the host: from a run's first submit to its end. The median */
  uint64_t kernels_time_ns; /* of all kernels of a run together. The median */
  /* The rates that the cost model has of the device. */
  uint64_t memory_bytes_per_second;
  uint64_t flops_per_second; /* f32, 2 a multiply-add */
  uint64_t launch_time_ns;   /* a kernel and its barrier */
} tuff_profile_info_t;
#define TUFF_PROFILE_INFO_INIT \
  { (uint32_t)sizeof(tuff_profile_info_t), 0, 0, 0, 0, 0, 0, 0, 0 }

/* *out_info is filled as far as its struct_size says. */
TUFF_API tuff_status_t tuff_profile_get_info(const tuff_profile_t* profile, tuff_profile_info_t* out_info,
                                             tuff_error_t** out_error);

typedef struct tuff_kernel_profile {
  uint32_t struct_size;
  tuff_bound_t bound;
  uint32_t step;    /* of TUFF_STAGE_PLAN, from 0 */
  uint32_t kernel;  /* of TUFF_STAGE_KERNELS, from 0 */
  uint64_t time_ns; /* the median over the runs */
  uint64_t min_time_ns;
  uint64_t max_time_ns;
  uint64_t predicted_time_ns; /* by the cost model */
  /* What the kernel has to move and to compute at these sizes, whatever its caches and its tiles make of it. */
  uint64_t bytes_read; /* each value once, weights among them */
  uint64_t bytes_written;
  uint64_t flops; /* 2 a multiply-add, and 2 each other instruction, which takes as long; sums and maps that are fused into a
                     product's kernel are not counted */
  /* What the driver says of its machine code, in its own units; -1 where it does not, or tuff_device_desc_t::kernel_statistics
   * did not ask: what 'compiled "KEY" "SCHEDULE" registers N spills N occupancy N shared_bytes N' says in observations. */
  int64_t registers;
  int64_t spills;       /* of registers to memory */
  int64_t occupancy;    /* subgroups that a core runs at a time; of Intel, lanes a thread */
  int64_t shared_bytes; /* a workgroup */
} tuff_kernel_profile_t;
#define TUFF_KERNEL_PROFILE_INIT \
  { (uint32_t)sizeof(tuff_kernel_profile_t), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1, -1, -1, -1 }

/* The index-th kernel in run order; *out_kernel is filled as far as its struct_size says. */
TUFF_API tuff_status_t tuff_profile_kernel(const tuff_profile_t* profile, uint32_t index, tuff_kernel_profile_t* out_kernel,
                                           tuff_error_t** out_error);
/* Its time in each run, in nanoseconds: *out_count, and up to `capacity` of them into `times_ns` (may be NULL with 0). */
TUFF_API tuff_status_t tuff_profile_kernel_times(const tuff_profile_t* profile, uint32_t index, uint64_t* times_ns,
                                                 uint32_t capacity, uint32_t* out_count, tuff_error_t** out_error);

typedef int32_t tuff_kernel_text_t;
enum {
  TUFF_KERNEL_NAME = 0,       /* unique in its program */
  TUFF_KERNEL_NODES = 1,      /* the names of the model's nodes that it comes from, separated by ", " */
  TUFF_KERNEL_SKELETON = 2,   /* the shader that it was made from: "map", "contract", ... */
  TUFF_KERNEL_SCHEDULE = 3,   /* what was chosen for the device: tiles, workgroups */
  TUFF_KERNEL_SOURCE = 4,     /* GLSL; empty in a program of an artifact */
  TUFF_KERNEL_DECISIONS = 5,  /* of fusion about its nodes: "fused [rule] subject: why" or "apart [...", a line each; empty in a
                                 program of an artifact */
  TUFF_KERNEL_TUNING_KEY = 6, /* what the line 'schedule "KEY" "SCHEDULE"' in tuff_program_desc_t::observations is about;
                                 kernels that compute the same have one. Empty where there is one schedule, and as above */
  TUFF_KERNEL_ALTERNATIVES = 7 /* the schedules next to its own that fit it and the device, a line each: what to time */
};
/* What there is to read of the index-th kernel. TUFF_INVALID_ARGUMENT for a text that is none. */
TUFF_API tuff_status_t tuff_profile_kernel_text(const tuff_profile_t* profile, uint32_t index, tuff_kernel_text_t text,
                                                char* buffer, uint64_t capacity, uint64_t* out_length,
                                                tuff_error_t** out_error);

#ifdef __cplusplus
}
#endif

#endif /* TUFF_TUFF_H */
