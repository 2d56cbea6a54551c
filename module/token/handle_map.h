/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Handles are names, not indexes: a handle carries the generation of its place, so that a closed
 * session's handle never means another session until C_Finalize. Handles are never 0 and stay below
 * 2^31, for applications that keep them in an int.
 */
#ifndef MODULE_TOKEN_HANDLE_MAP_H
#define MODULE_TOKEN_HANDLE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HANDLE_INDEX_BITS = 14,
    HANDLE_GENERATIONS = (1 << (31 - HANDLE_INDEX_BITS)) - 1,
};

struct handle_place;

/* Not locked: the owner does that. */
struct handle_map {
    struct handle_place *places;
    size_t room;
    size_t used;
    size_t limit;       /* most items at once */
    uint32_t free_head; /* free places, taken in the order they became free: reuse comes late */
    uint32_t free_tail;
};

/* limit: at most 2^HANDLE_INDEX_BITS. */
void handle_map_init(struct handle_map *map, size_t limit);
void handle_map_fini(struct handle_map *map);

/* 0 when the limit is reached or memory is short. */
unsigned long handle_map_add(struct handle_map *map, void *item);

/* Are there as many as the limit allows? */
bool handle_map_is_full(const struct handle_map *map);

/* The item of a handle, NULL for any other number. */
void *handle_map_find(const struct handle_map *map, unsigned long handle);

/* Takes the item out: NULL if it was not there (any more). */
void *handle_map_remove(struct handle_map *map, unsigned long handle);

/* Item number index of the places in use or not: NULL where there is none. For walking all. */
void *handle_map_at(const struct handle_map *map, size_t index);
size_t handle_map_places(const struct handle_map *map);

#endif
