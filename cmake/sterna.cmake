# Functions for projects that compile a model at build time, or run it on an emulated board.
#
#   sterna_add_model(<target> MODEL <file> [NAME <name>] [OPTIONS <option>...])
#   sterna_link_board(<target>)

# Not CMAKE_CURRENT_LIST_DIR: in a function that is the caller's folder.
set(STERNA_CMAKE_DIR ${CMAKE_CURRENT_LIST_DIR})
# Beside this file where it is installed.
set(STERNA_TARGETS_DIR ${CMAKE_CURRENT_LIST_DIR}/targets)
if(NOT EXISTS ${STERNA_TARGETS_DIR})
  set(STERNA_TARGETS_DIR ${CMAKE_CURRENT_LIST_DIR}/../Templates/targets)
endif()

# Adds the static library <target> with the C code of a model. Programs that link with it can include <name>.h.
# The model is compiled again whenever it, the tool, or a file that the model refers to changes.
#
#   MODEL    an .onnx file, relative to the current source folder
#   NAME     the prefix of all its symbols; unless given what `sterna name <file>` says, which is made of the file's stem
#   OPTIONS  for `sterna compile`, such as --schedule frame
#
# The tool is the cache variable STERNA_EXECUTABLE; unset, the `sterna` in PATH, else one built in this checkout.
function(sterna_add_model target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "MODEL;NAME" "OPTIONS")
  if(NOT arg_MODEL)
    message(FATAL_ERROR "sterna_add_model(${target}): MODEL is missing")
  endif()
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "sterna_add_model(${target}): unknown arguments: ${arg_UNPARSED_ARGUMENTS}")
  endif()
  find_program(
    STERNA_EXECUTABLE sterna
    PATHS ${STERNA_CMAKE_DIR}/../.build/release ${STERNA_CMAKE_DIR}/../.build/debug ${STERNA_CMAKE_DIR}/../../../bin
    NO_CMAKE_FIND_ROOT_PATH
    DOC "The sterna compiler")
  if(NOT STERNA_EXECUTABLE)
    message(FATAL_ERROR "sterna_add_model(${target}): no sterna in PATH: set STERNA_EXECUTABLE, "
                        "or build it in the checkout: swift build -c release")
  endif()

  get_filename_component(model ${arg_MODEL} ABSOLUTE)
  if(arg_NAME)
    set(name ${arg_NAME})
  else()
    # The tool's own rule, so that there is only one.
    execute_process(
      COMMAND ${STERNA_EXECUTABLE} name ${model}
      OUTPUT_VARIABLE name
      OUTPUT_STRIP_TRAILING_WHITESPACE
      RESULT_VARIABLE status)
    if(NOT status EQUAL 0)
      message(FATAL_ERROR "sterna_add_model(${target}): ${STERNA_EXECUTABLE} name: ${status}")
    endif()
    # Two files of one name would meet in any program that has both.
    get_property(other GLOBAL PROPERTY STERNA_MODEL_OF_${name})
    if(other AND NOT other STREQUAL model)
      message(FATAL_ERROR "sterna_add_model(${target}): ${model} and ${other} are both called '${name}': "
                          "give one of them another NAME")
    endif()
    set_property(GLOBAL PROPERTY STERNA_MODEL_OF_${name} ${model})
  endif()

  # A folder of its own for each target: two may compile one model with different options.
  set(directory ${CMAKE_CURRENT_BINARY_DIR}/sterna/${target})
  # In the order of the depfile: Ninja rebuilds for ever where the first of both is not the same.
  set(outputs ${directory}/${name}.h ${directory}/${name}.c ${directory}/${name}.json)
  add_custom_command(
    OUTPUT ${outputs}
    COMMAND ${STERNA_EXECUTABLE} compile ${model} -o ${directory} --name ${name} --depfile ${directory}/${name}.d
            ${arg_OPTIONS}
    DEPENDS ${model} ${STERNA_EXECUTABLE}
    DEPFILE ${directory}/${name}.d
    COMMENT "Compiling ${arg_MODEL} to ${name}.c"
    VERBATIM)
  add_library(${target} STATIC ${outputs})
  target_include_directories(${target} PUBLIC ${directory})
  target_compile_features(${target} PUBLIC c_std_99)
endfunction()

# Gives a program the start-up code, linker script and semihosting of the emulated board that the toolchain file
# chose; on the host, or under Linux of another processor, semihosting.h by <stdio.h>.
function(sterna_link_board target)
  set(runtime ${STERNA_TARGETS_DIR})
  target_include_directories(${target} PRIVATE ${runtime})
  if(NOT CMAKE_CROSSCOMPILING OR CMAKE_SYSTEM_NAME STREQUAL Linux)
    target_sources(${target} PRIVATE ${runtime}/semihosting_stdio.c)
    return()
  endif()
  if(NOT STERNA_LINKER_SCRIPT)
    message(FATAL_ERROR "sterna_link_board(${target}): only for the toolchain files in ${STERNA_CMAKE_DIR}/toolchains")
  endif()
  target_sources(${target} PRIVATE ${runtime}/${STERNA_STARTUP} ${runtime}/semihosting.c ${runtime}/measure.c)
  target_link_options(
    ${target} PRIVATE -nostartfiles -Wl,--gc-sections -L${runtime} -T ${STERNA_LINKER_SCRIPT}
    -Wl,-Map=$<TARGET_FILE:${target}>.map)
  set_target_properties(
    ${target} PROPERTIES SUFFIX .elf
    LINK_DEPENDS "${runtime}/${STERNA_LINKER_SCRIPT};${runtime}/cortex_m_sections.ld")
endfunction()
