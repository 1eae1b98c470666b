// Upscales what a Vulkan program renders, in that program's own command buffer: borrowed_device MODEL.onnx OUT.ppm
//
// The host below stands for a renderer: it makes its own instance, device, queue, buffers and pipelines. Tuff says what the
// device needs, takes it over as a tuff_device_t, and writes a network's commands between the host's own dispatches. One
// vkQueueSubmit runs all of it. MODEL has an input and an output of type f32[1, 3, height, width].
#include <vulkan/vulkan.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include <tuff/tuff_vulkan.h>

#include "present.h"
#include "render.h"

namespace {

constexpr uint32_t kWidth = 96, kHeight = 64, kScale = 2, kChannels = 3;

[[noreturn]] void fail(const std::string& message) {
  std::fprintf(stderr, "borrowed_device: %s\n", message.c_str());
  std::exit(EXIT_FAILURE);
}

void vk(VkResult result, const char* call) {
  if (result != VK_SUCCESS) fail(std::string(call) + " answers " + std::to_string(result));
}

tuff_error_t* error = nullptr;
void check(tuff_status_t status) {
  if (status == TUFF_OK) return;
  char message[1024];
  tuff_error_message(error, message, sizeof message, nullptr);
  fail(message);
}

struct Buffer {
  VkBuffer handle = VK_NULL_HANDLE;
  VkDeviceMemory memory = VK_NULL_HANDLE;
  uint64_t size_bytes = 0;
  void* mapped = nullptr;
};

struct Pipeline {
  VkPipeline handle = VK_NULL_HANDLE;
  VkDescriptorSet set = VK_NULL_HANDLE;
  uint32_t width, height;
};

// The renderer, as far as it matters here.
struct Host {
  VkInstance instance = VK_NULL_HANDLE;
  VkPhysicalDevice physical = VK_NULL_HANDLE;
  VkDevice device = VK_NULL_HANDLE;
  VkQueue queue = VK_NULL_HANDLE;
  uint32_t family = 0;
  std::vector<std::string> extensions;
  tuff_vulkan_requirements_t* requirements = nullptr;
  VkDescriptorSetLayout set_layout = VK_NULL_HANDLE;
  VkPipelineLayout layout = VK_NULL_HANDLE;
  VkDescriptorPool descriptors = VK_NULL_HANDLE;
  VkCommandPool pool = VK_NULL_HANDLE;
  VkCommandBuffer commands = VK_NULL_HANDLE;
  VkFence fence = VK_NULL_HANDLE;
};

template <class T>
T structure(VkStructureType type) {
  T s{};
  s.sType = type;
  return s;
}

void open(Host& host) {
  auto application = structure<VkApplicationInfo>(VK_STRUCTURE_TYPE_APPLICATION_INFO);
  application.apiVersion = VK_API_VERSION_1_2;
  auto instance = structure<VkInstanceCreateInfo>(VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO);
  instance.pApplicationInfo = &application;
  vk(vkCreateInstance(&instance, nullptr, &host.instance), "vkCreateInstance");
  uint32_t count = 1;
  vkEnumeratePhysicalDevices(host.instance, &count, &host.physical);
  if (count == 0) fail("there is no Vulkan device");

  // What Tuff would like of the device, asked before there is one. A host adds its own extensions and features.
  check(tuff_vulkan_requirements_create(reinterpret_cast<tuff_vulkan_function_t>(vkGetInstanceProcAddr), host.instance,
                                        host.physical, application.apiVersion, TUFF_VULKAN_RECOMMENDED, &host.requirements,
                                        &error));
  host.family = tuff_vulkan_requirements_queue_family(host.requirements);
  for (uint32_t i = 0; i < tuff_vulkan_requirements_extension_count(host.requirements); ++i) {
    char name[VK_MAX_EXTENSION_NAME_SIZE];
    check(tuff_vulkan_requirements_extension(host.requirements, i, name, sizeof name, nullptr, &error));
    host.extensions.emplace_back(name);
  }
  std::vector<const char*> names;
  for (const std::string& name : host.extensions) names.push_back(name.c_str());
  const float priority = 1;
  auto queue = structure<VkDeviceQueueCreateInfo>(VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO);
  queue.queueFamilyIndex = host.family;
  queue.queueCount = 1;
  queue.pQueuePriorities = &priority;
  auto device = structure<VkDeviceCreateInfo>(VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO);
  device.pNext = tuff_vulkan_requirements_features(host.requirements);
  device.queueCreateInfoCount = 1;
  device.pQueueCreateInfos = &queue;
  device.enabledExtensionCount = static_cast<uint32_t>(names.size());
  device.ppEnabledExtensionNames = names.data();
  vk(vkCreateDevice(host.physical, &device, nullptr, &host.device), "vkCreateDevice");
  vkGetDeviceQueue(host.device, host.family, 0, &host.queue);
}

tuff_device_t* lend(const Host& host) {
  std::vector<const char*> names;
  for (const std::string& name : host.extensions) names.push_back(name.c_str());
  tuff_vulkan_device_desc_t desc = TUFF_VULKAN_DEVICE_DESC_INIT;
  desc.api_version = VK_API_VERSION_1_2;
  desc.queue_family = host.family;
  desc.get_instance_proc_addr = reinterpret_cast<tuff_vulkan_function_t>(vkGetInstanceProcAddr);
  desc.instance = host.instance;
  desc.physical_device = host.physical;
  desc.device = host.device;
  desc.queue = host.queue;
  desc.extension_count = static_cast<uint32_t>(names.size());
  desc.extensions = names.data();
  desc.features = tuff_vulkan_requirements_features(host.requirements);
  tuff_device_t* device = nullptr;
  check(tuff_device_from_vulkan(&desc, &device, &error));
  return device;
}

Buffer make_buffer(const Host& host, uint64_t size_bytes, VkBufferUsageFlags usage, bool on_host) {
  Buffer buffer;
  buffer.size_bytes = size_bytes;
  auto info = structure<VkBufferCreateInfo>(VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO);
  info.size = size_bytes;
  info.usage = usage | VK_BUFFER_USAGE_STORAGE_BUFFER_BIT;
  vk(vkCreateBuffer(host.device, &info, nullptr, &buffer.handle), "vkCreateBuffer");
  VkMemoryRequirements needs;
  vkGetBufferMemoryRequirements(host.device, buffer.handle, &needs);
  VkPhysicalDeviceMemoryProperties memory;
  vkGetPhysicalDeviceMemoryProperties(host.physical, &memory);
  const VkMemoryPropertyFlags wanted = on_host ? VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT
                                               : VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT;
  uint32_t type = 0;
  while (type < memory.memoryTypeCount &&
         (!(needs.memoryTypeBits & (1u << type)) || (memory.memoryTypes[type].propertyFlags & wanted) != wanted))
    ++type;
  if (type == memory.memoryTypeCount) fail("there is no memory type for a buffer");
  auto allocation = structure<VkMemoryAllocateInfo>(VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO);
  allocation.allocationSize = needs.size;
  allocation.memoryTypeIndex = type;
  vk(vkAllocateMemory(host.device, &allocation, nullptr, &buffer.memory), "vkAllocateMemory");
  vk(vkBindBufferMemory(host.device, buffer.handle, buffer.memory, 0), "vkBindBufferMemory");
  if (on_host) vk(vkMapMemory(host.device, buffer.memory, 0, VK_WHOLE_SIZE, 0, &buffer.mapped), "vkMapMemory");
  return buffer;
}

void make_layouts(Host& host) {
  VkDescriptorSetLayoutBinding bindings[2] = {};
  for (uint32_t i = 0; i < 2; ++i)
    bindings[i] = {i, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, nullptr};
  auto set = structure<VkDescriptorSetLayoutCreateInfo>(VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO);
  set.bindingCount = 2;
  set.pBindings = bindings;
  vk(vkCreateDescriptorSetLayout(host.device, &set, nullptr, &host.set_layout), "vkCreateDescriptorSetLayout");
  const VkPushConstantRange sizes = {VK_SHADER_STAGE_COMPUTE_BIT, 0, 8};
  auto layout = structure<VkPipelineLayoutCreateInfo>(VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO);
  layout.setLayoutCount = 1;
  layout.pSetLayouts = &host.set_layout;
  layout.pushConstantRangeCount = 1;
  layout.pPushConstantRanges = &sizes;
  vk(vkCreatePipelineLayout(host.device, &layout, nullptr, &host.layout), "vkCreatePipelineLayout");
  const VkDescriptorPoolSize size = {VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 4};
  auto pool = structure<VkDescriptorPoolCreateInfo>(VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO);
  pool.maxSets = 2;
  pool.poolSizeCount = 1;
  pool.pPoolSizes = &size;
  vk(vkCreateDescriptorPool(host.device, &pool, nullptr, &host.descriptors), "vkCreateDescriptorPool");
  auto commands = structure<VkCommandPoolCreateInfo>(VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO);
  commands.queueFamilyIndex = host.family;
  vk(vkCreateCommandPool(host.device, &commands, nullptr, &host.pool), "vkCreateCommandPool");
  auto buffer = structure<VkCommandBufferAllocateInfo>(VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO);
  buffer.commandPool = host.pool;
  buffer.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY;
  buffer.commandBufferCount = 1;
  vk(vkAllocateCommandBuffers(host.device, &buffer, &host.commands), "vkAllocateCommandBuffers");
  const auto fence = structure<VkFenceCreateInfo>(VK_STRUCTURE_TYPE_FENCE_CREATE_INFO);
  vk(vkCreateFence(host.device, &fence, nullptr, &host.fence), "vkCreateFence");
}

Pipeline make_pipeline(const Host& host, const uint32_t* words, size_t size_bytes, const Buffer& src, const Buffer& dst,
                       uint32_t width, uint32_t height) {
  Pipeline pipeline{VK_NULL_HANDLE, VK_NULL_HANDLE, width, height};
  auto code = structure<VkShaderModuleCreateInfo>(VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO);
  code.codeSize = size_bytes;
  code.pCode = words;
  VkShaderModule module;
  vk(vkCreateShaderModule(host.device, &code, nullptr, &module), "vkCreateShaderModule");
  auto info = structure<VkComputePipelineCreateInfo>(VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO);
  info.stage = structure<VkPipelineShaderStageCreateInfo>(VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO);
  info.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT;
  info.stage.module = module;
  info.stage.pName = "main";
  info.layout = host.layout;
  vk(vkCreateComputePipelines(host.device, VK_NULL_HANDLE, 1, &info, nullptr, &pipeline.handle), "vkCreateComputePipelines");
  vkDestroyShaderModule(host.device, module, nullptr);

  auto set = structure<VkDescriptorSetAllocateInfo>(VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO);
  set.descriptorPool = host.descriptors;
  set.descriptorSetCount = 1;
  set.pSetLayouts = &host.set_layout;
  vk(vkAllocateDescriptorSets(host.device, &set, &pipeline.set), "vkAllocateDescriptorSets");
  const VkDescriptorBufferInfo buffers[2] = {{src.handle, 0, VK_WHOLE_SIZE}, {dst.handle, 0, VK_WHOLE_SIZE}};
  auto write = structure<VkWriteDescriptorSet>(VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET);
  write.dstSet = pipeline.set;
  write.descriptorCount = 2;
  write.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
  write.pBufferInfo = buffers;
  vkUpdateDescriptorSets(host.device, 1, &write, 0, nullptr);
  return pipeline;
}

void dispatch(const Host& host, const Pipeline& pipeline) {
  const uint32_t sizes[2] = {pipeline.width, pipeline.height};
  vkCmdBindPipeline(host.commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline.handle);
  vkCmdBindDescriptorSets(host.commands, VK_PIPELINE_BIND_POINT_COMPUTE, host.layout, 0, 1, &pipeline.set, 0, nullptr);
  vkCmdPushConstants(host.commands, host.layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, sizeof sizes, sizes);
  vkCmdDispatch(host.commands, (pipeline.width * pipeline.height + 63) / 64, 1, 1);
}

void barrier(const Host& host, VkPipelineStageFlags src_stages, VkAccessFlags src_access, VkPipelineStageFlags dst_stages,
             VkAccessFlags dst_access) {
  auto memory = structure<VkMemoryBarrier>(VK_STRUCTURE_TYPE_MEMORY_BARRIER);
  memory.srcAccessMask = src_access;
  memory.dstAccessMask = dst_access;
  vkCmdPipelineBarrier(host.commands, src_stages, dst_stages, 0, 1, &memory, 0, nullptr, 0, nullptr);
}

tuff_tensor_desc_t tensor(const Buffer& buffer, const int64_t (&shape)[4]) {
  tuff_tensor_desc_t t = TUFF_TENSOR_DESC_INIT;
  t.memory = TUFF_MEMORY_VULKAN;
  t.vk_buffer = reinterpret_cast<uint64_t>(buffer.handle);
  t.size_bytes = buffer.size_bytes;
  t.rank = 4;
  t.shape = shape;
  return t;
}

void write_ppm(const char* path, const std::vector<uint32_t>& pixels, uint32_t width, uint32_t height) {
  FILE* file = std::fopen(path, "wb");
  if (!file) fail(std::string("cannot write ") + path);
  std::fprintf(file, "P6\n%u %u\n255\n", width, height);
  for (uint32_t pixel : pixels) {
    const unsigned char rgb[3] = {static_cast<unsigned char>(pixel), static_cast<unsigned char>(pixel >> 8),
                                  static_cast<unsigned char>(pixel >> 16)};
    std::fwrite(rgb, 1, sizeof rgb, file);
  }
  if (std::fclose(file) != 0) fail(std::string("cannot write ") + path);
}

void close(Host& host, const std::vector<Buffer>& buffers, const std::vector<Pipeline>& pipelines) {
  for (const Buffer& buffer : buffers) {
    vkDestroyBuffer(host.device, buffer.handle, nullptr);
    vkFreeMemory(host.device, buffer.memory, nullptr);
  }
  for (const Pipeline& pipeline : pipelines) vkDestroyPipeline(host.device, pipeline.handle, nullptr);
  vkDestroyFence(host.device, host.fence, nullptr);
  vkDestroyCommandPool(host.device, host.pool, nullptr);
  vkDestroyDescriptorPool(host.device, host.descriptors, nullptr);
  vkDestroyPipelineLayout(host.device, host.layout, nullptr);
  vkDestroyDescriptorSetLayout(host.device, host.set_layout, nullptr);
  vkDestroyDevice(host.device, nullptr);
  vkDestroyInstance(host.instance, nullptr);
  tuff_vulkan_requirements_release(host.requirements);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) fail("usage: borrowed_device MODEL.onnx OUT.ppm");
  Host host;
  open(host);
  make_layouts(host);

