// What the tests of sessions on a driver share: models from a text, a program on a host's device, tensors of 64 floats.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "vulkan_host.h"

inline constexpr uint32_t kCount = 64;

// y = x + w, w = 3 everywhere; f32[64].
extern const char kShift[];

std::string message_of(tuff_error_t* error);  // and releases it

// From the text of a graph.
tuff_model_t* load(const char* text);

// Host, device, program and sessions of it.
struct Fixture {
  VulkanHost host;
  tuff_device_t* device = host.lend();
  tuff_model_t* model;
  tuff_program_t* program = nullptr;
  std::vector<tuff_session_t*> sessions;

  explicit Fixture(const char* text);
  ~Fixture();
  tuff_session_t* session(uint32_t in_flight_count = 1, bool cancellable = false, uint64_t submit_time_limit_ns = 0);
};

tuff_tensor_desc_t host_tensor(std::vector<float>& data);
// A run of one input and one output; the desc points to both.
tuff_run_desc_t run_desc(const tuff_tensor_desc_t& in, const tuff_tensor_desc_t& out);
inline std::vector<float> all(float v) { return std::vector<float>(kCount, v); }
