/* Units: reading and writing the numbers of people. */
#include "scenarios/engine/units.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return -1;
}

bool units_hex(const char *text, uint32_t most, uint32_t *to) {
    uint32_t value = 0;
    size_t length = strlen(text);
    if (length < 1 || length > 8) {
        return false;
    }
    for (const char *c = text; *c; c++) {
        int digit = hex_digit(*c);
        if (digit < 0) {
            return false;
        }
        value = value << 4 | (uint32_t)digit;
    }
    if (value > most) {
        return false;
    }
    *to = value;
    return true;
}

/* Reads decimal digits up to the first other character, which *rest then points to. */
static bool read_decimal(const char *text, uint64_t most, uint64_t *to, const char **rest) {
    uint64_t value = 0;
    const char *c = text;
    for (; *c >= '0' && *c <= '9'; c++) {
        unsigned digit = (unsigned)(*c - '0');
        if (value > (UINT64_MAX - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
    }
    if (c == text || value > most) {
        return false;
    }
    *to = value;
    *rest = c;
    return true;
}

bool units_decimal(const char *text, uint64_t most, uint64_t *to) {
    uint64_t value;
    const char *rest;
    if (!read_decimal(text, most, &value, &rest) || *rest) {
        return false;
    }
    *to = value;
    return true;
}

bool units_size(const char *text, uint64_t most, uint64_t *to) {
    uint64_t value;
    const char *rest;
    unsigned shift = 0;
    if (!read_decimal(text, most, &value, &rest)) {
        return false;
    }
    switch (*rest) {
    case 'k':
    case 'K': shift = 10; break;
    case 'm':
    case 'M': shift = 20; break;
    case 'g':
    case 'G': shift = 30; break;
    case '\0': break;
    default: return false;
    }
    if (shift && rest[1]) {
        return false;
    }
    if (value > most >> shift) {
        return false;
    }
    *to = value << shift;
    return true;
}

void units_size_text(char to[24], uint64_t bytes) {
    static const char suffix[] = {'\0', 'K', 'M', 'G'};
    unsigned step = 0;
    while (step < 3 && bytes && bytes % 1024 == 0) {
        bytes /= 1024;
        step++;
    }
    snprintf(to, 24, suffix[step] ? "%" PRIu64 "%c" : "%" PRIu64, bytes, suffix[step]);
}

void units_grouped(char to[32], uint64_t n) {
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%" PRIu64, n);
    char *out = to;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0) {
            *out++ = ',';
        }
        *out++ = digits[i];
    }
    *out = '\0';
}
