# SPDX-License-Identifier: GPL-2.0-or-later
# Finds the outside libraries and tools; README.md beside this file lists them.
if(KTRACE_STATIC)
  set(CMAKE_FIND_LIBRARY_SUFFIXES .a)
endif()
find_library(LIBBPF bpf REQUIRED)
find_library(LIBELF elf REQUIRED)
find_library(LIBZ z REQUIRED)
find_library(LIBLZMA lzma REQUIRED)
find_library(LIBIBERTY iberty REQUIRED)
find_path(LIBBPF_INCLUDE bpf/bpf_helpers.h REQUIRED)
find_program(BPF_CLANG NAMES clang-14 clang REQUIRED)
find_program(BPFTOOL bpftool HINTS /usr/sbin REQUIRED)

add_library(ktrace_libraries INTERFACE)
target_link_libraries(ktrace_libraries INTERFACE ${LIBBPF} ${LIBELF} ${LIBZ} ${LIBLZMA} ${LIBIBERTY} m
  pthread)
