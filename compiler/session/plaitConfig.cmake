# find_package(plait): what the installed libraries themselves link.
include(CMakeFindDependencyMacro)
find_dependency(fmt)
find_dependency(Threads)
find_dependency(ZLIB)
find_dependency(LLVM 19.1 CONFIG PATHS /usr/lib/llvm-19 /usr/lib/llvm/19)
include(${CMAKE_CURRENT_LIST_DIR}/plaitTargets.cmake)
