/* SPDX-License-Identifier: Apache-2.0 */
#include "module/token/handle_map.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 64 };

#define NO_PLACE UINT32_MAX

struct handle_place {
    void *item;
    uint32_t generation; /* 1 to HANDLE_GENERATIONS once it was used */
    uint32_t next_free;
};

void handle_map_init(struct handle_map *map, size_t limit)
{
    *map = (struct handle_map){.limit = limit, .free_head = NO_PLACE, .free_tail = NO_PLACE};
}

void handle_map_fini(struct handle_map *map)
{
    free(map->places);
    handle_map_init(map, map->limit);
}

static void push_free(struct handle_map *map, uint32_t index)
{
    map->places[index].next_free = NO_PLACE;
    if (map->free_tail == NO_PLACE)
        map->free_head = index;
    else
        map->places[map->free_tail].next_free = index;
    map->free_tail = index;
}

static uint32_t pop_free(struct handle_map *map)
{
    uint32_t index = map->free_head;
    if (index != NO_PLACE) {
        map->free_head = map->places[index].next_free;
        if (map->free_head == NO_PLACE)
            map->free_tail = NO_PLACE;
    }
    return index;
}

static bool grow(struct handle_map *map)
{
    size_t room = map->room ? 2 * map->room : FIRST_ROOM;
    if (room > (size_t)1 << HANDLE_INDEX_BITS)
        return false;
    struct handle_place *places = realloc(map->places, room * sizeof(*places));
    if (!places)
        return false;
    memset(places + map->room, 0, (room - map->room) * sizeof(*places));
    map->places = places;
    for (size_t i = map->room; i < room; i++)
        push_free(map, (uint32_t)i);
    map->room = room;
    return true;
}

bool handle_map_is_full(const struct handle_map *map)
{
    return map->used >= map->limit;
}

unsigned long handle_map_add(struct handle_map *map, void *item)
{
    if (handle_map_is_full(map) || (map->free_head == NO_PLACE && !grow(map)))
        return 0;
    uint32_t index = pop_free(map);
    struct handle_place *place = &map->places[index];
    place->item = item;
    place->generation = place->generation % HANDLE_GENERATIONS + 1;
    map->used++;
    return (unsigned long)place->generation << HANDLE_INDEX_BITS | index;
}

static struct handle_place *find_place(const struct handle_map *map, unsigned long handle)
{
    size_t index = handle & ((1UL << HANDLE_INDEX_BITS) - 1);
    if (index >= map->room || !map->places[index].item ||
        map->places[index].generation != handle >> HANDLE_INDEX_BITS)
        return NULL;
    return &map->places[index];
}

void *handle_map_find(const struct handle_map *map, unsigned long handle)
{
    const struct handle_place *place = find_place(map, handle);
    return place ? place->item : NULL;
}

void *handle_map_remove(struct handle_map *map, unsigned long handle)
{
    struct handle_place *place = find_place(map, handle);
    if (!place)
        return NULL;
    void *item = place->item;
    place->item = NULL;
    map->used--;
    push_free(map, (uint32_t)(place - map->places));
    return item;
}

void *handle_map_at(const struct handle_map *map, size_t index)
{
    return map->places[index].item;
}

size_t handle_map_places(const struct handle_map *map)
{
    return map->room;
}
