# SPDX-License-Identifier: GPL-2.0-or-later
# The sources and the shipped binary looked at, and the unit tests once more
# under ASan and UBSan: ctest names lint.NAME, asan.NAME and package.
# A tool that is not installed makes its test fail by name; test/run.sh installs all.
list(TRANSFORM UNIT_TESTS REPLACE ".*/(.*)[.]c$" "\\1" OUTPUT_VARIABLE UNIT_TARGETS)
add_custom_target(unit_tests DEPENDS ${UNIT_TARGETS})
if(KTRACE_SANITIZE)
  return()
endif()

find_program(CLANG_FORMAT NAMES clang-format-14 clang-format)
find_program(CLANG_TIDY NAMES clang-tidy-14 clang-tidy)
find_program(CPPCHECK NAMES cppcheck)
find_program(PYTHON NAMES python3)

# lint_test(NAME COMMAND...): from the top of the tree
function(lint_test name)
  add_test(NAME ${name} COMMAND ${ARGN} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES LABELS "lint;quick" TIMEOUT 600)
endfunction()

file(GLOB_RECURSE C_FILES CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}
  ${CMAKE_SOURCE_DIR}/cmd/*.[ch] ${CMAKE_SOURCE_DIR}/core/*.[ch] ${CMAKE_SOURCE_DIR}/bpf/*.[ch]
  ${CMAKE_SOURCE_DIR}/test/*.[ch])
lint_test(lint.format sh ${CMAKE_CURRENT_LIST_DIR}/format.sh ${CLANG_FORMAT} ${C_FILES})

# What bpftool generates is not ours to lint.
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/cppcheck)
lint_test(lint.cppcheck ${CPPCHECK} --project=${CMAKE_BINARY_DIR}/compile_commands.json
  --cppcheck-build-dir=${CMAKE_BINARY_DIR}/cppcheck -i${BPF_SKELETON_DIR} -j2 --quiet
  --enable=warning,performance,portability --error-exitcode=1 --inline-suppr --suppress=*:*.skel.h
  --suppress=funcArgOrderDifferent # a declaration may be terser than its definition
  --library=${CMAKE_CURRENT_LIST_DIR}/libbpf.cfg)

# tidy_test(NAME LABEL CHECKS): clang-tidy over core/ and cmd/ as a target, so that
# ninja spreads it over the cores and leaves out what was found clean before.
file(GLOB HEADERS CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/*/*.h)
function(tidy_test name label checks)
  file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/${name})
  set(stamps)
  foreach(source ${CORE_SOURCES} ${CMD_SOURCES} ${CMAKE_SOURCE_DIR}/cmd/main.c)
    get_filename_component(file ${source} NAME)
    set(stamp ${CMAKE_BINARY_DIR}/${name}/${file}.clean)
    add_custom_command(OUTPUT ${stamp}
      COMMAND ${CLANG_TIDY} --quiet -p ${CMAKE_BINARY_DIR} --checks=${checks} ${source}
      COMMAND ${CMAKE_COMMAND} -E touch ${stamp}
      DEPENDS ${source} ${HEADERS} ${CMAKE_SOURCE_DIR}/.clang-tidy VERBATIM)
    list(APPEND stamps ${stamp})
  endforeach()
  add_custom_target(${name} DEPENDS ${stamps})
  lint_test(${name} ${CMAKE_MAKE_PROGRAM} --quiet -k 0 -C ${CMAKE_BINARY_DIR} ${name})
  set_tests_properties(${name} PROPERTIES LABELS "lint;${label}" TIMEOUT 1200 PROCESSORS 2)
endfunction()
tidy_test(lint.tidy slow -clang-analyzer-*)
# Walks every path through each function: seconds a file.
tidy_test(lint.analyze slow -bugprone-*,-performance-*,-portability-*,-cert-*)

lint_test(lint.sizes ${PYTHON} ${CMAKE_CURRENT_LIST_DIR}/sizes.py ${CMAKE_BINARY_DIR}/ktrace)
lint_test(lint.atomics sh -c "exec ${PYTHON} ${CMAKE_CURRENT_LIST_DIR}/atomics.py ${BPF_SKELETON_DIR}/*.bpf.o")
lint_test(package sh ${CMAKE_CURRENT_LIST_DIR}/package.sh ${CMAKE_BINARY_DIR})

# The sanitized programs are built by a test of their own, so that there is one ctest run.
lint_test(asan.build sh ${CMAKE_CURRENT_LIST_DIR}/asan.sh ${CMAKE_SOURCE_DIR})
set_tests_properties(asan.build PROPERTIES FIXTURES_SETUP asan LABELS "asan;slow" PROCESSORS 2)
foreach(name ${UNIT_TARGETS})
  string(REGEX REPLACE "^test_" "asan." test ${name})
  lint_test(${test} ${CMAKE_SOURCE_DIR}/build-asan/test/${name})
  set_tests_properties(${test} PROPERTIES FIXTURES_REQUIRED asan SKIP_RETURN_CODE 77
    ENVIRONMENT UBSAN_OPTIONS=print_stacktrace=1 LABELS "asan;slow" TIMEOUT 120)
endforeach()
