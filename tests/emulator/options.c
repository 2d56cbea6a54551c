/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/emulator/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "remote/base/cleanup.h"
#include "tests/emulator/complain.h"

#ifndef EMULATOR_SOFTHSM
#define EMULATOR_SOFTHSM "/usr/lib/softhsm/libsofthsm2.so"
#endif
#ifndef EMULATOR_VERSION
#define EMULATOR_VERSION "unknown"
#endif

static const char default_sp_id[] = "4184-637127995547330633.apps.signserviceapi.com";
static const char default_sp_password[] = "test-password";
static const char default_user_id[] = "012345678901";
static const char default_user_name[] = "Nguyễn Văn Ánh";

static const char usage[] =
    "usage: smartca-emulator --dir DIR [option]...\n"
    "An emulator of the VNPT SmartCA service on 127.0.0.1, for tests.\n\n"
    "  --dir DIR               where keys, certificates and the request log are kept\n"
    "  --port N                port to listen on; 0 (default): any free one\n"
    "  --user ID[,NAME][,N]    a user with N certificates (repeatable); ID may start with\n"
    "                          CCCD: or MST:; default 012345678901,Nguyễn Văn Ánh,1\n"
    "  --sp-id ID              the service provider account\n"
    "  --sp-password-file F    its password, the first line of F; default test-password\n"
    "  --behaviour NAME=VALUE  a switch of the README (repeatable)\n"
    "  --delay-ms N            answers of the service take N ms longer\n"
    "  --tls KIND              good (default), self-signed, wrong-host, expired, tls1.1,\n"
    "                          or a GnuTLS priority string\n"
    "  --plain-http            http instead of https, for benchmarks\n"
    "  --softhsm PATH          SoftHSM2's PKCS#11 module; default " EMULATOR_SOFTHSM "\n"
    "  --ignore-stdin          do not end when stdin does\n"
    "  --help, --version\n\n"
    "Prints \"listening 127.0.0.1:PORT\" when it is ready; ends with its stdin or on SIGTERM.\n";

enum option_name {
    OPTION_DIR = 256,
    OPTION_PORT,
    OPTION_USER,
    OPTION_SP_ID,
    OPTION_SP_PASSWORD_FILE,
    OPTION_BEHAVIOUR,
    OPTION_DELAY_MS,
    OPTION_TLS,
    OPTION_PLAIN_HTTP,
    OPTION_SOFTHSM,
    OPTION_IGNORE_STDIN,
    OPTION_HELP,
    OPTION_VERSION,
};

static const struct option long_options[] = {
    {"dir", required_argument, NULL, OPTION_DIR},
    {"port", required_argument, NULL, OPTION_PORT},
    {"user", required_argument, NULL, OPTION_USER},
    {"sp-id", required_argument, NULL, OPTION_SP_ID},
    {"sp-password-file", required_argument, NULL, OPTION_SP_PASSWORD_FILE},
    {"behaviour", required_argument, NULL, OPTION_BEHAVIOUR},
    {"delay-ms", required_argument, NULL, OPTION_DELAY_MS},
    {"tls", required_argument, NULL, OPTION_TLS},
    {"plain-http", no_argument, NULL, OPTION_PLAIN_HTTP},
    {"softhsm", required_argument, NULL, OPTION_SOFTHSM},
    {"ignore-stdin", no_argument, NULL, OPTION_IGNORE_STDIN},
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
    {NULL, 0, NULL, 0},
};

static const struct tls_row {
    const char *name;
    enum pki_server server;
    const char *priority;
} tls_rows[] = {
    {"good", PKI_SERVER_GOOD, NULL},
    {"self-signed", PKI_SERVER_SELF_SIGNED, NULL},
    {"wrong-host", PKI_SERVER_WRONG_HOST, NULL},
    {"expired", PKI_SERVER_EXPIRED, NULL},
    {"tls1.1", PKI_SERVER_GOOD, "LEGACY:-VERS-ALL:+VERS-TLS1.1"},
};

static bool parse_number(const char *text, unsigned long max, unsigned long *ret_number)
{
    char *end = NULL;
    errno = 0;
    unsigned long number = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || errno != 0 || *end != '\0' || number > max)
        return false;
    *ret_number = number;
    return true;
}

static bool set_number(const char *what, const char *text, unsigned long max,
                       unsigned long *ret_number)
{
    if (parse_number(text, max, ret_number))
        return true;
    complain("%s is a number from 0 to %lu, not \"%s\"", what, max, text);
    return false;
}

static bool set_port(struct options *options, const char *text)
{
    unsigned long number = 0;
    if (!set_number("--port", text, UINT16_MAX, &number))
        return false;
    options->port = (uint16_t)number;
    return true;
}

static bool set_delay(struct options *options, const char *text)
{
    unsigned long number = 0;
    if (!set_number("--delay-ms", text, 600000, &number))
        return false;
    options->delay_ms = (unsigned)number;
    return true;
}

static bool copy_text(char *out, size_t room, const char *text, size_t len)
{
    if (len == 0 || len >= room)
        return false;
    memcpy(out, text, len);
    out[len] = '\0';
    return true;
}

