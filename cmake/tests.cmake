# Tests, found by name: nothing needs to be listed.
#
#     tests/<folder>/test_NAME.c     one cmocka executable, linked against every floor: ctest <folder>/NAME
#     tests/<folder>/test_NAME.sh    a shell script: ctest <folder>/NAME.sh; exit status 77 means skipped
#     tests/support/*.c              linked into all of the executables
#     tests/fuzz/NAME.c              one fuzz target (LLVMFuzzerTestOneInput); with libFuzzer under CLOUD370_FUZZ,
#                                    otherwise a replay of the seed inputs in tests/fuzz/seeds/NAME: ctest fuzz/NAME
#
# Headers are included from the root here too: "mmu/storage.h", "tests/support/machines.h".

cloud370_include_view(tests base mmu isa vmm scenarios ui tests)
set(test_floors)
foreach(floor IN LISTS cloud370_tower)
    if(TARGET ${floor})
        list(PREPEND test_floors ${floor})
    endif()
endforeach()

function(cloud370_test_executable target)
    add_executable(${target} ${ARGN})
    cloud370_compile_options(${target})
    target_include_directories(${target} PRIVATE ${PROJECT_BINARY_DIR}/include/tests)
    target_compile_definitions(${target} PRIVATE SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    target_link_libraries(${target} PRIVATE ${test_floors})
    set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
endfunction()

# The environment of every test. Sanitizers stop at the first finding, with a stack.
set(test_environment
    SOURCE_DIR=${PROJECT_SOURCE_DIR} BUILD_DIR=${PROJECT_BINARY_DIR} CLOUD370=${PROJECT_BINARY_DIR}/cloud370
    UBSAN_OPTIONS=print_stacktrace=1)

function(cloud370_add_test name label)
    add_test(NAME ${name} COMMAND ${ARGN})
    set_tests_properties(${name} PROPERTIES LABELS ${label} ENVIRONMENT "${test_environment}" SKIP_RETURN_CODE 77)
endfunction()

if(CLOUD370_TESTS)
    file(GLOB support CONFIGURE_DEPENDS tests/support/*.c)
    if(support)
        add_library(test_support OBJECT ${support})
        cloud370_compile_options(test_support)
        target_include_directories(test_support PRIVATE ${PROJECT_BINARY_DIR}/include/tests)
        target_link_libraries(test_support PRIVATE ${test_floors} cloud370_cmocka)
    endif()

    file(GLOB_RECURSE sources RELATIVE ${PROJECT_SOURCE_DIR}/tests CONFIGURE_DEPENDS tests/test_*.c)
    list(FILTER sources EXCLUDE REGEX "^(support|fuzz)/")
    foreach(source IN LISTS sources)
        string(REGEX REPLACE "test_([^/]*)\\.c$" "\\1" name ${source})
        string(REGEX REPLACE "/.*" "" floor ${source})
        string(REPLACE "/" "_" target test_${name})
        if(floor IN_LIST cloud370_tower AND NOT TARGET ${floor})
            continue()
        endif()
        cloud370_test_executable(${target} tests/${source})
        target_link_libraries(${target} PRIVATE cloud370_cmocka)
        if(support)
            target_link_libraries(${target} PRIVATE test_support)
        endif()
        cloud370_add_test(${name} ${floor} ${target})
    endforeach()

    file(GLOB_RECURSE scripts RELATIVE ${PROJECT_SOURCE_DIR}/tests CONFIGURE_DEPENDS tests/test_*.sh)
    list(FILTER scripts EXCLUDE REGEX "^(support|fuzz)/")
    foreach(script IN LISTS scripts)
        string(REGEX REPLACE "test_([^/]*)$" "\\1" name ${script})
        string(REGEX REPLACE "/.*" "" floor ${script})
        cloud370_add_test(${name} ${floor} sh ${PROJECT_SOURCE_DIR}/tests/${script})
    endforeach()
endif()

file(GLOB fuzzers RELATIVE ${PROJECT_SOURCE_DIR}/tests/fuzz CONFIGURE_DEPENDS tests/fuzz/*.c)
foreach(fuzzer IN LISTS fuzzers)
    string(REGEX REPLACE "\\.c$" "" name ${fuzzer})
    if(CLOUD370_FUZZ)
        cloud370_test_executable(fuzz_${name} tests/fuzz/${fuzzer})
        target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
    else()
        cloud370_test_executable(fuzz_${name} tests/fuzz/${fuzzer} tests/fuzz/replay/main.c)
        cloud370_add_test(fuzz/${name} fuzz fuzz_${name} ${PROJECT_SOURCE_DIR}/tests/fuzz/seeds/${name})
    endif()
endforeach()
