# gppcore::gppcore_fortran: the module, compiled once by the compiler of the project that uses it, since the files of
# modules differ from compiler to compiler. Expects GPPCORE_FORTRAN_SOURCES.
add_library(gppcore_fortran STATIC ${GPPCORE_FORTRAN_SOURCES}/gppcore.f90)
set_target_properties(gppcore_fortran PROPERTIES Fortran_MODULE_DIRECTORY ${CMAKE_BINARY_DIR}/gppcore_fortran
                                                 POSITION_INDEPENDENT_CODE ON)
target_include_directories(gppcore_fortran INTERFACE ${CMAKE_BINARY_DIR}/gppcore_fortran)
target_link_libraries(gppcore_fortran PUBLIC gppcore::gppcore)
add_library(gppcore::gppcore_fortran ALIAS gppcore_fortran)
