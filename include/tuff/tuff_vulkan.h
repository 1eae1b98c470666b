/* Tuff on a Vulkan device that the host already has: what it needs of a VkDevice, a tuff_device_t over one, tensors in
 * VkBuffers, and runs written into the host's own command buffers.
 *
 * No Vulkan header is needed. Dispatchable handles (VkInstance, VkDevice, VkQueue, VkCommandBuffer) are void*, others
 * (VkBuffer, VkSemaphore) uint64_t, flags and versions the numbers that Vulkan gives them.
 *
 * What tuff.h says of ownership, threads, descs and errors holds here. What is the host's stays the host's: nothing that it
 * lends is destroyed, and it outlives every object that was made of it.
 */
#ifndef TUFF_TUFF_VULKAN_H
#define TUFF_TUFF_VULKAN_H

#include <tuff/tuff.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A function of Vulkan's, cast: PFN_vkVoidFunction. */
typedef void (*tuff_vulkan_function_t)(void);

/* ---- Before the host creates its device --------------------------------------------------------------------------- */

typedef int32_t tuff_vulkan_tier_t;
enum {
  TUFF_VULKAN_REQUIRED = 0,   /* without it nothing runs */
  TUFF_VULKAN_RECOMMENDED = 1 /* everything of this GPU that makes Tuff faster or lets it run more models */
};

typedef struct tuff_vulkan_requirements tuff_vulkan_requirements_t;

/* What Tuff wants of a VkDevice of this physical device. `get_instance_proc_addr` is vkGetInstanceProcAddr, `api_version` the
 * one in the instance's VkApplicationInfo; Tuff uses nothing above it, and needs 1.1. TUFF_UNSUPPORTED if the device cannot
 * serve at all. */
TUFF_API tuff_status_t tuff_vulkan_requirements_create(tuff_vulkan_function_t get_instance_proc_addr, void* instance,
                                                       void* physical_device, uint32_t api_version, tuff_vulkan_tier_t tier,
                                                       tuff_vulkan_requirements_t** out_requirements, tuff_error_t** out_error);
/* Ends it; NULL is nothing. It is not counted. */
TUFF_API void tuff_vulkan_requirements_release(tuff_vulkan_requirements_t* requirements);
/* A queue family that will do: one with compute, and with graphics where there is one. 0 for NULL. */
TUFF_API uint32_t tuff_vulkan_requirements_queue_family(const tuff_vulkan_requirements_t* requirements);
/* The device extensions to enable, by number; 0 of them for NULL. */
TUFF_API uint32_t tuff_vulkan_requirements_extension_count(const tuff_vulkan_requirements_t* requirements);
TUFF_API tuff_status_t tuff_vulkan_requirements_extension(const tuff_vulkan_requirements_t* requirements, uint32_t index,
                                                          char* buffer, uint64_t capacity, uint64_t* out_length,
                                                          tuff_error_t** out_error);
/* The features to enable, by number, as "VkPhysicalDevice16BitStorageFeatures::storageBuffer16BitAccess"; for a host that
 * merges them into structures of its own. */
TUFF_API uint32_t tuff_vulkan_requirements_feature_count(const tuff_vulkan_requirements_t* requirements);
TUFF_API tuff_status_t tuff_vulkan_requirements_feature(const tuff_vulkan_requirements_t* requirements, uint32_t index,
                                                        char* buffer, uint64_t capacity, uint64_t* out_length,
                                                        tuff_error_t** out_error);
/* The same features as a chain that begins with a VkPhysicalDeviceFeatures2, for VkDeviceCreateInfo::pNext of a host that
 * enables no others. It belongs to `requirements`. NULL for NULL. */
TUFF_API const void* tuff_vulkan_requirements_features(const tuff_vulkan_requirements_t* requirements);

/* ---- A device over the host's ------------------------------------------------------------------------------------- */

/* Called around each use of the queue, on the thread that made the call into Tuff. */
typedef void (*tuff_vulkan_queue_callback_t)(void* user_data);

