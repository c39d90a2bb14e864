#if defined(__x86_64__)
#define PLAIT_GEMM_TARGET avx2
#include "runtime/gemm_kernels.inc"
#endif
