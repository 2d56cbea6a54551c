/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/http/engine.h"

#include "remote/base/cleanup.h"
#include "remote/base/wording.h"
#include "remote/http/guest.h"
#include "remote/http/socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include <curl/curl.h>
#include <openssl/ssl.h>

#ifndef SMARTCA_VERSION
#define SMARTCA_VERSION "0"
#endif

enum { BUFFER_BYTES = 16 * 1024 };

/* A multi handle of its own, because that can be woken by another thread. */
struct engine {
    CURLM *multi;
    CURL *easy;
    struct curl_slist *headers;      /* of every request, the body's first */
    struct curl_slist authorization; /* in front of them; data NULL: this request has none */
    OSSL_LIB_CTX *libctx;
    X509_STORE *trust;
    struct exchange *exchange; /* what the callbacks work for; NULL between requests */
    struct pool_slot *slot;    /* where the open descriptors are noted */
    int wake_fds[2];           /* -1: unknown */
    bool lacks_files;          /* no socket was to be had: the process has too many open files */
    char error[CURL_ERROR_SIZE];
};

struct failure_row {
    CURLcode code;
    enum sca_status status;
    const char *advice;
};

static const struct failure_row failures[] = {
    {CURLE_COULDNT_RESOLVE_HOST, SCA_NETWORK, N_("name not found: check url and the network")},
    {CURLE_COULDNT_RESOLVE_PROXY, SCA_NETWORK, N_("proxy not found: check the proxy key")},
    {CURLE_COULDNT_CONNECT, SCA_NETWORK, N_("cannot connect: check the network or the proxy key")},
    {CURLE_PROXY, SCA_NETWORK, N_("the proxy refused: check the proxy key")},
    {CURLE_PEER_FAILED_VERIFICATION, SCA_NETWORK,
     N_("its certificate is not trusted: check url, ca_file and the date")},
    {CURLE_SSL_PINNEDPUBKEYNOTMATCH, SCA_NETWORK,
     N_("its key is not the pinned one: ask the service before changing pinned_public_key")},
    {CURLE_SSL_CONNECT_ERROR, SCA_NETWORK, N_("TLS failed: check url, ca_file and the proxy key")},
    {CURLE_OPERATION_TIMEDOUT, SCA_NETWORK,
     N_("no answer in time: check the network, connect_timeout and request_timeout")},
    {CURLE_WRITE_ERROR, SCA_PROTOCOL, N_("its answer is over the limit: check url")},
    {CURLE_FILESIZE_EXCEEDED, SCA_PROTOCOL, N_("its answer is over the limit: check url")},
    {CURLE_WEIRD_SERVER_REPLY, SCA_PROTOCOL, N_("its answer is not HTTP: check url")},
    {CURLE_UNSUPPORTED_PROTOCOL, SCA_PROTOCOL, N_("its answer is not HTTP: check url")},
    {CURLE_URL_MALFORMAT, SCA_INVALID, N_("malformed: check url")},
    {CURLE_OUT_OF_MEMORY, SCA_NOMEM, N_("out of memory")},
};

/* Every other code is a connection that broke: before and after the request was written. */
static const struct failure_row broke_before = {
    CURLE_OK, SCA_NETWORK, N_("cannot connect: check the network or the proxy key")};
static const struct failure_row broke_after = {
    CURLE_OK, SCA_NETWORK,
    N_("the connection broke before the answer was complete: check the network")};

/* libcurl says no more than of a service that is not there. */
static const struct failure_row lacks_files = {
    CURLE_COULDNT_CONNECT, SCA_NETWORK,
    N_("no connection, for too many files are open: close some of them, or allow more "
       "(ulimit -n)")};

/* libcurl refuses a header line of 100 KB as if memory had run out. */
static const struct failure_row too_large = {CURLE_OUT_OF_MEMORY, SCA_PROTOCOL,
                                             N_("its answer is over the limit: check url")};

static const char *const request_headers[] = {
    "Content-Type: application/json", /* first: a request without a body begins with the second */
    "Accept: application/json", "Expect:", /* none: it costs a round trip */
};

static const struct {
    CURLoption option;
    bool has_body;
} methods[] = {
    [HTTP_POST] = {CURLOPT_POST, true},
    [HTTP_GET] = {CURLOPT_HTTPGET, false},
};