typedef struct tuff_vulkan_device_desc {
  uint32_t struct_size;
  uint32_t api_version;     /* of the instance's VkApplicationInfo; 0 means 1.1 */
  uint32_t queue_family;    /* of queue */
  uint32_t extension_count; /* of extensions */
  tuff_vulkan_function_t get_instance_proc_addr;
  void* instance;
  void* physical_device;
  void* device;
  void* queue;                   /* one of the device's with compute */
  const char* const* extensions; /* the device extensions that are enabled, NUL-terminated; read during the call */
  const void* features;          /* the features that are enabled: a chain of VkPhysicalDevice...Features structures as in
                                    VkDeviceCreateInfo::pNext, read during the call; what it does not name counts as off */
  const void* allocator; /* the VkAllocationCallbacks for everything that Tuff creates, kept alive as long as the device;
                            NULL: the driver's own */
  tuff_vulkan_queue_callback_t lock_queue; /* both or none; none: no one else uses the queue during a call */
  tuff_vulkan_queue_callback_t unlock_queue;
  void* queue_user_data;
  tuff_log_callback_t log; /* NULL: silence */
  void* log_user_data;
} tuff_vulkan_device_desc_t;
#define TUFF_VULKAN_DEVICE_DESC_INIT \
  { (uint32_t)sizeof(tuff_vulkan_device_desc_t), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }

/* A device over the host's. One table of functions is made for it through get_instance_proc_addr; no loader is opened. A lost
 * device is told by the status TUFF_DEVICE_LOST of whichever call meets it first, and of every later one. TUFF_UNSUPPORTED
 * where something is missing that Tuff cannot do without. */
TUFF_API tuff_status_t tuff_device_from_vulkan(const tuff_vulkan_device_desc_t* desc, tuff_device_t** out_device,
                                               tuff_error_t** out_error);

/* ---- Memory ------------------------------------------------------------------------------------------------------- */

/* The VkBufferUsageFlags that a VkBuffer needs to hold tensors (tuff_tensor_desc_t::vk_buffer) of this device; 0 for NULL, and
 * for devices that are not Vulkan's. Tensors of one queue family: the buffer's sharing mode is exclusive or names it. */
TUFF_API uint32_t tuff_vulkan_buffer_usage(const tuff_device_t* device);
/* The VkBuffer of a buffer; 0 for NULL. It is exclusive to the queue family of the device. */
TUFF_API uint64_t tuff_vulkan_buffer_handle(const tuff_buffer_t* buffer);

/* ---- Runs in the host's command buffers --------------------------------------------------------------------------- */

typedef struct tuff_record_desc {
  uint32_t struct_size;
  uint32_t input_count;
  uint32_t output_count;
  const tuff_tensor_desc_t* inputs;  /* all of the model's, in device memory; or without data: set_input writes them */
  const tuff_tensor_desc_t* outputs; /* the first output_count, in device memory; those without data are read by
                                        tuff_session_read_output, once the host has waited for its submit */
  void* command_buffer;              /* being recorded, outside a render pass, of the queue family of the device */
} tuff_record_desc_t;
#define TUFF_RECORD_DESC_INIT \
  { (uint32_t)sizeof(tuff_record_desc_t), 0, 0, 0, 0, 0 }

/* What the commands do to the host's command buffer, and what the host owes. */
enum {
  TUFF_CLOBBERS_COMPUTE_PIPELINE = 1,      /* the pipeline bound for compute */
  TUFF_CLOBBERS_COMPUTE_DESCRIPTOR_SET = 2 /* set 0 bound for compute */
};
typedef struct tuff_record_info {
  uint32_t struct_size;
  uint32_t clobbers;     /* TUFF_CLOBBERS_...; nothing else changes */
  uint32_t input_stages; /* VkPipelineStageFlags and VkAccessFlags to which the host makes writes of inputs visible that are not
                            compute or transfer commands of this queue; those are ordered by a barrier of Tuff's */
  uint32_t input_access;
  uint32_t
      output_stages; /* and those from which it waits for the outputs, unless the host's memory (reads) is what comes next */
  uint32_t output_access;
} tuff_record_info_t;
#define TUFF_RECORD_INFO_INIT \
  { (uint32_t)sizeof(tuff_record_info_t), 0, 0, 0, 0, 0 }

/* Writes the commands of one run of the session's into the host's command buffer: the same that a submit of Tuff's runs. The
 * shapes of the inputs choose the current shape. The buffers are registered (tuff_session_register) by it, and stay so. The
 * command buffer may be submitted as often as the host likes while the session keeps the shape and the registration (BUSY does
 * not guard them), in the order of the queue with all runs of the session: they share its arena. With state, each call writes
 * the next step. out_info may be NULL. TUFF_UNSUPPORTED on devices that are not Vulkan's, and for sessions with dynamic
 * dimensions: later runs' sizes would change what the commands do. */
TUFF_API tuff_status_t tuff_session_record(tuff_session_t* session, const tuff_record_desc_t* desc,
                                           tuff_record_info_t* out_info, tuff_error_t** out_error);

#ifdef __cplusplus
}
#endif

#endif /* TUFF_TUFF_VULKAN_H */
