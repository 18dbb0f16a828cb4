# SPDX-License-Identifier: GPL-2.0-or-later
# Fuzz targets (libFuzzer): each test/fuzz/NAME.c is ctest fuzz.NAME, which goes through
# corpus/NAME and on from there for a few seconds. For longer, and for a finding:
#   ninja -C build fuzz_targets && mkdir /tmp/new && build/fuzz/NAME /tmp/new test/fuzz/corpus/NAME
#   build/fuzz/NAME FILE    then put FILE, made small by -minimize_crash=1, into the corpus
if(KTRACE_SANITIZE)
  return()
endif()
find_program(FUZZ_CLANG NAMES clang-14 clang)
set(FUZZ_DIR ${CMAKE_BINARY_DIR}/fuzz)
file(MAKE_DIRECTORY ${FUZZ_DIR})
add_custom_target(fuzz_targets)
lint_test(fuzz.build ${CMAKE_MAKE_PROGRAM} --quiet -C ${CMAKE_BINARY_DIR} fuzz_targets)
set_tests_properties(fuzz.build PROPERTIES FIXTURES_SETUP fuzz LABELS "fuzz;quick")

# fuzz_target(NAME MAX_LEN CORE... [LIBS LIBRARY...]): CORE are names of core/*.c
function(fuzz_target name max_len)
  cmake_parse_arguments(PARSE_ARGV 2 FUZZ "" "" "LIBS")
  list(TRANSFORM FUZZ_UNPARSED_ARGUMENTS REPLACE "(.+)" "${CMAKE_SOURCE_DIR}/core/\\1.c" OUTPUT_VARIABLE core)
  set(source ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/${name}.c)
  set(target ${FUZZ_DIR}/${name})
  add_custom_command(OUTPUT ${target}
    COMMAND ${FUZZ_CLANG} -std=gnu11 -g -O1 -D_GNU_SOURCE -I${CMAKE_SOURCE_DIR} -Wall -Wextra -Werror
      -Wno-missing-field-initializers -fsanitize=fuzzer,address,undefined
      -fno-sanitize-recover=undefined -o ${target} ${source} ${core} ${FUZZ_LIBS}
    DEPENDS ${source} ${core} ${HEADERS} VERBATIM)
  add_custom_target(fuzz_${name} DEPENDS ${target})
  add_dependencies(fuzz_targets fuzz_${name})
  # What one run finds is not the next one's seed: a test does the same each time.
  lint_test(fuzz.${name} sh -c "rm -rf $1.new && mkdir $1.new && exec \"$@\"" sh ${target}
    -seed=1 -runs=100000 -max_total_time=5 -timeout=25 -rss_limit_mb=1024 -max_len=${max_len}
    -print_final_stats=1 -artifact_prefix=${target}- ${target}.new
    ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/corpus/${name})
  set_tests_properties(fuzz.${name} PROPERTIES FIXTURES_REQUIRED fuzz LABELS "fuzz;quick" TIMEOUT 60)
endfunction()

fuzz_target(btf 1024 btf_types btf_prune buffer)
set(ELF_PARTS elf_image elf_collect elf_symbols ranked debug_file debug_data open_regular)
fuzz_target(elf 16384 ${ELF_PARTS}
  LIBS ${LIBZ} ${LIBLZMA})
fuzz_target(demangle 1200 demangle LIBS ${LIBIBERTY})
fuzz_target(kallsyms 4096 ksyms ksyms_load ksyms_read number)
fuzz_target(maps 4096 maps mappings processes user_files user_open intern escape buffer number read_all ${ELF_PARTS}
  LIBS ${LIBZ} ${LIBLZMA})
fuzz_target(perf_map 4096 perf_map open_regular number)
fuzz_target(records 4096 perf_ring maps mappings processes user_files user_open intern escape buffer number read_all ${ELF_PARTS}
  LIBS ${LIBZ} ${LIBLZMA})
