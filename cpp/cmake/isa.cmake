# The one table of compiler flags. No -march=native and no -ffast-math: results must not depend on the machine.
# -ffp-contract=off keeps a*b+c two roundings on every instruction set, so that all give the same bits.
set(GPPCORE_COMMON_FLAGS -ffp-contract=off -fno-trapping-math -fno-math-errno)
set(GPPCORE_KERNEL_FLAGS -O3)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # The kernels are long dependency chains: pressure-aware scheduling before register allocation pays.
  # The intrinsics of GCC 12 hold variables that are left undefined on purpose.
  list(APPEND GPPCORE_KERNEL_FLAGS -fschedule-insns -fsched-pressure -Wno-psabi -Wno-maybe-uninitialized)
endif()

set(GPPCORE_ISA_SOURCES src/isa/baseline.cpp)
set_source_files_properties(src/isa/baseline.cpp PROPERTIES COMPILE_OPTIONS "${GPPCORE_KERNEL_FLAGS}")

if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  list(APPEND GPPCORE_ISA_SOURCES src/isa/avx2.cpp src/isa/avx512.cpp src/isa/avx512_vbmi.cpp)
  set(GPPCORE_AVX2_FLAGS -mavx2 -mfma -mpopcnt -mbmi -mbmi2)
  set(GPPCORE_AVX512_FLAGS -mavx512f -mavx512dq -mavx512bw -mavx512vl -mfma -mpopcnt -mbmi -mbmi2
                           -mprefer-vector-width=512)
  set(GPPCORE_VBMI_FLAGS -mavx512vbmi -mavx512vbmi2)
  set_source_files_properties(src/isa/avx2.cpp PROPERTIES COMPILE_OPTIONS
                                                          "${GPPCORE_KERNEL_FLAGS};${GPPCORE_AVX2_FLAGS}")
  set_source_files_properties(src/isa/avx512.cpp PROPERTIES COMPILE_OPTIONS
                                                            "${GPPCORE_KERNEL_FLAGS};${GPPCORE_AVX512_FLAGS}")
  set_source_files_properties(
    src/isa/avx512_vbmi.cpp PROPERTIES COMPILE_OPTIONS
                                       "${GPPCORE_KERNEL_FLAGS};${GPPCORE_AVX512_FLAGS};${GPPCORE_VBMI_FLAGS}")
endif()
