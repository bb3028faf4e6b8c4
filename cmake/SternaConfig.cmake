# find_package(Sterna REQUIRED), with Sterna_DIR set to this folder.
include(${CMAKE_CURRENT_LIST_DIR}/sterna.cmake)
