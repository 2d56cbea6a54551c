/* SPDX-License-Identifier: Apache-2.0 */
/* What applications see of what the owner of a certificate chose. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509.h>

#include <cmocka.h>

#include "module/backend/smartca.h"
#include "module/backend/smartca_view.h"
#include "remote/base/cleanup.h"

static uint8_t *subject;

static void add(X509_NAME *name, const char *type, int encoding, const char *text)
{
    assert_int_equal(
        X509_NAME_add_entry_by_txt(name, type, encoding, (const unsigned char *)text, -1, -1, 0),
        1);
}

/* A certificate with all that may stand in a text, two of them twice. */
static struct certificate make_leaf(void)
{
    X509_NAME *name = X509_NAME_new();
    assert_non_null(name);
    add(name, "C", MBSTRING_ASC, "VN");
    add(name, "ST", MBSTRING_UTF8, "TP Hồ Chí Minh");
    add(name, "L", MBSTRING_UTF8, "Quận 3");
    add(name, "O", MBSTRING_UTF8, "VNPT Group");
    add(name, "OU", MBSTRING_UTF8, "VNPT");
    add(name, "OU", MBSTRING_UTF8, "IT2");
    add(name, "UID", MBSTRING_UTF8, "CCCD:012345678901");
    add(name, "CN", MBSTRING_UTF8, "first");
    add(name, "CN", MBSTRING_UTF8, "Nguyễn Văn A");
    OPENSSL_free(subject);
    subject = NULL;
    int len = i2d_X509_NAME(name, &subject);
    assert_true(len > 0);
    X509_NAME_free(name);
    return (struct certificate){
        .subject = span_of(subject, (size_t)len),
        .serial = span_of("\x02\x03\x00\x8a\x01", 5),
        .common_name = span_text("Nguyễn Văn A"),
        .der = span_text("der"),
    };
}

static void expect_filled(const char *text, const char *expected)
{
    struct certificate leaf = make_leaf();
    AUTO(buf_fini) struct buf filled;

    assert_int_equal(smartca_view_fill_in(text, &leaf, &filled), SCA_OK);
    assert_string_equal(filled.len ? (const char *)filled.ptr : "", expected);
}

static void places_are_filled_from_the_certificate(void **state)
{
    (void)state;

    expect_filled("Ký bởi: {{SubjectDN.CN}}\n{{SubjectDN.O}}", "Ký bởi: Nguyễn Văn A\nVNPT Group");
    expect_filled("{{SubjectDN.OU}}, {{SubjectDN.L}}, {{SubjectDN.ST}}, {{SubjectDN.C}}",
                  "IT2, Quận 3, TP Hồ Chí Minh, VN");
    expect_filled("{{SubjectDN.UID}}/{{SerialNumber}}", "CCCD:012345678901/8a01");
    expect_filled("", "");
    expect_filled("no place", "no place");
}

/* The tool takes those and no others. */
static void every_place_of_the_catalogue_is_filled(void **state)
{
    static const char *const places[] = {CATALOGUE_PLACES};
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        struct certificate leaf = make_leaf();
        AUTO(buf_fini) struct buf filled;
        char text[64];
        (void)snprintf(text, sizeof(text), "[{{%s}}]", places[i]);
        assert_int_equal(smartca_view_fill_in(text, &leaf, &filled), SCA_OK);

        assert_null(strchr((const char *)filled.ptr, '{'));
        assert_true(filled.len > 2);
    }
}

