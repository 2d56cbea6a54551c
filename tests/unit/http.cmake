# SPDX-License-Identifier: Apache-2.0
foreach(test test_http test_http_bearer test_http_guest test_http_limits test_http_tls test_http_pool)
    smartca_unit_test(${test} sca_base sca_http PkgConfig::SSL)
    target_sources(${test} PRIVATE ${CMAKE_CURRENT_LIST_DIR}/http_client.c
                   ${CMAKE_CURRENT_LIST_DIR}/http_server.c)
endforeach()