  tuff_device_t* device = lend(host);
  tuff_model_t* model = nullptr;
  tuff_program_t* program = nullptr;
  tuff_session_t* session = nullptr;
  check(tuff_model_load_file(argv[1], TUFF_TEXT_END, nullptr, &model, &error));
  check(tuff_program_create(device, model, nullptr, &program, &error));
  check(tuff_session_create(program, nullptr, &session, &error));

  const uint32_t width = kWidth * kScale, height = kHeight * kScale;
  const VkBufferUsageFlags usage = tuff_vulkan_buffer_usage(device);
  const Buffer rendered = make_buffer(host, kWidth * kHeight * kChannels * sizeof(float), usage, false);
  const Buffer upscaled = make_buffer(host, width * height * kChannels * sizeof(float), usage, false);
  const Buffer pixels = make_buffer(host, width * height * sizeof(uint32_t), 0, true);
  const Pipeline render = make_pipeline(host, render_spirv, sizeof render_spirv, rendered, rendered, kWidth, kHeight);
  const Pipeline present = make_pipeline(host, present_spirv, sizeof present_spirv, upscaled, pixels, width, height);

  // One command buffer: render, the network, present. Tuff's first barrier orders it after the host's compute commands.
  auto begin = structure<VkCommandBufferBeginInfo>(VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO);
  vk(vkBeginCommandBuffer(host.commands, &begin), "vkBeginCommandBuffer");
  dispatch(host, render);
  const int64_t input_shape[4] = {1, kChannels, kHeight, kWidth}, output_shape[4] = {1, kChannels, height, width};
  const tuff_tensor_desc_t input = tensor(rendered, input_shape), output = tensor(upscaled, output_shape);
  tuff_record_desc_t record = TUFF_RECORD_DESC_INIT;
  record.inputs = &input;
  record.input_count = 1;
  record.outputs = &output;
  record.output_count = 1;
  record.command_buffer = host.commands;
  tuff_record_info_t info = TUFF_RECORD_INFO_INIT;
  check(tuff_session_record(session, &record, &info, &error));
  barrier(host, info.output_stages, info.output_access, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_ACCESS_SHADER_READ_BIT);
  dispatch(host, present);
  barrier(host, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_ACCESS_SHADER_WRITE_BIT, VK_PIPELINE_STAGE_HOST_BIT,
          VK_ACCESS_HOST_READ_BIT);
  vk(vkEndCommandBuffer(host.commands), "vkEndCommandBuffer");

  auto submit = structure<VkSubmitInfo>(VK_STRUCTURE_TYPE_SUBMIT_INFO);
  submit.commandBufferCount = 1;
  submit.pCommandBuffers = &host.commands;
  vk(vkQueueSubmit(host.queue, 1, &submit, host.fence), "vkQueueSubmit");
  vk(vkWaitForFences(host.device, 1, &host.fence, VK_TRUE, UINT64_MAX), "vkWaitForFences");
  std::vector<uint32_t> frame(width * height);
  std::memcpy(frame.data(), pixels.mapped, pixels.size_bytes);
  write_ppm(argv[2], frame, width, height);
  std::printf("%u x %u rendered, %u x %u presented, one submit of the host's\n", kWidth, kHeight, width, height);

  // Tuff's objects go before the device that they live on.
  tuff_session_release(session);
  tuff_program_release(program);
  tuff_model_release(model);
  tuff_device_release(device);
  close(host, {rendered, upscaled, pixels}, {render, present});
  return EXIT_SUCCESS;
}
