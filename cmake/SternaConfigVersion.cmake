# find_package(Sterna 0.1): releases of one minor version take each other's place.
set(PACKAGE_VERSION 0.1.0)
if(PACKAGE_FIND_VERSION_MAJOR EQUAL 0 AND PACKAGE_FIND_VERSION_MINOR EQUAL 1 AND PACKAGE_FIND_VERSION VERSION_LESS_EQUAL
                                                                              PACKAGE_VERSION)
  set(PACKAGE_VERSION_COMPATIBLE TRUE)
endif()
if(PACKAGE_FIND_VERSION VERSION_EQUAL PACKAGE_VERSION)
  set(PACKAGE_VERSION_EXACT TRUE)
endif()
