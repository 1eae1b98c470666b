// numerics_cuda.h: the names that let NVRTC and nvcc compile the GLSL subset of shaders/lib.
//
// In: nothing. Out: GLSL's types, bit casts and the macros of numerics.glsl. It is a prelude: a CUDA kernel's
// text is this file, numerics.glsl, the kernel. Invariant: exact mode compiles with --fmad=false; the other
// flags of --use_fast_math do not matter, since there is no division and no denormal to flush.
#define TUFF_FN __device__ __forceinline__
#define TUFF_PRECISE

typedef unsigned int uint;

TUFF_FN uint floatBitsToUint(float x) { return __float_as_uint(x); }
TUFF_FN float uintBitsToFloat(uint bits) { return __uint_as_float(bits); }
