set(STERNA_CORE cortex-m7)
include(${CMAKE_CURRENT_LIST_DIR}/cortex-m.cmake)
