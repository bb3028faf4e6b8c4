set(STERNA_CORE cortex-m0)
include(${CMAKE_CURRENT_LIST_DIR}/cortex-m.cmake)
