/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/pin_input.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/rand.h>

#include "remote/base/cleanup.h"
#include "remote/base/crypto.h"
#include "remote/base/file.h"
#include "remote/cli/csv.h"
#include "remote/cli/form.h"
#include "remote/cli/output.h"
#include "remote/cli/secret_input.h"
#include "remote/config/config.h"

enum { RANDOM_PIN_LEN = 14, LINE_MAX_SIZE = 1024 };

static bool read_file(const struct pin_question *question, struct secret **ret_pin,
                      struct trouble *trouble)
{
    const char *why = NULL;
    AUTO(freep) char *path = strdup(question->path);
    const struct secret_ref ref = {SECRET_FILE, path};

    if (!path)
        return trouble_no_memory(trouble);
    enum sca_status st = secret_ref_fetch(&ref, ret_pin, &why);
    return st == SCA_OK || trouble_say(trouble, output_code(st), "", _("%s %s: %s"),
                                       question->option, path, why ? why : sca_status_name(st));
}

static bool read_input(const struct pin_question *question, struct secret **ret_pin,
                       struct trouble *trouble)
{
    AUTO(secret_freep) struct secret *first = NULL;
    AUTO(secret_freep) struct secret *second = NULL;

    if (secret_input(question->prompt, &first) != SCA_OK)
        return trouble_say(trouble, "invalid", _("give it at a terminal, by a pipe or in a file"),
                           _("%s: standard input has no line that could be it"), question->option);
    if (question->is_new && isatty(STDIN_FILENO)) {
        if (secret_input(_("The same again"), &second) != SCA_OK ||
            !span_equal(secret_get(first), secret_get(second)))
            return trouble_say(trouble, "invalid", "", _("%s: the two are not the same"),
                               question->option);
    }
    *ret_pin = TAKE(first);
    return true;
}

bool pin_ask(const struct pin_question *question, struct secret **ret_pin, struct trouble *trouble)
{
    AUTO(secret_freep) struct secret *pin = NULL;
    bool is_file = question->path && strcmp(question->path, "-") != 0;

    if (!(is_file ? read_file(question, &pin, trouble) : read_input(question, &pin, trouble)))
        return false;
    size_t len = secret_get(pin).len;
    if (!question->is_password && question->is_new && (len < FORM_PIN_MIN || len > FORM_PIN_MAX))
        return trouble_say(trouble, "invalid", "", _("%s: a PIN must have %d to %d bytes"),
                           question->option, FORM_PIN_MIN, FORM_PIN_MAX);
    *ret_pin = TAKE(pin);
    return true;
}

bool pin_make(struct secret **ret_pin, struct trouble *trouble)
{
    /* Without i, l, o, 0 and 1. */
    static const char alphabet[] = "abcdefghjkmnpqrstuvwxyz23456789";
    enum { LETTERS = sizeof(alphabet) - 1, FAIR = 256 - 256 % LETTERS };
    char text[RANDOM_PIN_LEN];
    size_t len = 0;

    while (len < RANDOM_PIN_LEN) {
        unsigned char byte = 0;
        if (RAND_priv_bytes_ex(crypto_libctx(), &byte, 1, 0) != 1)
            return trouble_say(trouble, "unknown", "", "%s", _("there are no random numbers"));
        if (byte < FAIR)
            text[len++] = alphabet[byte % LETTERS];
    }
    enum sca_status st = secret_new(span_of(text, len), ret_pin);
    secret_wipe(text, sizeof(text));
    return st == SCA_OK || trouble_no_memory(trouble);
}

static bool cannot_write(const char *path, struct trouble *trouble)
{
    return trouble_say(trouble, output_code(SCA_IO), _("name a file in a folder of your own"),
                       _("--pins-out %s: %s"), path, strerror(errno));
}

/* The name of a new file has to survive a crash like its lines. */
static void sync_folder(const char *path)
{
    AUTO(freep) char *copy = strdup(path);
    AUTO(fd_closep)
    int fd = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

    if (fd >= 0)
        (void)fsync(fd); /* a file system that cannot has nothing to lose */
}

/* A new file begins with the names of the columns. */
static bool begin_file(int fd, const char *path, struct trouble *trouble)
{
    struct stat info;

    if (fstat(fd, &info) != 0)
        return cannot_write(path, trouble);
    if (!S_ISREG(info.st_mode) || (info.st_mode & (S_IRWXG | S_IRWXO)) || info.st_uid != geteuid())
        return trouble_say(trouble, "invalid", _("run chmod 600 on it, or name a new file"),
                           _("--pins-out %s is open to others"), path);
    if (info.st_size == 0 && (fd_write_all(fd, span_text("user,pin\n")) != SCA_OK || fsync(fd)))
        return cannot_write(path, trouble);
    sync_folder(path);
    return true;
}

bool pin_file_open(const char *path, bool may_append, int *ret_fd, struct trouble *trouble)
{
    int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | (may_append ? 0 : O_EXCL);

    int fd = open(path, flags, 0600);
    if (fd < 0 && errno == EEXIST)
        return trouble_say(trouble, "exists", _("name a new file, or append to it with --force"),
                           _("--pins-out %s is there already"), path);
    if (fd < 0)
        return cannot_write(path, trouble);
    if (!begin_file(fd, path, trouble)) {
        (void)close(fd);
        return false;
    }
    *ret_fd = fd;
    return true;
}

bool pin_file_add(int fd, const char *user, const struct secret *pin, struct trouble *trouble)
{
    AUTO(buf_fini) struct buf line;

    buf_init(&line, LINE_MAX_SIZE, true);
    if (csv_write_field(&line, user) != SCA_OK || buf_append(&line, span_text(",")) != SCA_OK ||
        csv_write_field(&line, (const char *)secret_get(pin).ptr) != SCA_OK ||
        buf_append(&line, span_text("\n")) != SCA_OK)
        return trouble_no_memory(trouble);
    if (fd_write_all(fd, buf_span(&line)) != SCA_OK || fsync(fd) != 0)
        return trouble_say(trouble, output_code(SCA_IO), _("make room on the disk"), "%s",
                           _("the PIN cannot be written to --pins-out"));
    return true;
}
