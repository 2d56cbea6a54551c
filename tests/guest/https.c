/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host that talks HTTPS itself, with a libcurl of either flavour, or none: the letters of ORDER
 * say what it does, one after the other.
 *   https ORDER [URL CA_FILE]
 *     g  curl_global_init        c  curl_global_cleanup      r  a request of its own
 *     i  C_Initialize            f  C_Finalize               s  a signature of each slot
 *     b  three requests by another thread, while this one signs
 */
#include <pthread.h>
#include <string.h>

#ifdef GUEST_HAS_CURL
#include <curl/curl.h>
#endif

#include "tests/guest/host.h"

enum { TEXT_LEN = 96, REQUESTS = 3 };

static const char *url;
static const char *ca_file;

#ifdef GUEST_HAS_CURL
static size_t swallow(char *bytes, size_t size, size_t count, void *arg)
{
    (void)bytes;
    (void)arg;
    return size * count;
}

static void request(void)
{
    long status = 0;
    CURL *curl = curl_easy_init();
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_CAINFO, ca_file);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 20L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, swallow);
    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (code != CURLE_OK || status != 200)
        host_fail("the host's own request: %s, %ld", curl_easy_strerror(code), status);
    curl_easy_cleanup(curl);
}

static void begin_curl(void)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        host_fail("curl_global_init");
}

static void end_curl(void)
{
    curl_global_cleanup();
}
#else
static void request(void)
{
}
static void begin_curl(void)
{
}
static void end_curl(void)
{
}
#endif

static void *request_often(void *arg)
{
    (void)arg;
    for (int i = 0; i < REQUESTS; i++)
        request();
    return NULL;
}

static void sign(void)
{
    static unsigned number;
    for (enum host_slot slot = 0; slot < HOST_SLOTS; slot++) {
        char text[TEXT_LEN];
        if (slot ==
            HOST_RSA) /* a login takes half a second, and the other self-signed is the same */
            continue;
        host_text(text, sizeof(text), "https", number++);
        host_sign_once(slot, text);
    }
}

static void sign_and_request(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, request_often, NULL) != 0)
        host_fail("no thread");
    sign();
    (void)pthread_join(thread, NULL);
}

static void do_step(char step)
{
    switch (step) {
    case 'g':
        begin_curl();
        break;
    case 'c':
        end_curl();
        break;
    case 'r':
        request();
        break;
    case 'i':
        host_start();
        break;
    case 'f':
        host_must(p11->C_Finalize(NULL), "C_Finalize");
        break;
    case 's':
        sign();
        break;
    case 'b':
        sign_and_request();
        break;
    default:
        host_fail("no step is called %c", step);
    }
}

int main(int argc, char **argv)
{
    url = argc > 2 ? argv[2] : NULL;
    ca_file = argc > 3 ? argv[3] : NULL;
    host_load();
    for (const char *step = argc > 1 ? argv[1] : ""; *step; step++)
        do_step(*step);
    return 0;
}
