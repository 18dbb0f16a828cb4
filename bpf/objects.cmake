# SPDX-License-Identifier: GPL-2.0-or-later
# Each bpf/NAME.bpf.c becomes NAME.skel.h and NAME.object.c, which defines
# `const struct object object_NAME`.
set(BPF_SKELETON_DIR ${CMAKE_BINARY_DIR}/skeleton)
file(MAKE_DIRECTORY ${BPF_SKELETON_DIR}/include)
# Only <bpf/...> is to be had: no kernel or libc header of the build machine can slip in.
file(CREATE_LINK ${LIBBPF_INCLUDE}/bpf ${BPF_SKELETON_DIR}/include/bpf SYMBOLIC)

if(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  set(BPF_ARCH arm64)
else()
  set(BPF_ARCH x86)
endif()
# -mcpu=v3: bounded compares and 32-bit ALU, taken by kernels from 5.1 on.
set(BPF_FLAGS -target bpf -mcpu=v3 -O2 -g -D__TARGET_ARCH_${BPF_ARCH} -nostdinc
  -isystem ${BPF_SKELETON_DIR}/include -I${CMAKE_SOURCE_DIR} -Wall -Wextra -Werror
  -Wno-unused-parameter -ffile-prefix-map=${CMAKE_SOURCE_DIR}=. -fdebug-prefix-map=${CMAKE_SOURCE_DIR}=.)

file(GLOB BPF_SOURCES CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/bpf/*.bpf.c)
set(BPF_OBJECT_SOURCES)
foreach(source ${BPF_SOURCES})
  get_filename_component(name ${source} NAME_WE)
  set(base ${BPF_SKELETON_DIR}/${name})
  add_custom_command(OUTPUT ${base}.raw.o
    COMMAND ${BPF_CLANG} ${BPF_FLAGS} -MD -MF ${base}.d -MT ${base}.raw.o -c ${source} -o ${base}.raw.o
    DEPENDS ${source} DEPFILE ${base}.d VERBATIM)
  add_custom_command(OUTPUT ${base}.skel.h
    COMMAND ${BPFTOOL} gen object ${base}.bpf.o ${base}.raw.o
    COMMAND ${BPFTOOL} gen skeleton ${base}.bpf.o name ${name}_bpf > ${base}.skel.h
    DEPENDS ${base}.raw.o VERBATIM)
  file(WRITE ${base}.object.c.new
    "#include \"core/tool.h\"\n#include \"bpf/${name}.h\"\n#include \"${name}.skel.h\"\n\nOBJECT_DEFINE(${name});\n")
  file(COPY_FILE ${base}.object.c.new ${base}.object.c ONLY_IF_DIFFERENT)
  set_source_files_properties(${base}.object.c PROPERTIES OBJECT_DEPENDS ${base}.skel.h)
  list(APPEND BPF_OBJECT_SOURCES ${base}.object.c ${base}.skel.h)
endforeach()
