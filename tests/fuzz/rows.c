/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/rows.h"

#include "module/entry/interface.h"
#include "tests/module/every_function.h"

/* Parameters are types alone here (every_function.h): each takes the next word. */
#define WORD_1(a)                             (a) words[0]
#define WORD_2(a, b)                          WORD_1(a), (b)words[1]
#define WORD_3(a, b, c)                       WORD_2(a, b), (c)words[2]
#define WORD_4(a, b, c, d)                    WORD_3(a, b, c), (d)words[3]
#define WORD_5(a, b, c, d, e)                 WORD_4(a, b, c, d), (e)words[4]
#define WORD_6(a, b, c, d, e, f)              WORD_5(a, b, c, d, e), (f)words[5]
#define WORD_7(a, b, c, d, e, f, g)           WORD_6(a, b, c, d, e, f), (g)words[6]
#define WORD_8(a, b, c, d, e, f, g, h)        WORD_7(a, b, c, d, e, f, g), (h)words[7]
#define WORD_9(a, b, c, d, e, f, g, h, i)     WORD_8(a, b, c, d, e, f, g, h), (i)words[8]
#define WORD_10(a, b, c, d, e, f, g, h, i, j) WORD_9(a, b, c, d, e, f, g, h, i), (j)words[9]
#define WORDS_FOR(...)                                                                             \
    PICK(__VA_ARGS__, WORD_10, WORD_9, WORD_8, WORD_7, WORD_6, WORD_5, WORD_4, WORD_3, WORD_2,     \
         WORD_1, )
#define WORDS(...)      WORDS_FOR(__VA_ARGS__)(__VA_ARGS__)
#define WORD_COUNT(...) PICK(__VA_ARGS__, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, )

#define CALL(function, parameters)                                                                 \
    static CK_RV call_##function(const uintptr_t *words)                                           \
    {                                                                                              \
        return list_3_2.C_##function(WORDS parameters);                                            \
    }

#define P11_RAW(since, function, handler, format, parameters, ...)     CALL(function, parameters)
#define P11_LIB(since, function, handler, format, parameters, ...)     CALL(function, parameters)
#define P11_SESSION(since, function, handler, format, parameters, ...) CALL(function, parameters)
#define P11_ABSENT_SESSION(since, function, parameters)                CALL(function, parameters)
#define P11_ABSENT(since, function, code, parameters)                  CALL(function, parameters)
#include "module/entry/functions.def"
#undef P11_RAW
#undef P11_LIB
#undef P11_SESSION
#undef P11_ABSENT_SESSION
#undef P11_ABSENT

#define ROW(function, parameters)                                      {"C_" #function, call_##function, WORD_COUNT parameters},
#define P11_RAW(since, function, handler, format, parameters, ...)     ROW(function, parameters)
#define P11_LIB(since, function, handler, format, parameters, ...)     ROW(function, parameters)
#define P11_SESSION(since, function, handler, format, parameters, ...) ROW(function, parameters)
#define P11_ABSENT_SESSION(since, function, parameters)                ROW(function, parameters)
#define P11_ABSENT(since, function, code, parameters)                  ROW(function, parameters)
const struct row rows[ROW_COUNT] = {
#include "module/entry/functions.def"
};
