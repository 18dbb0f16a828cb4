# SPDX-License-Identifier: GPL-2.0-or-later
# Programs for tests that run natively only: linked dynamically, against musl, C++. They lie in
# build/programs; `dynamic` means by the system's C library.
set(PROGRAMS_DIR ${CMAKE_BINARY_DIR}/programs)
set(PROGRAM_FLAGS -O1 -g0 -fno-omit-frame-pointer -fno-optimize-sibling-calls -fno-builtin -Wall -Wextra)
find_program(MUSL_GCC musl-gcc REQUIRED)
find_program(GXX g++ REQUIRED)
file(MAKE_DIRECTORY ${PROGRAMS_DIR})

# program(NAME SOURCE COMPILER FLAGS...)
function(program name source compiler)
  set(from ${CMAKE_CURRENT_SOURCE_DIR}/${source})
  add_custom_command(OUTPUT ${PROGRAMS_DIR}/${name}
    COMMAND ${compiler} ${PROGRAM_FLAGS} -D_GNU_SOURCE ${from} -o ${PROGRAMS_DIR}/${name} ${ARGN}
    DEPENDS ${from} ${CMAKE_CURRENT_SOURCE_DIR}/workload/workload.h VERBATIM)
  set_property(GLOBAL APPEND PROPERTY PROGRAMS ${PROGRAMS_DIR}/${name})
endfunction()

program(heap_dynamic workload/heap.c ${CMAKE_C_COMPILER} -pthread)
program(heap_musl workload/heap.c ${MUSL_GCC})
program(heap_musl_static workload/heap.c ${MUSL_GCC} -static)
program(new programs/new.cc ${GXX} -std=c++17)
program(new_static programs/new.cc ${GXX} -std=c++17 -static)
get_property(programs GLOBAL PROPERTY PROGRAMS)
add_custom_target(programs ALL DEPENDS ${programs})