/* ID[,NAME][,COUNT]: a name may contain commas, a last part of digits only is the count. */
static bool parse_user(const char *text, struct user_option *user)
{
    const char *comma = strchr(text, ',');
    const char *last = strrchr(text, ',');
    size_t id_len = strcspn(text, ",");
    unsigned long count = 1;
    bool has_count = last && parse_number(last + 1, 100, &count) && count > 0;
    const char *end = has_count ? last : text + strlen(text);
    bool has_name = comma && comma < end;
    const char *name = has_name ? comma + 1 : default_user_name;
    size_t name_len = has_name ? (size_t)(end - name) : strlen(name);
    user->count = (unsigned)count;
    return copy_text(user->id, sizeof(user->id), text, id_len) &&
           copy_text(user->name, sizeof(user->name), name, name_len);
}

static bool add_user(struct options *options, const char *text)
{
    struct user_option user = {.count = 1};
    struct user_option *grown = NULL;
    if (!parse_user(text, &user)) {
        complain("--user is ID[,NAME][,N], not \"%s\"", text);
        return false;
    }
    if (options->user_count < OPTIONS_USERS_MAX)
        grown = realloc(options->users, (options->user_count + 1) * sizeof(*grown));
    if (!grown) {
        complain("too many users");
        return false;
    }
    options->users = grown;
    options->users[options->user_count++] = user;
    return true;
}

static bool read_password(struct options *options, const char *path)
{
    FILE *file = fopen(path, "re");
    bool is_read = file && fgets(options->sp_password, sizeof(options->sp_password), file);
    if (file)
        (void)fclose(file);
    options->sp_password[strcspn(options->sp_password, "\r\n")] = '\0';
    if (is_read && options->sp_password[0] != '\0')
        return true;
    complain("--sp-password-file %s cannot be read, or is empty", path);
    return false;
}

static bool set_behaviour(struct options *options, const char *text)
{
    char name[64];
    size_t len = strcspn(text, "=");
    if (text[len] == '\0' || !copy_text(name, sizeof(name), text, len)) {
        complain("--behaviour is NAME=VALUE, not \"%s\"", text);
        return false;
    }
    enum sca_status status = behaviour_set(&options->behaviour, name, text + len + 1);
    if (status != SCA_OK)
        complain(status == SCA_NOT_FOUND ? "there is no behaviour \"%s\""
                                         : "that is not a value of the behaviour \"%s\"",
                 name);
    return status == SCA_OK;
}

static bool set_tls(struct options *options, const char *text)
{
    for (size_t i = 0; i < ARRAY_LEN(tls_rows); i++) {
        if (strcmp(tls_rows[i].name, text) == 0) {
            options->server = tls_rows[i].server;
            options->tls_priority = tls_rows[i].priority;
            return true;
        }
    }
    options->tls_priority = text;
    return true;
}

static bool set_option(struct options *options, enum option_name name, const char *value)
{
    switch (name) {
    case OPTION_DIR:
        options->dir = value;
        return true;
    case OPTION_PORT:
        return set_port(options, value);
    case OPTION_USER:
        return add_user(options, value);
    case OPTION_SP_ID:
        options->sp_id = value;
        return true;
    case OPTION_SP_PASSWORD_FILE:
        return read_password(options, value);
    case OPTION_BEHAVIOUR:
        return set_behaviour(options, value);
    case OPTION_DELAY_MS:
        return set_delay(options, value);
    case OPTION_TLS:
        return set_tls(options, value);
    case OPTION_PLAIN_HTTP:
        options->is_plain = true;
        return true;
    case OPTION_SOFTHSM:
        options->softhsm = value;
        return true;
    case OPTION_IGNORE_STDIN:
        options->ignores_stdin = true;
        return true;
    case OPTION_HELP:
    case OPTION_VERSION:
        break;
    }
    return false;
}

static enum options_outcome check(struct options *options, int argc)
{
    if (optind < argc) {
        complain("an argument too many (see --help)");
        return OPTIONS_WRONG;
    }
    if (!options->dir || options->dir[0] == '\0') {
        complain("--dir DIR is missing (see --help)");
        return OPTIONS_WRONG;
    }
    if (options->user_count == 0 && !add_user(options, default_user_id))
        return OPTIONS_WRONG;
    return OPTIONS_RUN;
}

enum options_outcome options_parse(int argc, char **argv, struct options *options)
{
    *options = (struct options){.softhsm = EMULATOR_SOFTHSM, .sp_id = default_sp_id};
    memcpy(options->sp_password, default_sp_password, sizeof(default_sp_password));
    behaviour_init(&options->behaviour);
    for (;;) {
        int name = getopt_long(argc, argv, "", long_options, NULL);
        if (name == -1)
            return check(options, argc);
        if (name == OPTION_HELP || name == OPTION_VERSION) {
            (void)fputs(name == OPTION_HELP ? usage : "smartca-emulator " EMULATOR_VERSION "\n",
                        stdout);
            return OPTIONS_SHOWN;
        }
        if (name < OPTION_DIR || !set_option(options, (enum option_name)name, optarg))
            return OPTIONS_WRONG;
    }
}

void options_fini(struct options *options)
{
    free(options->users);
    OPENSSL_cleanse(options, sizeof(*options));
}