static void what_nobody_knows_stays_as_it_is(void **state)
{
    static const char *const texts[] = {
        "{{SubjectDN.X}}",
        "{{subjectdn.cn}}",
        "{SubjectDN.CN}",
        "{{SubjectDN.CN}",
        "{{SubjectDN.CN ",
        "{{",
        "{",
        "}}{{",
        "{{SubjectDN}}",
        "{{ SubjectDN.CN }}",
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        expect_filled(texts[i], texts[i]);
    expect_filled("{{{SubjectDN.C}}}", "{VN}");
    expect_filled("{{SubjectDN.X{{SubjectDN.C}}}}", "{{SubjectDN.XVN}}");
}

/* What a name puts in is not looked at again. */
static void a_subject_that_looks_like_a_place_is_text(void **state)
{
    X509_NAME *name = X509_NAME_new();
    struct certificate leaf = make_leaf();
    AUTO(buf_fini) struct buf filled;
    uint8_t *der = NULL;
    (void)state;
    add(name, "CN", MBSTRING_UTF8, "{{SerialNumber}}");
    leaf.subject = span_of(NULL, 0);
    leaf.subject.len = (size_t)i2d_X509_NAME(name, &der);
    leaf.subject.ptr = der;

    assert_int_equal(smartca_view_fill_in("{{SubjectDN.CN}}{{SubjectDN.O}}.", &leaf, &filled),
                     SCA_OK);

    assert_string_equal((const char *)filled.ptr, "{{SerialNumber}}.");
    OPENSSL_free(der);
    X509_NAME_free(name);
}

static void a_subject_that_cannot_be_read_fills_in_nothing(void **state)
{
    struct certificate leaf = make_leaf();
    AUTO(buf_fini) struct buf filled;
    (void)state;
    leaf.subject = span_text("not DER");
    ERR_clear_error();

    assert_int_equal(smartca_view_fill_in("[{{SubjectDN.CN}}]", &leaf, &filled), SCA_OK);

    assert_string_equal((const char *)filled.ptr, "[]");
    assert_int_equal(ERR_peek_error(), 0);
}

static void a_text_that_explodes_is_cut(void **state)
{
    char text[CATALOGUE_TEXT_MAX + 1] = "";
    char longest[600];
    X509_NAME *name = X509_NAME_new();
    struct certificate leaf = make_leaf();
    AUTO(buf_fini) struct buf filled;
    uint8_t *der = NULL;
    (void)state;
    memset(longest, 'x', sizeof(longest));
    longest[599] = 0;
    for (int i = 0; i < 8; i++)
        add(name, "UID", MBSTRING_UTF8, longest);
    leaf.subject = span_of(NULL, 0);
    leaf.subject.len = (size_t)i2d_X509_NAME(name, &der);
    leaf.subject.ptr = der;
    while (strlen(text) + strlen("{{SubjectDN.UID}}") < sizeof(text))
        (void)strcat(text, "{{SubjectDN.UID}}");

    assert_int_equal(smartca_view_fill_in(text, &leaf, &filled), SCA_OK);

    assert_in_range(filled.len, 60000, 65536);
    OPENSSL_free(der);
    X509_NAME_free(name);
}

static void the_label_is_the_chosen_name_or_the_certificates(void **state)
{
    struct catalogue_entry entry = {.view = {.display_name = ""}};
    (void)state;

    AUTO(freep) char *none = smartca_view_label(&entry);
    entry.has_certificate = true;
    entry.leaf = make_leaf();
    AUTO(freep) char *certificates = smartca_view_label(&entry);
    entry.view.display_name = "Chị Hoa";
    AUTO(freep) char *chosen = smartca_view_label(&entry);

    assert_string_equal(none, "");
    assert_string_equal(certificates, "Nguyễn Văn A");
    assert_string_equal(chosen, "Chị Hoa");
}

/* What was listed: "number:label=value ..." of data objects, and how many others. */
struct listing {
    struct object_sink sink;
    char data[512];
    size_t others;
    bool is_odd; /* private, with an object id, without a unique id, of another application */
};

static const CK_ATTRIBUTE *find(const CK_ATTRIBUTE *attributes, CK_ULONG count,
                                CK_ATTRIBUTE_TYPE type)
{
    for (CK_ULONG i = 0; i < count; i++)
        if (attributes[i].type == type)
            return &attributes[i];
    fail_msg("attribute %lx is missing", type);
    return NULL;
}

static enum sca_status note(struct object_sink *sink, unsigned number, bool is_private,
                            const CK_ATTRIBUTE *attributes, CK_ULONG count)
{
    struct listing *listing = (struct listing *)sink;
    const CK_OBJECT_CLASS *class = find(attributes, count, CKA_CLASS)->pValue;

    if (*class != CKO_DATA) {
        listing->others++;
        return SCA_OK;
    }
    const CK_ATTRIBUTE *label = find(attributes, count, CKA_LABEL);
    const CK_ATTRIBUTE *value = find(attributes, count, CKA_VALUE);
    const CK_ATTRIBUTE *application = find(attributes, count, CKA_APPLICATION);
    size_t len = strlen(listing->data);
    (void)snprintf(listing->data + len, sizeof(listing->data) - len, "%s%u:%.*s=%.*s",
                   len ? " " : "", number, (int)label->ulValueLen, (const char *)label->pValue,
                   (int)value->ulValueLen, (const char *)value->pValue);
    listing->is_odd |= is_private || find(attributes, count, CKA_OBJECT_ID)->ulValueLen != 0 ||
                       find(attributes, count, CKA_UNIQUE_ID)->ulValueLen == 0 ||
                       application->ulValueLen != strlen("VNPT eContract") ||
                       memcmp(application->pValue, "VNPT eContract", application->ulValueLen) != 0;
    return SCA_OK;
}

static void expect_listed(const struct catalogue_view *view, const char *expected, size_t others)
{
    const struct token token = {.identity = {.serial = "0123456789abcdef"}};
    struct listing listing = {.sink = {.add = note}};
    struct catalogue_entry entry = {.has_certificate = true, .leaf = make_leaf(), .view = *view};

    assert_int_equal(smartca_objects_list(&token, &entry, &listing.sink), SCA_OK);
    assert_string_equal(listing.data, expected);
    assert_int_equal(listing.others, others);
    assert_false(listing.is_odd);
}

/* A certificate without an RSA key: itself and four profiles are the others. */
static void an_appearance_is_three_data_objects(void **state)
{
    struct catalogue_view view = {.display_name = "",
                                  .has_appearance = true,
                                  .signature_text = "{{SubjectDN.O}}",
                                  .signature_image = span_text("PNG")};
    (void)state;

    expect_listed(
        &view, "24:signature-text=VNPT Group 25:display-mode=text-image 26:signature-image=PNG", 5);
    view.display_mode = DISPLAY_TEXT;
    view.signature_image = span_of(NULL, 0);
    expect_listed(&view, "24:signature-text=VNPT Group 25:display-mode=text", 5);
    view.display_mode = DISPLAY_IMAGE;
    view.signature_text = "";
    expect_listed(&view, "24:signature-text= 25:display-mode=image", 5);
    view.has_appearance = false;
    expect_listed(&view, "", 5);
}

static enum sca_status refuse_data(struct object_sink *sink, unsigned number, bool is_private,
                                   const CK_ATTRIBUTE *attributes, CK_ULONG count)
{
    (void)sink;
    (void)number;
    (void)is_private;
    return *(const CK_OBJECT_CLASS *)find(attributes, count, CKA_CLASS)->pValue == CKO_DATA
               ? SCA_NOMEM
               : SCA_OK;
}

static void a_sink_without_memory_ends_the_list(void **state)
{
    const struct token token = {.identity = {.serial = "0123456789abcdef"}};
    struct object_sink sink = {.add = refuse_data};
    const struct catalogue_entry entry = {
        .has_certificate = true,
        .leaf = make_leaf(),
        .view = {.display_name = "", .has_appearance = true, .signature_text = ""}};
    (void)state;

    assert_int_equal(smartca_objects_list(&token, &entry, &sink), SCA_NOMEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_are_filled_from_the_certificate),
        cmocka_unit_test(every_place_of_the_catalogue_is_filled),
        cmocka_unit_test(what_nobody_knows_stays_as_it_is),
        cmocka_unit_test(a_subject_that_looks_like_a_place_is_text),
        cmocka_unit_test(a_subject_that_cannot_be_read_fills_in_nothing),
        cmocka_unit_test(a_text_that_explodes_is_cut),
        cmocka_unit_test(the_label_is_the_chosen_name_or_the_certificates),
        cmocka_unit_test(an_appearance_is_three_data_objects),
        cmocka_unit_test(a_sink_without_memory_ends_the_list),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    OPENSSL_free(subject);
    return failed;
}
