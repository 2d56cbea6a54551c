# SPDX-License-Identifier: Apache-2.0
# Run by cpack between installing into its folder and packing that: what each kind of package wants besides.
set(share ${CPACK_TEMPORARY_DIRECTORY}/usr/share)
set(doc ${share}/doc/${CPACK_PACKAGE_NAME})

set(readable FILE_PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)

if(CPACK_GENERATOR STREQUAL "DEB")
    file(COPY ${CPACK_SMARTCA_PACKAGE_DIR}/copyright ${CPACK_SMARTCA_PACKAGE_DIR}/changelog
        DESTINATION ${doc} ${readable})
    file(RENAME ${doc}/changelog ${doc}/changelog.Debian)
    file(COPY ${CPACK_SMARTCA_PACKAGE_DIR}/lintian-overrides DESTINATION ${share}/lintian/overrides ${readable})
    file(RENAME ${share}/lintian/overrides/lintian-overrides ${share}/lintian/overrides/${CPACK_PACKAGE_NAME})
else()
    file(COPY ${CPACK_RESOURCE_FILE_LICENSE} DESTINATION ${share}/licenses/${CPACK_PACKAGE_NAME} ${readable})
endif()

file(GLOB_RECURSE texts ${share}/man/*.[1-8] ${doc}/changelog.Debian)
foreach(text IN LISTS texts)
    execute_process(COMMAND gzip -9n ${text} COMMAND_ERROR_IS_FATAL ANY)
endforeach()

# Folders that installing made have its caller's umask.
file(GLOB_RECURSE entries LIST_DIRECTORIES true ${CPACK_TEMPORARY_DIRECTORY}/*)
foreach(entry IN LISTS entries)
    if(IS_DIRECTORY ${entry})
        file(CHMOD ${entry} PERMISSIONS ${CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS})
    endif()
endforeach()