/* What decides something is set, so that no default and no environment does. */
static const struct {
    CURLoption option;
    long value;
} long_options[] = {
    {CURLOPT_NOSIGNAL, 1},
    {CURLOPT_QUICK_EXIT, 1}, /* giving up does not wait for a name look-up to end */
    {CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1},
    {CURLOPT_HTTP09_ALLOWED, 0},
    {CURLOPT_HTTP_CONTENT_DECODING, 0},
    {CURLOPT_FOLLOWLOCATION, 0},
    {CURLOPT_NETRC, CURL_NETRC_IGNORED},
    {CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
    {CURLOPT_SSL_VERIFYPEER, 1},
    {CURLOPT_SSL_VERIFYHOST, 2},
    {CURLOPT_PROXY_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
    {CURLOPT_PROXY_SSL_VERIFYPEER, 1},
    {CURLOPT_PROXY_SSL_VERIFYHOST, 2},
    {CURLOPT_SUPPRESS_CONNECT_HEADERS, 1},
    {CURLOPT_HEADEROPT, CURLHEADER_SEPARATE}, /* a proxy never sees Authorization */
    {CURLOPT_CA_CACHE_TIMEOUT, 0},            /* trust.c keeps the certificates */
    {CURLOPT_TCP_NODELAY, 1},
    {CURLOPT_BUFFERSIZE, BUFFER_BYTES}, /* 7.88 stalls with a smaller one */
    {CURLOPT_UPLOAD_BUFFERSIZE, BUFFER_BYTES},
    {CURLOPT_MAXAGE_CONN, 30}, /* seconds idle; below most servers' own limit */
    {CURLOPT_MAXFILESIZE, HTTP_BODY_MAX},
};

static bool library_is_usable(void)
{
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
    const int needed = CURL_VERSION_ASYNCHDNS | CURL_VERSION_THREADSAFE | CURL_VERSION_SSL;

    /* The GnuTLS flavour would ignore our CA store, and may load PKCS#11 modules itself. */
    return (info->features & needed) == needed && info->ssl_version &&
           strncmp(info->ssl_version, "OpenSSL/", 8) == 0;
}

/*
 * When it starts, libcurl opens the file that this variable names, for the secrets of TLS: in a
 * program with raised privileges, any file its caller likes is made or made longer.
 */
static bool is_misled(void)
{
    return getauxval(AT_SECURE) && getenv("SSLKEYLOGFILE");
}

enum sca_status engine_global_init(struct call *call)
{
    struct guest guest;

    if (is_misled())
        return call_fail(call, SCA_INVALID,
                         "a program with raised privileges, and SSLKEYLOGFILE is set");

    if (!library_is_usable())
        return call_fail(call, SCA_UNSUPPORTED,
                         "this libcurl will not do: install libcurl4 7.88 or newer with OpenSSL");
    guest_enter(&guest, NULL);
    CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
    guest_leave(&guest);
    return code == CURLE_OK ? SCA_OK : call_fail(call, SCA_NOMEM, "libcurl cannot start");
}

static curl_socket_t on_socket_open(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct engine *engine = arg;
    (void)purpose;
    int fd = socket_open(engine->slot, address->family, address->socktype, address->protocol);
    engine->lacks_files = fd < 0 && (errno == EMFILE || errno == ENFILE);
    return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static int on_socket_close(void *slot, curl_socket_t fd)
{
    return socket_close(slot, fd);
}

/* Runs for the TLS of a proxy too. */
static CURLcode on_tls_context(CURL *easy, void *tls_context, void *engine)
{
    (void)easy;
    SSL_CTX_set1_cert_store(tls_context, ((struct engine *)engine)->trust);
    SSL_CTX_set_keylog_callback(tls_context, NULL); /* Debian's libcurl obeys SSLKEYLOGFILE */
    return CURLE_OK;
}

/*
 * libcurl calls this when a connection is ready, right before it writes the request, and again
 * when it wants to repeat it after a kept connection proved dead.
 */
static int on_request(void *engine, char *peer_ip, char *local_ip, int peer_port, int local_port)
{
    (void)peer_ip;
    (void)local_ip;
    (void)peer_port;
    (void)local_port;
    return exchange_may_write(((struct engine *)engine)->exchange) ? CURL_PREREQFUNC_OK
                                                                   : CURL_PREREQFUNC_ABORT;
}

static size_t on_header(char *text, size_t size, size_t count, void *engine)
{
    size_t len = size * count;
    return exchange_header(((struct engine *)engine)->exchange, span_of(text, len)) ? len : 0;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *engine)
{
    size_t len = size * count;
    return exchange_body(((struct engine *)engine)->exchange, span_of(bytes, len)) ? len : 0;
}

/* True when these are the sockets that curl_multi_wakeup writes through. */
static bool is_wake_pair(CURLM *multi, const int fds[static 2])
{
    if (!socket_is_quiet(fds[0]))
        return false;
    (void)curl_multi_wakeup(multi);
    bool is_pair = socket_is_rung(fds);
    (void)curl_multi_poll(multi, NULL, 0, 0, NULL); /* takes the byte out again */
    return is_pair;
}

static CURLM *multi_try(int ret_wake_fds[static 2])
{
    int fds[2];
    bool is_guessed = socket_guess_pair(fds);
    CURLM *multi = curl_multi_init();

    if (multi && is_guessed && is_wake_pair(multi, fds)) {
        for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
            socket_close_on_exec(fds[i]);
            ret_wake_fds[i] = fds[i];
        }
    }
    return multi;
}

/*
 * A multi handle learns NOSIGNAL from the easy handle added last. Without one, cleaning it up makes
 * the whole process ignore SIGPIPE for a moment, which also drops one the host has pending.
 */
static void multi_free(CURLM *multi, CURL *easy)
{
    if (multi && easy && curl_multi_add_handle(multi, easy) == CURLM_OK)
        (void)curl_multi_remove_handle(multi, easy);
    (void)curl_multi_cleanup(multi);
}

/*
 * libcurl 7.88 opens the sockets of its wake-up without SOCK_CLOEXEC and tells nobody their
 * numbers. They get the two lowest free ones, unless another thread opens or closes a file at that
 * moment: so those two are looked at, touched only if they prove to be the pair, and if not it is
 * tried again. A pair never found still works; a program started later inherits it.
 */
static CURLM *multi_new(CURL *easy, int ret_wake_fds[static 2])
{
    enum { TRIES = 16 };
    CURLM *multi = multi_try(ret_wake_fds);

    for (int i = 1; multi && ret_wake_fds[0] < 0 && i < TRIES; i++) {
        multi_free(multi, easy);
        multi = multi_try(ret_wake_fds);
    }
    return multi;
}

static bool engine_set_texts(CURL *easy, const struct engine_settings *settings, bool is_tls)
{
    const struct {
        CURLoption option;
        const char *value;
    } texts[] = {
        {CURLOPT_PROTOCOLS_STR, is_tls ? "https" : "http"},
        {CURLOPT_USERAGENT, "smartca-pkcs11/" SMARTCA_VERSION},
        {CURLOPT_CAINFO, NULL},
        {CURLOPT_CAPATH, NULL},
        {CURLOPT_PROXY_CAINFO, NULL},
        {CURLOPT_PROXY_CAPATH, NULL},
        {CURLOPT_PINNEDPUBLICKEY, settings->pinned_public_key},
        /* Not NULL: then the environment would be asked. */
        {CURLOPT_PROXY, settings->proxy ? settings->proxy : ""},
        {CURLOPT_NOPROXY, settings->proxy ? "" : "*"},
    };

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (curl_easy_setopt(easy, texts[i].option, texts[i].value) != CURLE_OK)
            return false;
    return true;
}

/* These options only store a pointer and cannot fail. */
static void engine_set_pointers(struct engine *engine)
{
    CURL *easy = engine->easy;

    (void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, engine->error);
    (void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, engine->headers);
    (void)curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_socket_open);
    (void)curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, engine);
    (void)curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_socket_close);
    (void)curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, engine->slot);
    (void)curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_tls_context);
    (void)curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, engine);
    (void)curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_request);
    (void)curl_easy_setopt(easy, CURLOPT_PREREQDATA, engine);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, engine);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, engine);
}

