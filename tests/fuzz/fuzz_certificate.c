/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a certificate: what is accepted is the input itself and keeps the promises made. */
#include <stdlib.h>

#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"
#include "remote/catalogue/certificate.h"
#include "tests/fuzz/fuzz.h"

static void require(bool is_so)
{
    if (!is_so)
        abort();
}

static void check_view(const struct certificate *view, struct span der)
{
    char text[CERTIFICATE_SERIAL_TEXT];

    require(span_equal(view->der, der) && der.len <= CERTIFICATE_MAX);
    require(view->id.len == CERTIFICATE_ID_SIZE && view->spki.len > 0 && view->subject.len > 0);
    require(view->issuer.len > 0 && view->serial.len > 2 && view->serial.ptr[0] == 2);
    require((view->modulus.len == 0) == (view->exponent.len == 0));
    require(view->modulus.len == 0 || (view->modulus.len >= 256 && view->modulus.len <= 1024));
    require(utf8_is_valid(view->common_name));
    for (size_t i = 0; i < view->common_name.len; i++)
        require(view->common_name.ptr[i] >= ' ');
    certificate_serial_text(view->serial, text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(parsed_certificate_freep) struct parsed_certificate *parsed = NULL;
    char text[CERTIFICATE_SERIAL_TEXT];
    const char *why = NULL;

    certificate_serial_text(span_of(data, size), text);
    enum sca_status st = certificate_parse(crypto_libctx(), span_of(data, size), &parsed, &why);
    require((st == SCA_OK) == (why == NULL));
    if (st == SCA_OK)
        check_view(parsed_certificate_get(parsed), span_of(data, size));
    return 0;
}
