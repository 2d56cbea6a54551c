# SPDX-License-Identifier: Apache-2.0
# Signing with keys in this process, without tokens and sessions.
set(signer_sources token/signer.c token/signer_rsa.c token/signer_ecdsa.c token/signer_eddsa.c
    token/ecdsa_form.c)
foreach(test test_signer test_signer_ec)
    smartca_token_test(${test} ${signer_sources})
    target_sources(${test} PRIVATE signer_stage.c)
endforeach()
smartca_token_test(test_signer_form token/ecdsa_form.c)
smartca_token_test(test_signer_parameter token/mechanism_parameter.c)
