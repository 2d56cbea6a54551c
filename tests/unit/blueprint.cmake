# SPDX-License-Identifier: Apache-2.0
# Template rules and keys, without tokens and sessions.
set(blueprint_sources token/attribute_table.c token/blueprint.c token/blueprint_certificate.c
    token/blueprint_change.c token/blueprint_create.c token/blueprint_generate.c token/blueprint_key.c
    token/blueprint_template.c token/curve.c token/der.c token/failure.c token/key_curve.c token/key_material.c
    token/key_numbers.c token/key_parts.c token/key_pkcs8.c
    token/object.c backend/attributes.c)
foreach(test test_blueprint test_blueprint_create test_blueprint_certificate test_blueprint_generate
        test_blueprint_programs test_blueprint_refused test_blueprint_change test_key_material test_key_memory)
    # A sanitizer's memory is a shadow of terabytes, too much to search.
    if(test STREQUAL test_key_memory AND SMARTCA_SANITIZE)
        continue()
    endif()
    smartca_token_test(${test} ${blueprint_sources})
    target_sources(${test} PRIVATE blueprint_stage.c)
endforeach()
