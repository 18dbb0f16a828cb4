# SPDX-License-Identifier: GPL-2.0-or-later
# The pytest suites as ctest tests. quick.* is what is not marked slow, slow.* the
# rest; label full is both. Up to three failed tests are run again, and named.
if(KTRACE_SANITIZE) # the programs under test are the static ones
  return()
endif()

# pytest exits with 5 when it found no test, which is a failure like any other.
function(ktrace_suite part suite marks timeout)
  set(name ${part}.${suite})
  add_test(NAME ${name}
    COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/again.sh ${name} 3 -q -m ${marks}
      --junitxml=${CMAKE_BINARY_DIR}/junit/${name}.xml ${CMAKE_CURRENT_SOURCE_DIR}/${suite}
    WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES
    LABELS "full;${part}" RUN_SERIAL TRUE TIMEOUT ${timeout}
    ENVIRONMENT "KTRACE=$<TARGET_FILE:ktrace>;KTRACE_WORKLOADS=${CMAKE_BINARY_DIR}/workload")
endfunction()

ktrace_suite(quick cli "not slow" 1200)
ktrace_suite(quick tools "not slow" 1200)
ktrace_suite(quick bench "not slow" 120)
ktrace_suite(slow cli "slow" 3600)
ktrace_suite(slow tools "slow" 3600)
