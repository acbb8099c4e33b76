# The one table of compiler flags. No -march=native and no -ffast-math: results must not depend on the machine.
# -ffp-contract=off keeps a*b+c two roundings on every instruction set, so that all give the same bits.
set(GPPCORE_COMMON_FLAGS -ffp-contract=off -fno-trapping-math -fno-math-errno)
set(GPPCORE_KERNEL_FLAGS -O3)
set(GPPCORE_CHAIN_FLAGS)
set(GPPCORE_GRADIENT_FLAGS)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # The intrinsics of GCC 12 hold variables that are left undefined on purpose.
  list(APPEND GPPCORE_KERNEL_FLAGS -Wno-psabi -Wno-maybe-uninitialized)
  # The kernels are long dependency chains: pressure-aware scheduling before register allocation pays. Not so where
  # numbers carry derivatives: they fill the registers in the order in which they are written.
  set(GPPCORE_CHAIN_FLAGS -fschedule-insns -fsched-pressure)
  # Steps that callers share would be compiled once more for each number of iterations.
  set(GPPCORE_GRADIENT_FLAGS -fno-ipa-cp-clone)
endif()

set(GPPCORE_ISA_SOURCES)
macro(gppcore_isa name)
  list(APPEND GPPCORE_ISA_SOURCES src/isa/${name}.cpp)
  set_source_files_properties(src/isa/${name}.cpp PROPERTIES COMPILE_OPTIONS
                                                             "${GPPCORE_KERNEL_FLAGS};${GPPCORE_CHAIN_FLAGS};${ARGN}")
endmacro()

# Kernels of the two-leaf model, of soil water and of regridding. Derivatives are most of the compiling: one file per instantiation, so
# that cores share it.
set(GPPCORE_PARTS)
set(GPPCORE_GRADIENTS src/parts/gradient_weather_f64.cpp src/parts/gradient_weather_f32.cpp
                      src/parts/gradient_leaves_f64.cpp src/parts/gradient_leaves_f32.cpp)
set_source_files_properties(${GPPCORE_GRADIENTS} PROPERTIES COMPILE_OPTIONS "${GPPCORE_GRADIENT_FLAGS}")
macro(gppcore_parts name vector_bytes)
  list(APPEND GPPCORE_PARTS gppcore_parts_${name})
  add_library(gppcore_parts_${name} OBJECT src/parts/two_leaf.cpp src/parts/regrid.cpp src/parts/soil_water.cpp)
  if(GPPCORE_GRADIENT)
    target_sources(gppcore_parts_${name} PRIVATE ${GPPCORE_GRADIENTS})
    target_compile_definitions(gppcore_parts_${name} PRIVATE GPPCORE_GRADIENT)
  endif()
  target_include_directories(gppcore_parts_${name} PRIVATE include src)
  target_compile_definitions(gppcore_parts_${name} PRIVATE GPPCORE_ISA=${name} GPPCORE_VECTOR_BYTES=${vector_bytes})
  target_compile_options(gppcore_parts_${name} PRIVATE ${GPPCORE_COMMON_FLAGS} -Wall -Wextra
                                                       $<$<BOOL:${GPPCORE_WERROR}>:-Werror> ${GPPCORE_KERNEL_FLAGS}
                                                       ${ARGN})
endmacro()
set_source_files_properties(src/parts/two_leaf.cpp src/parts/regrid.cpp PROPERTIES COMPILE_OPTIONS
                                                                                   "${GPPCORE_CHAIN_FLAGS}")

gppcore_isa(baseline)
gppcore_parts(baseline 16)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set(GPPCORE_AVX2_FLAGS -mavx2 -mfma -mpopcnt -mbmi -mbmi2)
  set(GPPCORE_AVX512_FLAGS -mavx512f -mavx512dq -mavx512bw -mavx512vl -mfma -mpopcnt -mbmi -mbmi2
                           -mprefer-vector-width=512)
  gppcore_isa(avx2 ${GPPCORE_AVX2_FLAGS})
  gppcore_isa(avx512 ${GPPCORE_AVX512_FLAGS})
  gppcore_isa(avx512_vbmi ${GPPCORE_AVX512_FLAGS} -mavx512vbmi -mavx512vbmi2)
  gppcore_parts(avx2 32 ${GPPCORE_AVX2_FLAGS})
  gppcore_parts(avx512 64 ${GPPCORE_AVX512_FLAGS}) # avx512_vbmi has the same machine code
endif()
