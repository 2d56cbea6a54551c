/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls of every function with nothing in its parameters, made from the rows of functions.def.
 *
 * A row gives the parameters as it declares them, "CK_MECHANISM *mechanism". Here their names are
 * defined away, so that what is left of each is a type, to which 0 is converted. Include this last.
 */
#ifndef TESTS_MODULE_EVERY_FUNCTION_H
#define TESTS_MODULE_EVERY_FUNCTION_H

/* The system header leaves this one behind. */
#undef aad_len

#define aad
#define aad_len
#define application
#define args
#define authentication_key
#define base_key
#define ciphertext
#define copy
#define count
#define data
#define data_len
#define digest
#define digest_len
#define encryption_key
#define flags
#define function
#define handle
#define hs
#define id
#define ids
#define in
#define in_len
#define info
#define interface
#define interfaces
#define key
#define label
#define list
#define max
#define mechanism
#define name
#define name_len
#define new_len
#define new_pin
#define notify
#define object
#define objects
#define old_len
#define old_pin
#define out
#define out_len
#define parameter
#define parameter_len
#define part
#define part_len
#define pin
#define pin_len
#define present
#define private_count
#define private_key
#define private_template
#define public_count
#define public_key
#define public_template
#define reserved
#define result
#define secret
#define seed
#define seed_len
#define signature
#define signature_len
#define size
#define slot
#define state
#define state_len
#define template
#define type
#define types
#define unwrapping_key
#define version
#define wrapped
#define wrapped_len
#define wrapping_key

#define ZERO(declaration) ((declaration)0)

/* The first argument is given, a session handle; the others are nothing. */
#define ARGS_1(given, a)                         (given)
#define ARGS_2(given, a, b)                      (given), ZERO(b)
#define ARGS_3(given, a, b, c)                   ARGS_2(given, a, b), ZERO(c)
#define ARGS_4(given, a, b, c, d)                ARGS_3(given, a, b, c), ZERO(d)
#define ARGS_5(given, a, b, c, d, e)             ARGS_4(given, a, b, c, d), ZERO(e)
#define ARGS_6(given, a, b, c, d, e, f)          ARGS_5(given, a, b, c, d, e), ZERO(f)
#define ARGS_7(given, a, b, c, d, e, f, g)       ARGS_6(given, a, b, c, d, e, f), ZERO(g)
#define ARGS_8(given, a, b, c, d, e, f, g, h)    ARGS_7(given, a, b, c, d, e, f, g), ZERO(h)
#define ARGS_9(given, a, b, c, d, e, f, g, h, i) ARGS_8(given, a, b, c, d, e, f, g, h), ZERO(i)
#define ARGS_10(given, a, b, c, d, e, f, g, h, i, j)                                               \
    ARGS_9(given, a, b, c, d, e, f, g, h, i), ZERO(j)

#define PICK(a, b, c, d, e, f, g, h, i, j, picked, ...) picked
#define ARGS_FOR(...)                                                                              \
    PICK(__VA_ARGS__, ARGS_10, ARGS_9, ARGS_8, ARGS_7, ARGS_6, ARGS_5, ARGS_4, ARGS_3, ARGS_2,     \
         ARGS_1, )

/* The arguments of a call in that session, from a row's parameters in their parentheses. */
#define SESSION_FIRST(session, ...)       ARGS_FOR(__VA_ARGS__)(session, __VA_ARGS__)
#define STRIP(...)                        __VA_ARGS__
#define WITH_SESSION(session, parameters) (SESSION_FIRST(session, STRIP parameters))

/* A row of nothing but zeros, whatever its first parameter is. */
#define FIRST(first, ...)    ZERO(first)
#define ALL_ZERO(parameters) WITH_SESSION(FIRST_OF(STRIP parameters), parameters)
#define FIRST_OF(...)        FIRST(__VA_ARGS__, )

#endif
