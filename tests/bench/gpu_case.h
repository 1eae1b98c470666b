// A workload's model, compiled for a device and prepared, with random inputs written; and whether it computes what it should.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <tuff/tuff.hpp>

#include "gpu_tensor.h"
#include "gpu_workloads.h"

namespace tuff::bench {

struct Case {
  std::string path;
  tuff_precision_t precision = TUFF_PRECISION_MODEL;
  Model model;
  Device device;
  Program program;
  Session session;
  std::vector<HostTensor> inputs, outputs;  // outputs: of the last run_poisoned()

  static Result<Case> load(const Device& device, const std::string& path, tuff_precision_t precision);
  // Another session of the same program, with the same inputs.
  Result<Session> second_session();
  Status draw_inputs(std::mt19937_64& random);
  // Runs once into device memory that was filled with NaN before. An error where a NaN or an infinite number is left.
  Status run_poisoned();
};

struct CheckOptions {
  int row_count = 0;  // 0: every row
  double most_error = 0;
  bool mutated = false;  // expects what follows from another input, to see that the check fails
};

// What was found against the truth in doubles: the largest share of an element's bound, and the error of all together.
struct Found {
  double bound_share = 0, error = 0;
};

// Holds the outputs of the last run against doubles, on rows drawn at random, the first and the last among them.
Result<Found> check_outputs(const Case& run, const CheckOptions& options, std::mt19937_64& random);

}  // namespace tuff::bench
