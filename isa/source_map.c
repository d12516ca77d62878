#include "isa/source_map.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct source_map {
    uint32_t origin, end;
    struct symbol *symbols; /* addresses first, by value; names are in `names` */
    size_t symbol_count, address_count;
    struct assembly_line *lines; /* by address; of several with the same the last made it */
    size_t line_count;
    char *text; /* of the listing */
};

/* Addresses before plain numbers; then by value, then as they were defined. */
static int by_value(const void *x, const void *y) {
    const struct symbol *a = x, *b = y;
    if (a->relocatable != b->relocatable)
        return a->relocatable ? -1 : 1;
    if (a->value != b->value)
        return a->value < b->value ? -1 : 1;
    return (a->length > b->length) - (a->length < b->length); /* here: the order of definition */
}

static int by_address(const void *x, const void *y) {
    const struct assembly_line *a = x, *b = y;
    if (a->address != b->address)
        return a->address < b->address ? -1 : 1;
    return (a->text > b->text) - (a->text < b->text);
}

static void *copy(const void *from, size_t count, size_t size) {
    void *to = malloc(count * size + 1);
    if (to && count)
        memcpy(to, from, count * size);
    return to;
}

struct source_map *source_map_new(const struct assembly *a) {
    struct source_map *map = calloc(1, sizeof *map);
    if (!map)
        return NULL;
    map->origin = a->origin;
    map->end = a->origin + (uint32_t)a->image.length;
    map->symbols = copy(a->symbols, a->symbol_count, sizeof *a->symbols);
    map->lines = copy(a->lines, a->line_count, sizeof *a->lines);
    map->text = copy(a->listing.data, a->listing.length, 1);
    bool ok = map->symbols && map->lines && map->text;
    for (size_t n = 0; ok && n < a->symbol_count; n++, map->symbol_count++) {
        struct symbol *s = &map->symbols[n];
        s->name = strdup(s->name);
        ok = s->name != NULL;
        s->length = (uint32_t)n;
        map->address_count += s->relocatable;
    }
    if (!ok) {
        source_map_free(map);
        return NULL;
    }
    map->line_count = a->line_count;
    if (map->symbol_count)
        qsort(map->symbols, map->symbol_count, sizeof *map->symbols, by_value);
    if (map->line_count)
        qsort(map->lines, map->line_count, sizeof *map->lines, by_address);
    return map;
}

void source_map_free(struct source_map *map) {
    if (!map)
        return;
    for (size_t n = 0; n < map->symbol_count; n++)
        free(map->symbols[n].name);
    free(map->symbols);
    free(map->lines);
    free(map->text);
    free(map);
}

bool source_map_has(const struct source_map *map, uint32_t address) {
    return address >= map->origin && address < map->end;
}

const char *source_map_label(const struct source_map *map, uint32_t address, uint32_t *offset) {
    size_t low = 0, high = map->address_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (map->symbols[middle].value > address)
            high = middle;
        else
            low = middle + 1;
    }
    if (low == 0)
        return NULL;
    const uint32_t value = map->symbols[low - 1].value;
    while (low > 1 && map->symbols[low - 2].value == value)
        low--;
    *offset = address - value;
    return map->symbols[low - 1].name;
}

bool source_map_find(const struct source_map *map, const char *name, uint32_t *value) {
    for (size_t n = 0; n < map->symbol_count; n++)
        if (strcasecmp(map->symbols[n].name, name) == 0) {
            *value = map->symbols[n].value;
            return true;
        }
    return false;
}

const char *source_map_symbol(const struct source_map *map, size_t n, uint32_t *value) {
    if (n >= map->address_count)
        return NULL;
    *value = map->symbols[n].value;
    return map->symbols[n].name;
}

bool source_map_line(const struct source_map *map, uint32_t address, struct source_line *to) {
    size_t low = 0, high = map->line_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (map->lines[middle].address > address)
            high = middle;
        else
            low = middle + 1;
    }
    if (low == 0 || address - map->lines[low - 1].address >= map->lines[low - 1].length)
        return false;
    const struct assembly_line *line = &map->lines[low - 1];
    *to = (struct source_line){.address = line->address,
                               .length = line->length,
                               .instruction = line->instruction,
                               .text = map->text + line->text,
                               .text_length = line->text_length};
    return true;
}

static int64_t symbol_address(const struct source_map *map, size_t n) { return map->symbols[n].value; }
static int64_t line_address(const struct source_map *map, size_t n) { return map->lines[n].address; }

/* Of `count` addresses in ascending order the first behind this one, or the last before it; else -1. */
static int64_t nearest(const struct source_map *map, int64_t (*of)(const struct source_map *map, size_t n),
                       size_t count, uint32_t address, int step) {
    size_t low = 0, high = count;
    while (low < high) { /* how many are before it; with step 1 how many are not behind it */
        size_t middle = low + (high - low) / 2;
        if (of(map, middle) < address || (step > 0 && of(map, middle) == address))
            low = middle + 1;
        else
            high = middle;
    }
    if (step > 0)
        return low < count ? of(map, low) : -1;
    return low > 0 ? of(map, low - 1) : -1;
}

int64_t source_map_next(const struct source_map *map, uint32_t address, int step) {
    int64_t symbol = nearest(map, symbol_address, map->address_count, address, step);
    int64_t line = nearest(map, line_address, map->line_count, address, step);
    int64_t end = map->end, best = -1;
    end = (step > 0 ? address < end : address > end) ? end : -1;
    const int64_t each[] = {symbol, line, end};
    for (size_t n = 0; n < sizeof each / sizeof *each; n++)
        if (each[n] >= 0 && (best < 0 || (step > 0 ? each[n] < best : each[n] > best)))
            best = each[n];
    return best;
}
