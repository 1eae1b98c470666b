// Array: a value inside the reference, as a strided window on a shared buffer, so that most views copy nothing.
//
// Invariant: every element that shape, strides and offset reach lies in the buffer. Storage dtypes are f32, f64, the
// integers and bool: f16 and bf16 values are held as f32 (already rounded), and in kTruth all floats as f64.
#pragma once

#include <memory>
#include <span>

#include "reference/reference.h"

namespace tuff {

using Sizes = std::vector<int64_t>;

struct Array {
  Dtype dtype = Dtype::kF32;
  Sizes shape, strides;  // in elements
  int64_t offset = 0;
  std::shared_ptr<std::byte[]> buffer;

  int64_t count() const;
  bool contiguous() const;
  template <class T>
  const T* data() const {
    return reinterpret_cast<const T*>(buffer.get()) + offset;
  }
  template <class T>
  T* mutable_data() {
    return reinterpret_cast<T*>(buffer.get()) + offset;
  }
};

Sizes row_major_strides(const Sizes& shape);
int64_t element_count(const Sizes& shape);  // the evaluator has checked that it does not overflow
Dtype storage_dtype(Dtype dtype, Precision precision);

// Calls visit(T()) with the C++ type of a storage dtype.
template <class Visit>
auto with_element_type(Dtype storage, Visit visit) {
  switch (storage) {
    case Dtype::kF32: return visit(float());
    case Dtype::kF64: return visit(double());
    case Dtype::kI8: return visit(int8_t());
    case Dtype::kI16: return visit(int16_t());
    case Dtype::kI32: return visit(int32_t());
    case Dtype::kI64: return visit(int64_t());
    case Dtype::kU16: return visit(uint16_t());
    case Dtype::kU32: return visit(uint32_t());
    case Dtype::kU64: return visit(uint64_t());
    default: return visit(uint8_t());  // u8 and bool; nothing is stored as f16 or bf16
  }
}

// Allocates buffers and counts the bytes of those that are alive.
class Memory {
 public:
  explicit Memory(int64_t limit_bytes) : limit_bytes_(limit_bytes), live_bytes_(std::make_shared<int64_t>(0)) {}
  Result<Array> allocate(Dtype storage, const Sizes& shape) const;

 private:
  int64_t limit_bytes_;
  std::shared_ptr<int64_t> live_bytes_;
};

// Several arrays of one shape walked together, with adjacent axes joined where every operand's strides allow it.
struct Walk {
  Sizes shape;                 // at least rank 1
  std::vector<Sizes> strides;  // one list an operand
  Walk(const Sizes& shape, std::vector<Sizes> operand_strides);

  // visit(offsets, n): n elements along the last axis, from one offset an operand.
  template <class Visit>
  void for_each_row(Visit visit) const {
    size_t outer = shape.size() - 1;
    std::vector<int64_t> offsets(strides.size(), 0), index(outer, 0);
    if (element_count(shape) == 0) return;
    while (true) {
      visit(std::span<const int64_t>(offsets), shape.back());
      size_t axis = outer;
      while (axis > 0) {
        --axis;
        bool wraps = ++index[axis] == shape[axis];
        for (size_t o = 0; o < strides.size(); ++o) offsets[o] += strides[o][axis] * (wraps ? 1 - shape[axis] : 1);
        if (!wraps) break;
        index[axis] = 0;
        if (axis == 0) return;
      }
      if (outer == 0) return;
    }
  }
};

// Copies src's elements into dst, of equal shape and storage.
void copy_elements(const Array& src, Array& dst);
Result<Array> make_contiguous(const Array& src, const Memory& memory);
// Offsets of every index of a shape, row-major.
std::vector<int64_t> offsets_of(const Sizes& shape, const Sizes& strides);

// Elements in memory (of any dtype) to an array and back.
Result<Array> array_from_elements(Dtype dtype, const Sizes& shape, std::span<const std::byte> elements, Precision precision,
                                  const Memory& memory);
Array array_of_splat(Dtype dtype, const Sizes& shape, uint64_t bits, Precision precision);
Tensor tensor_from_array(const Array& array, Dtype dtype, Precision precision);
// Rounds f32 storage to what an f16 or bf16 value can hold; nothing for other dtypes.
void round_to_dtype(Array& array, Dtype dtype);

// Runs body(begin, end) over [0, count) cut into pieces, on as many threads.
void parallel_for(int64_t count, int thread_count, const std::function<void(int64_t, int64_t)>& body);

}  // namespace tuff
