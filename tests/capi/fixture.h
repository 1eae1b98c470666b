// A small model in a file of the test's own, and the CPU to run it: no driver is needed.
#pragma once

#include <doctest/doctest.h>

#include <string>

#include <tuff/tuff.h>

// y = x + x, z = max over the last axis of x; x: f32[n, 2].
std::string model_path();

std::string message_of(const tuff_error_t* error);

struct Handles {
  tuff_device_t* device = nullptr;
  tuff_model_t* model = nullptr;
  tuff_program_t* program = nullptr;
  tuff_session_t* session = nullptr;

  Handles();  // opens "cpu" and makes everything up to the session
  ~Handles();
};

tuff_tensor_desc_t tensor(tuff_dtype_t dtype, void* data, uint64_t size_bytes, const int64_t* shape = nullptr,
                          uint32_t rank = 0);
