# SPDX-License-Identifier: GPL-2.0-or-later
# The tools' tests on other kernels: ctest name vm.KERNEL for each guest in
# test/kernels/matrix; vm.lab is the lab's own test, vm.peers has bpftrace in the guest.
# All are slow; two guests run at a time (ctest -j 2), those that take longest first.
if(KTRACE_SANITIZE) # the programs under test are the static ones
  return()
endif()
add_executable(vm_agent vm/agent.c)
target_compile_definitions(vm_agent PRIVATE _GNU_SOURCE)
target_link_options(vm_agent PRIVATE -static)
set_target_properties(vm_agent PROPERTIES OUTPUT_NAME agent
  RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/vm)
if(CMAKE_CROSSCOMPILING)
  return()
endif()

set(KTRACE_LAB_KERNEL 6.1)
set(MATRIX ${CMAKE_CURRENT_SOURCE_DIR}/kernels/matrix)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${MATRIX})
file(STRINGS ${MATRIX} KERNEL_LINES REGEX "^kernel [^ ]+ [^-]")

# ktrace_vm_test(NAME LABELS COST ARGS...): run.sh with these; COST: about what it takes in
# seconds. 77: the kernel could not be had, and this is not CI.
function(ktrace_vm_test name labels cost)
  add_test(NAME vm.${name}
    COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/vm/run.sh ${ARGN}
      --junitxml=${CMAKE_BINARY_DIR}/junit/vm.${name}.xml
    WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
  set_tests_properties(vm.${name} PROPERTIES LABELS "vm;full;${labels}" TIMEOUT 2400
    SKIP_RETURN_CODE 77 COST ${cost}
    ENVIRONMENT "KTRACE=$<TARGET_FILE:ktrace>;KTRACE_WORKLOADS=${CMAKE_BINARY_DIR}/workload;KTRACE_VM_NAME=${name}")
endfunction()

foreach(line ${KERNEL_LINES})
  string(REGEX REPLACE "^kernel ([^ ]+) .*" "\\1" kernel "${line}")
  if(kernel STREQUAL KTRACE_LAB_KERNEL) # the lab itself, and variants of tests that one kernel shows for all
    ktrace_vm_test(${kernel} slow 600 ${kernel})
    ktrace_vm_test(lab slow 20 ${kernel} vm/test_guest.py)
    ktrace_vm_test(peers slow 80 ${kernel} peers)
    set_property(TEST vm.peers APPEND PROPERTY ENVIRONMENT KTRACE_VM_PROGRAMS=bpftrace)
  else()
    ktrace_vm_test(${kernel} slow 400 ${kernel})
  endif()
  if(line MATCHES "-arm64$")
    set_tests_properties(vm.${kernel} PROPERTIES FIXTURES_REQUIRED arm64)
  endif()
endforeach()
add_test(NAME arm64.build COMMAND sh -c "cmake --preset arm64 && ninja -C build-arm64"
  WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
# First of all, for it takes both processors, and one would stand empty until the other is free.
set_tests_properties(arm64.build PROPERTIES FIXTURES_SETUP arm64 LABELS "vm;full;slow" PROCESSORS 2
  TIMEOUT 600 COST 10000)

find_program(KTRACE_PYTHON NAMES /usr/bin/python3 python3 REQUIRED)
add_test(NAME docs.kernels COMMAND ${KTRACE_PYTHON} -B ${CMAKE_CURRENT_SOURCE_DIR}/kernels/table.py --check)
set_tests_properties(docs.kernels PROPERTIES LABELS "lint;quick" TIMEOUT 60)