static bool engine_set_headers(struct engine *engine)
{
    for (size_t i = 0; i < ARRAY_LEN(request_headers); i++) {
        struct curl_slist *longer = curl_slist_append(engine->headers, request_headers[i]);
        if (!longer)
            return false;
        engine->headers = longer;
    }
    return true;
}

static bool engine_set_up(struct engine *engine, const struct engine_settings *settings,
                          bool is_tls)
{
    engine->easy = curl_easy_init();
    if (!engine->easy || !engine_set_headers(engine))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(long_options); i++)
        if (curl_easy_setopt(engine->easy, long_options[i].option, long_options[i].value) !=
            CURLE_OK)
            return false;
    engine_set_pointers(engine);
    engine->multi = multi_new(engine->easy, engine->wake_fds);
    for (size_t i = 0; i < ARRAY_LEN(engine->wake_fds); i++)
        if (engine->wake_fds[i] >= 0)
            (void)pool_fd_add(engine->slot, engine->wake_fds[i]); /* an empty slot has room */
    return engine->multi &&
           curl_multi_setopt(engine->multi, CURLMOPT_MAXCONNECTS, 1L) == CURLM_OK &&
           engine_set_texts(engine->easy, settings, is_tls);
}

struct engine *engine_new(const struct engine_settings *settings, const struct origin *origin,
                          struct pool_slot *slot)
{
    struct engine *engine = calloc(1, sizeof(*engine));
    struct guest guest;

