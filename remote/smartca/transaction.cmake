# SPDX-License-Identifier: Apache-2.0
# The transaction half of the folder, and the loadable network half made of everything below remote/.
smartca_library(sca_smartca client.c confirm.c deliver.c fetch.c journal.c journal_file.c ledger.c
    request.c schedule.c service.c transaction.c ${PROJECT_SOURCE_DIR}/remote/remote.c)
target_link_libraries(sca_smartca PUBLIC sca_smartca_codec sca_audit sca_http sca_catalogue sca_config sca_base
    PkgConfig::UUID PkgConfig::CJSON)

add_library(smartca-remote MODULE ${PROJECT_SOURCE_DIR}/remote/remote.c)
target_link_libraries(smartca-remote PRIVATE sca_smartca)
# nodelete: libcurl and libcrypto keep threads' data that outlives a dlclose.
target_link_options(smartca-remote PRIVATE
    -Wl,--version-script=${PROJECT_SOURCE_DIR}/remote/remote.map -Wl,-z,nodelete)
set_target_properties(smartca-remote PROPERTIES
    PREFIX ""
    LINK_DEPENDS ${PROJECT_SOURCE_DIR}/remote/remote.map
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/module)
install(TARGETS smartca-remote LIBRARY DESTINATION ${SMARTCA_REMOTE_DIR})
