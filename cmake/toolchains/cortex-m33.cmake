set(STERNA_CORE cortex-m33)
include(${CMAKE_CURRENT_LIST_DIR}/cortex-m.cmake)
