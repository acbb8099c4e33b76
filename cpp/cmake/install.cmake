# What is installed: libraries, headers, the Fortran module as source, and what CMake and pkg-config look for. No file
# holds an absolute path, so that the whole can be moved.
include(CMakePackageConfigHelpers)

install(
  TARGETS ${GPPCORE_LIBRARIES}
  EXPORT gppcore
  LIBRARY DESTINATION ${GPPCORE_PREFIX}${GPPCORE_LIBDIR} NAMELINK_SKIP
  ARCHIVE DESTINATION ${GPPCORE_PREFIX}${GPPCORE_LIBDIR}
  RUNTIME DESTINATION ${GPPCORE_PREFIX}bin)
if(TARGET gppcore)
  if(NOT DEFINED SKBUILD)
    install(TARGETS gppcore LIBRARY DESTINATION ${GPPCORE_LIBDIR} NAMELINK_ONLY)
  elseif(NOT APPLE AND NOT WIN32)
    # A wheel has no symbolic links: the name that programs link with is a script for the linker, and the file that they
    # load has its name of one ABI.
    set_target_properties(gppcore PROPERTIES VERSION ${GPPCORE_ABI})
    file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/script/libgppcore.so "/* GNU ld script */\nINPUT(libgppcore.so.${GPPCORE_ABI})\n")
    install(FILES ${CMAKE_CURRENT_BINARY_DIR}/script/libgppcore.so DESTINATION ${GPPCORE_PREFIX}${GPPCORE_LIBDIR})
  endif()
endif()
install(FILES include/gppcore/gppcore.h include/gppcore/gppcore.hpp fortran/gppcore.f90 fortran/gppcore_c.f90
              fortran/gppcore_kinds.inc fortran/gppcore_types.f90 DESTINATION ${GPPCORE_PREFIX}${GPPCORE_INCLUDEDIR}/gppcore)

install(EXPORT gppcore NAMESPACE gppcore:: FILE gppcoreTargets.cmake DESTINATION ${GPPCORE_PREFIX}${GPPCORE_CMAKEDIR})
configure_package_config_file(
  ${CMAKE_CURRENT_LIST_DIR}/gppcoreConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/gppcoreConfig.cmake
  INSTALL_DESTINATION ${GPPCORE_CMAKEDIR} PATH_VARS GPPCORE_INCLUDEDIR)
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/gppcoreConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/gppcoreConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/gppcoreConfigVersion.cmake
              ${CMAKE_CURRENT_LIST_DIR}/fortran.cmake DESTINATION ${GPPCORE_PREFIX}${GPPCORE_CMAKEDIR})

file(RELATIVE_PATH GPPCORE_UP /${GPPCORE_LIBDIR}/pkgconfig /)
set(GPPCORE_PRIVATE_LIBS "-lstdc++ -lm -pthread")
if(ZLIB_FOUND)
  string(PREPEND GPPCORE_PRIVATE_LIBS "-lz ")
endif()
configure_file(${CMAKE_CURRENT_LIST_DIR}/gppcore.pc.in ${CMAKE_CURRENT_BINARY_DIR}/gppcore.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/gppcore.pc DESTINATION ${GPPCORE_PREFIX}${GPPCORE_LIBDIR}/pkgconfig)

# In a source tree that includes this one.
if(CMAKE_Fortran_COMPILER_LOADED)
  set(GPPCORE_FORTRAN_SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/fortran)
  include(cmake/fortran.cmake)
endif()
