// Counts what a thread allocates with operator new. A program that counts has counted_allocations.cpp, which replaces it.
#pragma once

#include <cstdint>

inline thread_local bool counts_allocations = false;

// While a driver runs on this thread its allocations are its own.
struct InDriver {
  const bool was = counts_allocations;
  InDriver() { counts_allocations = false; }
  ~InDriver() { counts_allocations = was; }
};

// Allocations of this thread while it is outside the driver.
class CountedAllocations {
 public:
  CountedAllocations();
  ~CountedAllocations();
  uint64_t count() const;
};
