# Compiler options, and the libraries that the upper floors use.

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(THREADS_PREFER_PTHREAD_FLAG ON)

get_property(multi_config GLOBAL PROPERTY GENERATOR_IS_MULTI_CONFIG)
if(NOT CMAKE_BUILD_TYPE AND NOT multi_config)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "Release, Debug or RelWithDebInfo" FORCE)
endif()
# Assertions stay on in every build: what users run is what was tested, and a broken invariant stops with its name
# instead of teaching something wrong.
set(CMAKE_C_FLAGS_RELEASE "-O2")
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g")
set(CMAKE_C_FLAGS_DEBUG "-Og -g3")

if(CMAKE_BUILD_TYPE STREQUAL "Release" AND CLOUD370_LTO)
    include(CheckIPOSupported)
    check_ipo_supported(RESULT lto_works OUTPUT lto_trouble LANGUAGES C)
    if(lto_works)
        set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON)
    endif()
endif()

function(cloud370_compile_options target)
    # Empty, so that a file which says `#define _GNU_SOURCE` itself agrees with it.
    target_compile_definitions(${target} PRIVATE _GNU_SOURCE=)
    # Labels as values (computed goto) are used in isa/, so no -Wpedantic.
    target_compile_options(${target} PRIVATE -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes)
    if(CLOUD370_WERROR)
        target_compile_options(${target} PRIVATE -Werror)
    endif()
endfunction()

# cloud370_find(TARGET NAME MODULE...): an imported target from the first of the pkg-config modules that is there.
find_package(PkgConfig REQUIRED)
function(cloud370_find target name)
    foreach(module IN LISTS ARGN)
        string(MAKE_C_IDENTIFIER "pc_${module}" prefix)
        pkg_check_modules(${prefix} QUIET IMPORTED_TARGET GLOBAL "${module}")
        if(${prefix}_FOUND)
            add_library(${target} INTERFACE)
            target_link_libraries(${target} INTERFACE PkgConfig::${prefix})
            return()
        endif()
    endforeach()
    message(FATAL_ERROR "${name} was not found (pkg-config: ${ARGN}); ./cloud370 doctor lists what is needed")
endfunction()

cloud370_find(cloud370_zstd "zstd" libzstd)
if("scenarios" IN_LIST CLOUD370_FLOORS OR "ui" IN_LIST CLOUD370_FLOORS)
    cloud370_find(cloud370_lua "Lua 5.4" lua5.4 lua-5.4 lua54 "lua>=5.4")
    cloud370_find(cloud370_jansson "jansson" jansson)
endif()
if("ui" IN_LIST CLOUD370_FLOORS)
    cloud370_find(cloud370_ncurses "ncurses, wide" ncursesw)
endif()
if(CLOUD370_TESTS)
    cloud370_find(cloud370_cmocka "cmocka" cmocka)
endif()
