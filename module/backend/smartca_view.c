/* SPDX-License-Identifier: Apache-2.0 */
#include "module/backend/smartca_view.h"

#include <string.h>

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include "module/backend/attributes.h"
#include "module/backend/profiles.h"
#include "remote/base/cleanup.h"

/* A text with every place taken by the longest name that a subject may have stays far below. */
enum { FILLED_MAX = 64 * 1024 };

/* What may stand in double braces. undefined: the certificate's serial number. */
static const struct {
    const char *name;
    int nid;
} places[] = {
    {"SubjectDN.CN", NID_commonName},
    {"SubjectDN.O", NID_organizationName},
    {"SubjectDN.OU", NID_organizationalUnitName},
    {"SubjectDN.L", NID_localityName},
    {"SubjectDN.ST", NID_stateOrProvinceName},
    {"SubjectDN.C", NID_countryName},
    {"SubjectDN.UID", NID_userId},
    {"SerialNumber", NID_undef},
};

static void name_freep(X509_NAME **name)
{
    X509_NAME_free(*name);
}

char *smartca_view_label(const struct catalogue_entry *entry)
{
    const struct span name = entry->leaf.common_name;

    if (!entry->has_certificate)
        return strdup("");
    if (entry->view.display_name[0])
        return strdup(entry->view.display_name);
    return strndup((const char *)name.ptr, name.len);
}

/* SCA_PROTOCOL of a full buffer: the rest of the text is left out, which a reader sees. */
static enum sca_status append(struct buf *out, struct span bytes)
{
    enum sca_status st = buf_append(out, bytes);
    return st == SCA_PROTOCOL ? SCA_OK : st;
}

/* The last one, as for the common name: the most specific where there are several. */
static enum sca_status append_part(struct buf *out, const X509_NAME *subject, int nid)
{
    unsigned char *text = NULL;
    int last = -1;

    for (int at = -1; subject && (at = X509_NAME_get_index_by_NID(subject, nid, at)) >= 0;)
        last = at;
    if (last < 0)
        return SCA_OK;
    int len =
        ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, last)));
    if (len < 0)
        return SCA_OK; /* no text: as if it were not there */
    struct span bytes = span_of(text, (size_t)len);
    enum sca_status st = utf8_is_valid(bytes) ? append(out, bytes) : SCA_OK;
    OPENSSL_free(text);
    return st;
}

static enum sca_status append_serial(struct buf *out, const struct certificate *leaf)
{
    char hex[CERTIFICATE_SERIAL_HEX];
    return append(out, span_text(certificate_serial_hex(leaf->serial, hex)));
}

/* Of the place that begins at text; its length with both braces, 0 where there is none known. */
static size_t find_place(const char *text, int *ret_nid)
{
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        size_t len = strlen(places[i].name);
        if (strncmp(text, "{{", 2) != 0 || strncmp(text + 2, places[i].name, len) != 0 ||
            strncmp(text + 2 + len, "}}", 2) != 0)
            continue;
        *ret_nid = places[i].nid;
        return len + 4;
    }
    return 0;
}

static enum sca_status fill_in(const char *text, const struct certificate *leaf,
                               const X509_NAME *subject, struct buf *out)
{
    enum sca_status st = SCA_OK;

    while (st == SCA_OK && *text) {
        int nid = NID_undef;
        size_t place = find_place(text, &nid);
        size_t plain = strcspn(text + 1, "{") + 1;
        if (place == 0)
            st = append(out, span_of(text, plain));
        else if (nid == NID_undef)
            st = append_serial(out, leaf);
        else
            st = append_part(out, subject, nid);
        text += place ? place : plain;
    }
    return st;
}

enum sca_status smartca_view_fill_in(const char *text, const struct certificate *leaf,
                                     struct buf *ret_text)
{
    AUTO(name_freep) X509_NAME *subject = NULL;
    const uint8_t *der = leaf->subject.ptr;

    buf_init(ret_text, FILLED_MAX, false);
    /* The queue of errors is the host's as well: it finds there what it left. */
    (void)ERR_set_mark();
    subject = d2i_X509_NAME(NULL, &der, (long)leaf->subject.len);
    enum sca_status st = fill_in(text, leaf, subject, ret_text);
    (void)ERR_pop_to_mark();
    return st;
}

static enum sca_status add_data(const struct token *token, struct object_sink *sink,
                                unsigned number, const char *label, struct span value)
{
    struct attributes a = {.count = 0};
    char unique_id[UNIQUE_ID_SIZE];

    attributes_add_storage(&a, CKO_DATA, false);
    unique_id_add(&a, "smartca", token->identity.serial, number, unique_id);
    attributes_add_text(&a, CKA_LABEL, label);
    attributes_add_text(&a, CKA_APPLICATION, "VNPT eContract");
    attributes_add_text(&a, CKA_OBJECT_ID, "");
    attributes_add(&a, CKA_VALUE, value);
    return sink->add(sink, number, false, a.list, a.count);
}

enum sca_status smartca_view_list(const struct token *token, const struct catalogue_entry *entry,
                                  unsigned first_number, struct object_sink *sink)
{
    static const char *const modes[] = {
        [DISPLAY_TEXT_IMAGE] = "text-image", [DISPLAY_TEXT] = "text", [DISPLAY_IMAGE] = "image"};
    const struct catalogue_view *view = &entry->view;
    AUTO(buf_fini) struct buf text;

    buf_init(&text, 0, false);
    if (!view->has_appearance)
        return SCA_OK;
    enum sca_status st = smartca_view_fill_in(view->signature_text, &entry->leaf, &text);
    if (st == SCA_OK)
        st = add_data(token, sink, first_number, "signature-text", buf_span(&text));
    if (st == SCA_OK)
        st = add_data(token, sink, first_number + 1, "display-mode",
                      span_text(modes[view->display_mode]));
    if (st == SCA_OK && view->signature_image.len)
        st = add_data(token, sink, first_number + 2, "signature-image", view->signature_image);
    return st;
}
