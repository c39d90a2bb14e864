#if defined(__x86_64__)
#define PLAIT_GEMM_TARGET avx512
#include "runtime/gemm_kernels.inc"
#endif
