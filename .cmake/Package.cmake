# SPDX-License-Identifier: Apache-2.0
# One package, as a .deb (cpack -G DEB) or an .rpm (cpack -G RPM): module, network half, tool and what conf/
# installs. They are of little use without each other. Version, release, packager and date are those of the
# newest entry of conf/package/changelog.
set(package_dir ${PROJECT_SOURCE_DIR}/conf/package)
file(READ ${package_dir}/changelog changelog)
if(NOT changelog MATCHES "^([^ ]+) \\(([^-]+)-([^)]+)\\)[^\n]*\n\n(.*)\n -- ([^\n]*>)  ([^\n]*)\n"
   OR NOT CMAKE_MATCH_2 STREQUAL PROJECT_VERSION)
    message(FATAL_ERROR "the newest entry of conf/package/changelog is not of version ${PROJECT_VERSION}")
endif()
set(CPACK_PACKAGE_NAME ${CMAKE_MATCH_1})
set(release ${CMAKE_MATCH_3})
set(changes ${CMAKE_MATCH_4})
set(CPACK_PACKAGE_CONTACT ${CMAKE_MATCH_5})
set(released ${CMAKE_MATCH_6})
execute_process(COMMAND date -u -d ${released} +%s
    OUTPUT_VARIABLE epoch OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} -E env LC_ALL=C date -u -d ${released} "+%a %b %d %Y"
    OUTPUT_VARIABLE rpm_date OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)

set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_VENDOR "libsmartca-pkcs11")
set(CPACK_PACKAGE_HOMEPAGE_URL "https://smartca.vnpt.vn")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "PKCS#11 module and tool for VNPT SmartCA and eContract signing")
set(CPACK_PACKAGE_DESCRIPTION_FILE ${package_dir}/description)
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS ${CMAKE_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS})
set(CPACK_PACKAGING_INSTALL_PREFIX ${CMAKE_INSTALL_PREFIX})
set(CPACK_PROJECT_CONFIG_FILE ${PROJECT_SOURCE_DIR}/.cmake/PackageConfig.cmake)
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/.cmake/PackageStaged.cmake)
set(CPACK_SMARTCA_EPOCH ${epoch})
set(CPACK_SMARTCA_PACKAGE_DIR ${package_dir})
set(CPACK_GENERATOR RPM)
if(EXISTS /etc/debian_version)
    set(CPACK_GENERATOR DEB)
endif()

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE ${release})
set(CPACK_DEBIAN_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# Roots for HTTPS; the rest is what recipes call for.
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "ca-certificates, p11-kit")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "bash-completion, gnutls-bin, libengine-pkcs11-openssl, libnotify-bin, libnss3-tools, opensc")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${package_dir}/postinst ${package_dir}/prerm ${package_dir}/postrm)

set(CPACK_RPM_PRE_UNINSTALL_SCRIPT_FILE ${package_dir}/preun)
set(CPACK_RPM_FILE_NAME RPM-DEFAULT)
set(CPACK_RPM_PACKAGE_RELEASE ${release})
set(CPACK_RPM_PACKAGE_LICENSE Apache-2.0)
set(CPACK_RPM_PACKAGE_GROUP "Applications/Security")
set(CPACK_RPM_CHANGELOG_FILE ${PROJECT_BINARY_DIR}/rpm-changelog)
string(REGEX REPLACE "\n    " " " changes "${changes}")
string(REGEX REPLACE "(^|\n)  \\* " "\\1- " changes "${changes}")
file(WRITE ${CPACK_RPM_CHANGELOG_FILE}
    "* ${rpm_date} ${CPACK_PACKAGE_CONTACT} - ${PROJECT_VERSION}-${release}\n${changes}")
# What is more than a file: CPack takes everything with an absolute destination for configuration.
set(CPACK_RPM_USER_FILELIST
    "%attr(0644,root,root) ${SMARTCA_MODULE_DIR}/libsmartca-pkcs11.so"
    "%attr(0644,root,root) ${SMARTCA_REMOTE_DIR}/smartca-remote.so"
    "%attr(0644,root,root) ${SMARTCA_MODULE_CONFIG_DIR}/smartca-pkcs11.module"
    "%license /usr/share/licenses/${CPACK_PACKAGE_NAME}/LICENSE"
    "%lang(vi) ${CMAKE_INSTALL_FULL_LOCALEDIR}/vi/LC_MESSAGES/smartca-pkcs11.mo")
# Folders that other packages own.
set(CPACK_RPM_EXCLUDE_FROM_AUTO_FILELIST_ADDITION
    ${SMARTCA_MODULE_DIR} ${SMARTCA_MODULE_CONFIG_DIR}
    ${CMAKE_INSTALL_FULL_LIBDIR}
    ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig /usr/lib/systemd /usr/lib/systemd/user /usr/lib/systemd/system
    /usr/share/p11-kit /usr/share/bash-completion /usr/share/bash-completion/completions /usr/share/licenses
    /usr/share/locale /usr/share/locale/vi /usr/share/locale/vi/LC_MESSAGES /usr/share/man /usr/share/man/man1
    /usr/share/man/man5 /usr/share/man/man7 /usr/lib/sysusers.d)

# The list of what is linked, exactly: made after linking, from the files themselves.
set(sbom ${PROJECT_BINARY_DIR}/${CPACK_PACKAGE_NAME}.spdx.json)
set(files $<TARGET_FILE:smartca> $<TARGET_FILE:smartca-pkcs11> $<TARGET_FILE:smartca-remote>)
add_custom_command(OUTPUT ${sbom}
    COMMAND ${PROJECT_SOURCE_DIR}/.cmake/sbom.sh ${sbom} ${CPACK_PACKAGE_NAME} ${PROJECT_VERSION} ${epoch} ${files}
    DEPENDS smartca smartca-pkcs11 smartca-remote ${PROJECT_SOURCE_DIR}/.cmake/sbom.sh VERBATIM)
add_custom_target(sbom ALL DEPENDS ${sbom})
install(FILES ${sbom} DESTINATION ${CMAKE_INSTALL_DOCDIR})

include(CPack)