    if (!engine)
        return NULL;
    engine->trust = settings->trust;
    engine->libctx = settings->libctx;
    engine->slot = slot;
    engine->wake_fds[0] = engine->wake_fds[1] = -1;
    guest_enter(&guest, engine->libctx);
    bool is_set = engine_set_up(engine, settings, origin->is_tls);
    guest_leave(&guest);
    if (!is_set) {
        engine_free(engine);
        return NULL;
    }
    return engine;
}

void engine_free(struct engine *engine)
{
    struct guest guest;

    if (!engine)
        return;
    guest_enter(&guest, engine->libctx);
    for (size_t i = 0; i < ARRAY_LEN(engine->wake_fds); i++)
        pool_fd_remove(engine->slot, engine->wake_fds[i]);
    multi_free(engine->multi, engine->easy);
    curl_easy_cleanup(engine->easy);
    curl_slist_free_all(engine->headers);
    guest_leave(&guest);
    free(engine);
}

static const struct failure_row *failure_find(CURLcode code, bool was_sent)
{
    if (code == CURLE_OUT_OF_MEMORY && was_sent)
        return &too_large;
    for (size_t i = 0; i < ARRAY_LEN(failures); i++)
        if (failures[i].code == code)
            return &failures[i];
    return was_sent ? &broke_after : &broke_before;
}

static enum sca_status engine_fail(const struct engine *engine, const struct origin *origin,
                                   CURLcode code)
{
    struct exchange *exchange = engine->exchange;
    if (code == CURLE_ABORTED_BY_CALLBACK) /* on_request: the dead connection is the cause */
        code = CURLE_GOT_NOTHING;
    const struct failure_row *row = failure_find(code, exchange->response->was_sent);
    if (code == CURLE_COULDNT_CONNECT && engine->lacks_files)
        row = &lacks_files;

    exchange->call->device_error = HTTP_DEVICE_ERROR + (unsigned long)code;
    /* libcurl's text names hosts, ports and TLS alerts; of an answer's bytes, none of the body. */
    return call_fail(exchange->call, row->status, "%s: %s (%s)", origin->text, wording(row->advice),
                     engine->error[0] ? engine->error : curl_easy_strerror(code));
}

/* Outside of guest_enter and guest_leave: the host's signals are heard, and its callback asked. */
static enum sca_status engine_wait(struct engine *engine, struct call *call)
{
    (void)curl_multi_poll(engine->multi, NULL, 0, (int)pool_sleep_ms(call), NULL);
    if (call_tick(call) != SCA_OK)
        return call_fail(call, SCA_CANCELLED, "cancelled while waiting for the service");
    return SCA_OK;
}

