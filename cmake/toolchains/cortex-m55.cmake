set(STERNA_CORE cortex-m55)
include(${CMAKE_CURRENT_LIST_DIR}/cortex-m.cmake)
