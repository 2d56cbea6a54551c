/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/attempt.h"

#include <stdlib.h>
#include <string.h>

#include "remote/base/cleanup.h"
#include "tests/fuzz/rules.h"

enum { ROOM = 600, STRUCT_ROOM = 512, ATTRIBUTES_AT_MOST = 12, VALUE_ROOM = 32 };

/* Exactly so long, so that a sanitizer sees one byte too many; kept until nobody can write it. */
static void *block(struct caller *caller, size_t size)
{
    void *made = malloc(size);

    if (!made || caller->block_count == CALLER_BLOCKS)
        abort();
    caller->blocks[caller->block_count++] = made;
    return memset(made, ATTEMPT_UNTOUCHED, size);
}

static void push(struct attempt *attempt, uintptr_t word)
{
    require(attempt->word_count < ROW_WORDS_MAX);
    attempt->words[attempt->word_count++] = word;
}

static void push_room(struct caller *caller, struct attempt *attempt, char kind, size_t size)
{
    struct output *output = &attempt->outputs[attempt->output_count++];
    uint8_t choice = feed_byte(caller->feed);

    *output = (struct output){.kind = kind, .size = size};
    if (choice % 8 != 7)
        output->room = block(caller, size ? size : 1);
    push(attempt, (uintptr_t)output->room);
}

static void push_len(struct caller *caller, struct attempt *attempt, CK_ULONG given)
{
    struct output *output = &attempt->outputs[attempt->output_count - 1];

    if (feed_byte(caller->feed) != 0xff) {
        output->len = block(caller, sizeof(*output->len));
        *output->len = given;
        output->given = given;
    }
    push(attempt, (uintptr_t)output->len);
}

/* Room for bytes, or for numbers: enough most times. */
static void push_list(struct caller *caller, struct attempt *attempt, char kind, size_t unit)
{
    uint8_t choice = feed_byte(caller->feed);
    size_t count = choice < 0xf0 ? ROOM / unit : choice % 16U;

    push_room(caller, attempt, kind, count * unit);
    push_len(caller, attempt, count);
}

static void push_found(struct caller *caller, struct attempt *attempt)
{
    size_t max = feed_byte(caller->feed) % (CALLER_OBJECTS + 1U);

    push_room(caller, attempt, 'k', max * sizeof(CK_OBJECT_HANDLE));
    push(attempt, max);
    push_len(caller, attempt, 0);
}

static void push_session(struct caller *caller, struct attempt *attempt)
{
    uint8_t choice = feed_byte(caller->feed);

    attempt->session = &caller->sessions[choice % CALLER_SESSIONS];
    attempt->before = *attempt->session;
    if (choice >= 0xf8) {
        attempt->session = NULL;
        push(attempt, choice == 0xff ? feed_number(caller->feed) : choice);
        return;
    }
    push(attempt, attempt->session->handle);
}

static CK_SLOT_ID pick_slot(struct caller *caller)
{
    uint8_t choice = feed_byte(caller->feed);

    if (choice >= 0xf8 || caller->slot_count == 0)
        return choice;
    return caller->slots[choice % caller->slot_count];
}

static CK_OBJECT_HANDLE pick_object(struct caller *caller)
{
    uint8_t choice = feed_byte(caller->feed);

    if (choice >= 0xf0 || caller->object_count == 0)
        return choice;
    return caller->objects[choice % caller->object_count];
}

static uintptr_t pick_mechanism(struct caller *caller)
{
    static const CK_MECHANISM_TYPE types[] = {CKM_RSA_PKCS,        CKM_SHA256_RSA_PKCS,
                                              CKM_SHA384_RSA_PKCS, CKM_SHA512_RSA_PKCS,
                                              CKM_SHA256,          CKM_SHA_1,
                                              CKM_RSA_PKCS_PSS,    CKM_ECDSA,
                                              CKM_ECDSA_SHA256,    CKM_EDDSA,
                                              CKM_EC_KEY_PAIR_GEN, CKM_EC_EDWARDS_KEY_PAIR_GEN,
                                              CKM_SHA512,          CKM_SHA256_RSA_PKCS_PSS};
    uint8_t choice = feed_byte(caller->feed);
    CK_MECHANISM *mechanism = NULL;

    if (choice == 0xff)
        return 0;
    mechanism = block(caller, sizeof(*mechanism));
    *mechanism = (CK_MECHANISM){.mechanism = types[choice % ARRAY_LEN(types)]};
    bool is_pss =
        mechanism->mechanism == CKM_RSA_PKCS_PSS || mechanism->mechanism == CKM_SHA256_RSA_PKCS_PSS;
    if (is_pss != (choice >= 0xf0)) {
        mechanism->pParameter = block(caller, sizeof(CK_RSA_PKCS_PSS_PARAMS));
        mechanism->ulParameterLen = sizeof(CK_RSA_PKCS_PSS_PARAMS);
        *(CK_RSA_PKCS_PSS_PARAMS *)mechanism->pParameter =
            (CK_RSA_PKCS_PSS_PARAMS){CKM_SHA256, CKG_MGF1_SHA256, 32};
    }
    return (uintptr_t)mechanism;
}

