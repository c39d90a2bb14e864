#define PLAIT_GEMM_TARGET baseline
#include "runtime/gemm_kernels.inc"
