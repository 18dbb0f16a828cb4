# SPDX-License-Identifier: GPL-2.0-or-later
# `cmake --install` and `cpack -G TGZ|DEB|RPM` (RPM needs rpmbuild): the
# executable, one symlink per tool of cmd/tools.def, the
# documentation and the licences.
install(TARGETS ktrace RUNTIME DESTINATION bin)
install(FILES LICENSE DESTINATION share/doc/ktrace RENAME copyright)
install(DIRECTORY LICENSES docs DESTINATION share/doc/ktrace)
install(FILES README.md DESTINATION share/doc/ktrace)

set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS cmd/tools.def)
file(STRINGS cmd/tools.def TOOLS REGEX "^TOOL\\(")
list(TRANSFORM TOOLS REPLACE "^TOOL\\(([a-z0-9_]+)\\).*" "\\1")
foreach(tool ${TOOLS})
  install(CODE "file(CREATE_LINK ktrace \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/bin/${tool}\" SYMBOLIC)")
endforeach()

set(CPACK_PACKAGE_NAME ktrace)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_VENDOR "ktrace developers")
set(CPACK_PACKAGE_CONTACT "ktrace developers")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Linux kernel tracing tools in one static executable")
set(CPACK_PACKAGE_DESCRIPTION "Where the kernel waits, what it allocates and what it defers, by stack and task.
One executable that needs no library, no kernel headers and no compiler.")
set(CPACK_PACKAGE_FILE_NAME ktrace-${PROJECT_VERSION}-${CMAKE_SYSTEM_PROCESSOR})
set(CPACK_RESOURCE_FILE_LICENSE ${CMAKE_SOURCE_DIR}/LICENSE)
set(CPACK_GENERATOR TGZ;DEB)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_RPM_PACKAGE_LICENSE "GPL-2.0-or-later AND (GPL-2.0-only OR BSD-2-Clause)")
set(CPACK_RPM_PACKAGE_AUTOREQ OFF)
# The same bytes from the same source, wherever and whenever it is packed.
set(CPACK_RPM_SPEC_MORE_DEFINE "%define _buildhost localhost
%define use_source_date_epoch_as_buildtime 1
%define clamp_mtime_to_source_date_epoch 1
%define _build_id_links none")
include(CPack)