/*
 * Adds the request to the multi handle, drives it, and takes it off whatever came of it. The code
 * libcurl ended with, in ret_code; SCA_CANCELLED or SCA_NOMEM when it did not get there.
 */
static enum sca_status engine_drive(struct engine *engine, struct call *call, CURLcode *ret_code)
{
    struct guest guest;
    enum sca_status st = SCA_OK;
    int running = 1;
    int left = 0;

    guest_enter(&guest, engine->libctx);
    CURLMcode code = curl_multi_add_handle(engine->multi, engine->easy);
    while (code == CURLM_OK && st == SCA_OK) {
        code = curl_multi_perform(engine->multi, &running);
        if (code != CURLM_OK || !running || exchange_is_stalled(engine->exchange))
            break;
        guest_leave(&guest);
        st = engine_wait(engine, call);
        guest_enter(&guest, engine->libctx);
    }
    const CURLMsg *message = curl_multi_info_read(engine->multi, &left);
    CURLcode ended = message ? message->data.result : CURLE_OUT_OF_MEMORY;
    (void)curl_multi_remove_handle(engine->multi, engine->easy);
    guest_leave(&guest);

    *ret_code = running ? CURLE_OPERATION_TIMEDOUT : ended;
    if (code != CURLM_OK)
        return call_fail(call, SCA_NOMEM, "libcurl: %s", curl_multi_strerror(code));
    return st;
}

static void engine_clear_request(struct engine *engine)
{
    (void)curl_easy_setopt(engine->easy, CURLOPT_HTTPHEADER, engine->headers);
    exchange_forget(engine->authorization.data);
    engine->authorization = (struct curl_slist){.data = NULL};
}

static CURLcode engine_set_request(struct engine *engine, const struct exchange *exchange)
{
    CURL *easy = engine->easy;
    const struct http_request *request = exchange->request;
    bool has_body = methods[request->method].has_body;
    struct span body = has_body ? request->body : span_of(NULL, 0);
    struct curl_slist *headers = has_body ? engine->headers : engine->headers->next;

    if (request->bearer) {
        /* A list item by hand: what curl_slist_append copies is not wiped when it is freed. */
        engine->authorization.data = exchange_authorization(exchange);
        engine->authorization.next = headers;
        headers = &engine->authorization;
        if (!headers->data)
            return CURLE_OUT_OF_MEMORY;
    }
    (void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    (void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)exchange->connect_timeout_ms);
    (void)curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)exchange->timeout_ms);
    (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
    (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.len ? (const char *)body.ptr : "");
    /* After the fields, which make it a POST. */
    (void)curl_easy_setopt(easy, methods[request->method].option, 1L);
    return curl_easy_setopt(easy, CURLOPT_URL, request->url);
}

/* 0 where the answer has none, or nothing that is a date. */
static int64_t engine_date(CURL *easy)
{
    struct curl_header *header = NULL;

    if (curl_easy_header(easy, "Date", 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
        return 0;
    time_t date = curl_getdate(header->value, NULL);
    return date > 0 ? (int64_t)date : 0;
}

static void engine_wake(void *multi)
{
    (void)curl_multi_wakeup(multi);
}

enum sca_status engine_run(struct engine *engine, const struct origin *origin,
                           struct exchange *exchange)
{
    engine->exchange = exchange;
    engine->error[0] = 0;
    engine->lacks_files = false;
    CURLcode code = engine_set_request(engine, exchange);
    enum sca_status st = call_set_wake(exchange->call, engine_wake, engine->multi);
    if (st != SCA_OK)
        (void)call_fail(exchange->call, st, "cancelled before the request was sent");
    else if (code == CURLE_OK)
        st = engine_drive(engine, exchange->call, &code);
    call_clear_wake(exchange->call);
    if (st == SCA_OK && code != CURLE_OK)
        st = engine_fail(engine, origin, code);
    if (st == SCA_OK) {
        (void)curl_easy_getinfo(engine->easy, CURLINFO_RESPONSE_CODE, &exchange->response->status);
        exchange->response->date = engine_date(engine->easy);
    }
    engine_clear_request(engine);
    secret_scrub_heap(exchange->request->body.len); /* libcurl's copies of it */
    engine->exchange = NULL;
    return st;
}