static void make_attribute(struct caller *caller, CK_ATTRIBUTE *attribute)
{
    static const uint8_t p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
    static const struct {
        CK_ATTRIBUTE_TYPE type;
        char form; /* u number, b boolean, c curve, d bytes */
    } types[] = {
        {CKA_CLASS, 'u'},      {CKA_TOKEN, 'b'},
        {CKA_PRIVATE, 'b'},    {CKA_LABEL, 'd'},
        {CKA_ID, 'd'},         {CKA_VALUE, 'd'},
        {CKA_KEY_TYPE, 'u'},   {CKA_EC_PARAMS, 'c'},
        {CKA_SIGN, 'b'},       {CKA_VERIFY, 'b'},
        {CKA_SUBJECT, 'd'},    {CKA_CERTIFICATE_TYPE, 'u'},
        {CKA_MODIFIABLE, 'b'}, {CKA_EXTRACTABLE, 'b'},
        {CKA_MODULUS, 'd'},    {CKA_UNIQUE_ID, 'd'},
        {CKA_SENSITIVE, 'b'},  {CKA_APPLICATION, 'd'},
        {CKA_EC_POINT, 'd'},   {CKA_ALWAYS_AUTHENTICATE, 'b'},
    };
    uint8_t choice = feed_byte(caller->feed);
    uint8_t value = feed_byte(caller->feed);
    char form = types[choice % ARRAY_LEN(types)].form;
    CK_ULONG number = value;
    CK_BBOOL flag = value & 1;
    struct span bytes = span_of(&number, sizeof(number));

    if (form == 'b')
        bytes = span_of(&flag, sizeof(flag));
    if (form == 'c')
        bytes = span_of(p256, sizeof(p256));
    if (form == 'd' || choice >= 0xf0)
        bytes = feed_bytes(caller->feed, value % VALUE_ROOM);
    *attribute =
        (CK_ATTRIBUTE){.type = types[choice % ARRAY_LEN(types)].type, .ulValueLen = bytes.len};
    if (value == 0xff) /* a question for the length, which may be anything */
        attribute->ulValueLen = CK_UNAVAILABLE_INFORMATION;
    else if (bytes.len > 0)
        attribute->pValue = memcpy(block(caller, bytes.len), bytes.ptr, bytes.len);
}

static void push_template(struct caller *caller, struct attempt *attempt)
{
    uint8_t choice = feed_byte(caller->feed);
    CK_ULONG count = choice % (ATTRIBUTES_AT_MOST + 1U);
    CK_ATTRIBUTE *template = NULL;

    if (choice != 0xff) {
        template = block(caller, (count + 1) * sizeof(*template));
        for (CK_ULONG i = 0; i < count; i++)
            make_attribute(caller, &template[i]);
    }
    push(attempt, (uintptr_t) template);
    push(attempt, count);
}

/* A digest in its DigestInfo, bytes of the input, or as many as a signature has. */
static struct span pick_data(struct caller *caller, uint8_t choice)
{
    static const uint8_t info[51] =
        "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20";
    static const uint8_t blank[256];

    if (choice < 0x40)
        return span_of(info, sizeof(info));
    if (choice >= 0xc0)
        return span_of(blank, sizeof(blank));
    return feed_bytes(caller->feed, choice & 0x3f);
}

static void push_data(struct caller *caller, struct attempt *attempt)
{
    uint8_t choice = feed_byte(caller->feed);
    struct span given = pick_data(caller, choice);
    uint8_t *data = NULL;
    CK_ULONG len = given.len;

    if (choice == 0xff)
        len = feed_number(caller->feed) | 1; /* without memory behind it */
    else
        data = block(caller, len + 1);
    if (data && len > 0) {
        memcpy(data, given.ptr, len);
        if (choice < 0x40)
            data[len - 1] = choice;
    }
    push(attempt, (uintptr_t)data);
    push(attempt, len);
}

static void push_pin(struct caller *caller, struct attempt *attempt)
{
    uint8_t choice = feed_byte(caller->feed);
    const char *pin = caller->pins[choice % ARRAY_LEN(caller->pins)];
    size_t len = pin ? strlen(pin) : 0;
    struct span odd = span_of(NULL, 0);

    if (choice >= 0xf0) {
        odd = feed_blob(caller->feed);
        pin = NULL;
        len = odd.len;
    }
    uint8_t *copy = choice == 0xef ? NULL : block(caller, len + 1);
    if (copy && len > 0)
        memcpy(copy, pin ? (const uint8_t *)pin : odd.ptr, len);
    push(attempt, (uintptr_t)copy);
    push(attempt, len);
}

