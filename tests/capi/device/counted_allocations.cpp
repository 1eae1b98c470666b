#include "counted_allocations.h"

#include <cstdlib>
#include <new>

namespace {

thread_local uint64_t allocation_count = 0;

void* allocate(size_t size) {
  if (counts_allocations) ++allocation_count;
  return std::malloc(size ? size : 1);
}

}  // namespace

void* operator new(size_t size) {
  void* p = allocate(size);
  if (!p) throw std::bad_alloc();
  return p;
}
void* operator new[](size_t size) { return operator new(size); }
void* operator new(size_t size, const std::nothrow_t&) noexcept { return allocate(size); }
void* operator new[](size_t size, const std::nothrow_t&) noexcept { return allocate(size); }
void operator delete(void* p) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { std::free(p); }
void operator delete(void* p, size_t) noexcept { std::free(p); }
void operator delete[](void* p, size_t) noexcept { std::free(p); }

CountedAllocations::CountedAllocations() {
  allocation_count = 0;
  counts_allocations = true;
}
CountedAllocations::~CountedAllocations() { counts_allocations = false; }
uint64_t CountedAllocations::count() const { return allocation_count; }
