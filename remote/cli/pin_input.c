/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/cli/pin_input.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
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

enum { RANDOM_PIN_LEN = 14, LINE_MAX_SIZE = 1024, FAULT_SIZE = 128, TRIES = 3 };

#define PIN_FILE_HEADER "user,pin"

static bool read_file(const struct pin_question *question, struct secret **ret_pin,
                      struct trouble *trouble)
{
    const char *why = NULL;
    AUTO(freep) char *path = strdup(question->path);
    const struct secret_ref ref = {SECRET_FILE, path};

    if (!path)
        return trouble_no_memory(trouble);
    enum sca_status st = secret_ref_fetch(&ref, ret_pin, &why);
    return st == SCA_OK ||
           trouble_say(trouble, output_code(st),
                       why && strstr(why, "chmod")
                           ? _("run chmod 600 on it")
                           : _("check its name, its owner and its one line"),
                       _("%s %s: %s"), question->option, path, why ? why : sca_status_name(st));
}

static bool has_good_length(const struct pin_question *question, const struct secret *pin)
{
    size_t len = secret_get(pin).len;

    return question->is_password || !question->is_new ||
           (len >= FORM_PIN_MIN && len <= FORM_PIN_MAX);
}

static bool read_pipe(const struct pin_question *question, struct secret **ret_pin,
                      struct trouble *trouble)
{
    if (secret_input(question->prompt, ret_pin) == SCA_OK)
        return true;
    if (!question->path)
        return trouble_say(trouble, "invalid",
                           _("run it at a terminal, or name the file that has it (- for standard "
                             "input)"),
                           _("%s: there is no terminal to ask at; %s FILE is needed"),
                           question->prompt, question->option);
    return trouble_say(trouble, "invalid", _("give it at a terminal, by a pipe or in a file"),
                       _("%s: standard input has no line that could be it"), question->option);
}

/* One answer; NULL and what is wrong with it. Nobody types options here, so none is named. */
static struct secret *answer(const struct pin_question *question, char fault[static FAULT_SIZE])
{
    AUTO(secret_freep) struct secret *first = NULL;
    AUTO(secret_freep) struct secret *second = NULL;

    (void)snprintf(fault, FAULT_SIZE, "%s", _("nothing was typed"));
    if (secret_input(question->prompt, &first) != SCA_OK)
        return NULL;
    (void)snprintf(fault, FAULT_SIZE, _("a PIN must have %d to %d bytes"), FORM_PIN_MIN,
                   FORM_PIN_MAX);
    if (!has_good_length(question, first))
        return NULL;
    (void)snprintf(fault, FAULT_SIZE, "%s", _("the two are not the same"));
    if (question->is_new && (secret_input(_("The same again"), &second) != SCA_OK ||
                             !span_equal(secret_get(first), secret_get(second))))
        return NULL;
    return TAKE(first);
}

/* What is new may be mistyped; what there is already is asked for once, because tries count. */
static bool read_terminal(const struct pin_question *question, struct secret **ret_pin,
                          struct trouble *trouble)
{
    int tries = question->is_new ? TRIES : 1;
    char fault[FAULT_SIZE] = "";

    while (tries-- > 0) {
        struct secret *pin = answer(question, fault);
        if (pin) {
            *ret_pin = pin;
            return true;
        }
        if (tries > 0)
            (void)fprintf(stderr, "%s\n", fault);
    }
    return trouble_say(trouble, "invalid", _("run it again"), "%s: %s", question->prompt, fault);
}

bool pin_ask(const struct pin_question *question, struct secret **ret_pin, struct trouble *trouble)
{
    AUTO(secret_freep) struct secret *pin = NULL;

    if (question->path && strcmp(question->path, "-") != 0) {
        if (!read_file(question, &pin, trouble))
            return false;
    } else if (!(isatty(STDIN_FILENO) ? read_terminal(question, &pin, trouble)
                                      : read_pipe(question, &pin, trouble))) {
        return false;
    }
    if (!has_good_length(question, pin))
        return trouble_say(trouble, "invalid", _("choose another one"),
                           _("%s: a PIN must have %d to %d bytes"), question->option, FORM_PIN_MIN,
                           FORM_PIN_MAX);
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
            return trouble_say(trouble, "unknown", _("smartca doctor tells more"), "%s",
                               _("there are no random numbers"));
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

/* Whether the file that is there begins as one of ours does, and ends at the end of a line. */
static bool look_at_file(int fd, off_t size, bool *ret_is_ours, bool *ret_is_whole)
{
    char head[sizeof(PIN_FILE_HEADER)];
    char last = 0;

    ssize_t got = pread(fd, head, sizeof(head), 0);
    if (got < 0 || pread(fd, &last, 1, size - 1) != 1)
        return false;
    *ret_is_ours = got == (ssize_t)sizeof(head) &&
                   memcmp(head, PIN_FILE_HEADER, sizeof(head) - 1) == 0 &&
                   (head[sizeof(head) - 1] == '\n' || head[sizeof(head) - 1] == '\r');
    *ret_is_whole = last == '\n';
    return true;
}

/* A new file begins with the names of the columns; another one is gone on with after its lines. */
static bool begin_file(int fd, const char *path, struct trouble *trouble)
{
    bool is_ours = true;
    bool is_whole = true;
    struct stat info;

    if (fstat(fd, &info) != 0)
        return cannot_write(path, trouble);
    if (!S_ISREG(info.st_mode) || (info.st_mode & (S_IRWXG | S_IRWXO)) || info.st_uid != geteuid())
        return trouble_say(trouble, "invalid", _("run chmod 600 on it, or name a new file"),
                           _("--pins-out %s is open to others"), path);
    if (info.st_size > 0 && !look_at_file(fd, info.st_size, &is_ours, &is_whole))
        return cannot_write(path, trouble);
    if (!is_ours)
        return trouble_say(trouble, "exists", _("name a new file"),
                           _("--pins-out %s is there already, and its first line is not %s"), path,
                           PIN_FILE_HEADER);
    struct span first = span_text(info.st_size == 0 ? PIN_FILE_HEADER "\n" : "\n");
    if ((info.st_size == 0 || !is_whole) && (fd_write_all(fd, first) != SCA_OK || fsync(fd)))
        return cannot_write(path, trouble);
    sync_folder(path);
    return true;
}

bool pin_file_open(const char *path, int *ret_fd, struct trouble *trouble)
{
    int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

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
