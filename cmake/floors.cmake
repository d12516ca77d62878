# Floors: one library per folder, and the direction of the tower made a rule of the build.
#
# Includes are written from the root ("mmu/storage.h"), but no target sees the root. Each floor gets a folder
# include/<floor> in the build tree that holds links to its own folder and to those below, and nothing else; an include
# that points upwards finds no file, and does not build.

set(cloud370_tower base mmu isa vmm scenarios ui)

# include/<view> holds links to the given folders of the source tree, and only those.
function(cloud370_include_view view)
    set(place ${PROJECT_BINARY_DIR}/include/${view})
    file(MAKE_DIRECTORY ${place})
    file(GLOB present RELATIVE ${place} ${place}/*)
    foreach(folder IN LISTS present)
        if(NOT folder IN_LIST ARGN)
            file(REMOVE ${place}/${folder})
        endif()
    endforeach()
    foreach(folder IN LISTS ARGN)
        file(CREATE_LINK ${PROJECT_SOURCE_DIR}/${folder} ${place}/${folder} SYMBOLIC)
    endforeach()
endfunction()

# cloud370_floor(NAME [PACKAGES target...]): the library NAME from the folder NAME and the folders in it. A folder with
# no source yet becomes a library of nothing. ui/cli/main.c is kept out of the library: it is the executable.
function(cloud370_floor name)
    cmake_parse_arguments(floor "" "" "PACKAGES" ${ARGN})
    if(NOT name IN_LIST CLOUD370_FLOORS)
        return()
    endif()
    list(FIND cloud370_tower ${name} height)
    math(EXPR count "${height} + 1")
    list(SUBLIST cloud370_tower 0 ${count} visible)
    cloud370_include_view(${name} ${visible})
    set(below ${visible})
    list(REMOVE_ITEM below ${name})

    if(name STREQUAL "scenarios")
        # The other folders of this floor hold guests and labs, whose C sources are students' modules.
        set(patterns scenarios/engine/*.c)
    else()
        set(patterns ${name}/*.c ${name}/*/*.c)
    endif()
    file(GLOB sources CONFIGURE_DEPENDS ${patterns})
    set(main ${PROJECT_SOURCE_DIR}/ui/cli/main.c)
    list(REMOVE_ITEM sources ${main})

    # Every floor has at least this source, so that an empty folder, or one that embeds files only, links as well.
    set(mark ${PROJECT_BINARY_DIR}/generated/${name}/floor.c)
    file(CONFIGURE OUTPUT ${mark} CONTENT "typedef int floor_@name@;\n" @ONLY)
    add_library(${name} STATIC ${mark} ${sources})
    cloud370_compile_options(${name})
    target_include_directories(${name} PRIVATE ${PROJECT_BINARY_DIR}/include/${name})
    # CMake orders the archives: a floor comes before those it stands on.
    foreach(lower IN LISTS below)
        if(TARGET ${lower})
            target_link_libraries(${name} PUBLIC ${lower})
        endif()
    endforeach()
    target_link_libraries(${name} PUBLIC ${floor_PACKAGES})

    if(name STREQUAL "ui" AND EXISTS ${main})
        add_executable(cloud370 ${main})
        cloud370_compile_options(cloud370)
        target_include_directories(cloud370 PRIVATE ${PROJECT_BINARY_DIR}/include/ui)
        target_link_libraries(cloud370 PRIVATE ui)
        set_target_properties(cloud370 PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
    endif()
endfunction()

# cloud370_embed(TARGET TABLE HEADER PATTERN...): the files become the table TABLE of struct embedded_file, which HEADER
# declares, compiled into TARGET. A changed, new or removed file builds the table anew.
function(cloud370_embed target table header)
    if(NOT TARGET ${target})
        return()
    endif()
    file(GLOB files CONFIGURE_DEPENDS ${ARGN})
    set(output ${PROJECT_BINARY_DIR}/generated/${target}/${table}.c)
    # The list of files is in the command line, so removing one changes the command, and that builds the table anew.
    add_custom_command(
        OUTPUT ${output}
        COMMAND ${CMAKE_COMMAND} -D OUTPUT=${output} -D TABLE=${table} -D HEADER=${header}
                -P ${PROJECT_SOURCE_DIR}/cmake/embed.cmake -- ${files}
        DEPENDS ${files} ${PROJECT_SOURCE_DIR}/cmake/embed.cmake
        COMMENT "Embedding ${table}"
        VERBATIM)
    target_sources(${target} PRIVATE ${output})
endfunction()