static uintptr_t pick_name(struct caller *caller)
{
    static const char *const names[] = {
        "C_Sign", "C_SignFinal", "C_SignMessage", "C_SignMessageNext", "C_SignRecover", "PKCS 11",
        ""};
    uint8_t choice = feed_byte(caller->feed);

    return choice == 0xff ? 0 : (uintptr_t)names[choice % ARRAY_LEN(names)];
}

static uintptr_t pick_arguments(struct caller *caller)
{
    uint8_t choice = feed_byte(caller->feed);

    if (choice % 2 == 0)
        return 0;
    CK_C_INITIALIZE_ARGS *args = block(caller, sizeof(*args));
    *args = (CK_C_INITIALIZE_ARGS){.flags = choice / 2U};
    if (choice >= 0xf0)
        args->pReserved = args;
    return (uintptr_t)args;
}

static uintptr_t pick_label(struct caller *caller)
{
    enum { LABEL_LEN = 32 };
    uint8_t *label = memset(block(caller, LABEL_LEN), ' ', LABEL_LEN);

    label[0] = feed_byte(caller->feed);
    return (uintptr_t)label;
}

static CK_ULONG pick_number(struct caller *caller)
{
    uint8_t choice = feed_byte(caller->feed);

    return choice == 0xff ? caller->number : choice * 0x101UL;
}

/* What is one word. */
static uintptr_t pick_word(struct caller *caller, char kind)
{
    static const CK_USER_TYPE users[] = {CKU_USER, CKU_SO, CKU_CONTEXT_SPECIFIC, 3};

    switch (kind) {
    case 'S':
        return pick_slot(caller);
    case 'o':
        return pick_object(caller);
    case 'u':
        return pick_number(caller);
    case 'U':
        return users[feed_byte(caller->feed) % ARRAY_LEN(users)];
    case 'f':
        return (feed_byte(caller->feed) & ~0xcUL) | CKF_SERIAL_SESSION |
               (feed_byte(caller->feed) & CKF_ASYNC_SESSION);
    case 'w': /* never a wait: nobody is there who could end it */
        return feed_byte(caller->feed) | CKF_DONT_BLOCK;
    case 'm':
        return pick_mechanism(caller);
    case 'M':
        return feed_byte(caller->feed) * 2UL;
    case 'b':
        return feed_byte(caller->feed) & 1;
    case 'n':
        return pick_name(caller);
    case 'i':
        return pick_arguments(caller);
    case 'l':
        return pick_label(caller);
    case '0':
    default:
        return 0;
    }
}

static void push_kind(struct caller *caller, struct attempt *attempt, char kind)
{
    switch (kind) {
    case 's':
        push_session(caller, attempt);
        break;
    case 't':
        push_template(caller, attempt);
        break;
    case 'd':
        push_data(caller, attempt);
        break;
    case 'p':
        push_pin(caller, attempt);
        break;
    case 'r':
        push_list(caller, attempt, kind, 1);
        break;
    case 'q':
        push_list(caller, attempt, kind, sizeof(CK_ULONG));
        break;
    case 'Q':
        push_list(caller, attempt, kind, sizeof(CK_INTERFACE));
        break;
    case 'k':
        push_found(caller, attempt);
        break;
    case 'g':
        push_room(caller, attempt, kind, ROOM);
        push(attempt, feed_byte(caller->feed));
        break;
    case 'x':
        push_room(caller, attempt, kind, STRUCT_ROOM);
        break;
    case 'h':
        push_room(caller, attempt, kind, sizeof(CK_OBJECT_HANDLE));
        break;
    default:
        push(attempt, pick_word(caller, kind));
        break;
    }
}

/* A function that is not there may get any words, behind a session. */
static void push_anything(struct caller *caller, struct attempt *attempt)
{
    push_session(caller, attempt);
    while (attempt->word_count < attempt->row->word_count)
        push(attempt, feed_byte(caller->feed));
}

void attempt_make(struct caller *caller, struct attempt *ret_attempt)
{
    struct attempt attempt = {.row = &rows[feed_byte(caller->feed) % ROW_COUNT]};
    const char *format = rules_format(attempt.row->name);

    if (!format)
        push_anything(caller, &attempt);
    for (; format && *format; format++)
        push_kind(caller, &attempt, *format);
    require(attempt.word_count == attempt.row->word_count);
    *ret_attempt = attempt;
}
