#include "ui/tui/style.h"

#include <string.h>

// clang-format off
static const struct theme themes[] = {
    {"dark", "colours on a dark screen", false, {
        [STYLE_TEXT] = {-1, -1, 0, 0, 0, 0},          [STYLE_DIM] = {245, -1, 0, 0, 0, 0},
        [STYLE_STRONG] = {255, -1, 1, 0, 0, 0},       [STYLE_BORDER] = {240, -1, 0, 0, 0, 0},
        [STYLE_BORDER_FOCUS] = {81, -1, 1, 0, 0, 0},  [STYLE_BAR] = {252, 236, 0, 0, 0, 0},
        [STYLE_BAR_STRONG] = {16, 81, 1, 0, 0, 0},    [STYLE_CURSOR] = {-1, 238, 0, 0, 0, 0},
        [STYLE_NEXT] = {16, 220, 1, 0, 0, 0},         [STYLE_DONE] = {255, 238, 0, 0, 0, 0},
        [STYLE_CHANGED] = {220, -1, 1, 0, 0, 0},      [STYLE_GOOD] = {114, -1, 0, 0, 0, 0},
        [STYLE_BAD] = {203, -1, 1, 0, 0, 0},          [STYLE_WARNING] = {215, -1, 0, 0, 0, 0},
        [STYLE_KEY] = {81, -1, 1, 0, 0, 0},           [STYLE_VIRTUAL] = {117, -1, 0, 0, 0, 0},
        [STYLE_REAL] = {151, -1, 0, 0, 0, 0},         [STYLE_INNOCUOUS] = {-1, -1, 0, 0, 0, 0},
        [STYLE_SENSITIVE] = {215, -1, 0, 0, 0, 0},    [STYLE_CRITICAL] = {203, -1, 1, 0, 1, 0},
        [STYLE_TRAPS] = {141, -1, 0, 0, 0, 0},        [STYLE_LEVEL_0] = {151, -1, 0, 0, 0, 0},
        [STYLE_LEVEL_1] = {117, -1, 0, 0, 0, 0},      [STYLE_LEVEL_2] = {183, -1, 0, 0, 0, 0},
        [STYLE_LEVEL_3] = {222, -1, 0, 0, 0, 0}}},
    {"light", "dark ink on a light screen, for projectors", true, {
        [STYLE_TEXT] = {16, 231, 0, 0, 0, 0},         [STYLE_DIM] = {241, 231, 0, 0, 0, 0},
        [STYLE_STRONG] = {16, 231, 1, 0, 0, 0},       [STYLE_BORDER] = {246, 231, 0, 0, 0, 0},
        [STYLE_BORDER_FOCUS] = {25, 231, 1, 0, 0, 0}, [STYLE_BAR] = {16, 252, 0, 0, 0, 0},
        [STYLE_BAR_STRONG] = {231, 25, 1, 0, 0, 0},   [STYLE_CURSOR] = {16, 254, 0, 0, 0, 0},
        [STYLE_NEXT] = {16, 221, 1, 0, 0, 0},         [STYLE_DONE] = {16, 252, 0, 0, 0, 0},
        [STYLE_CHANGED] = {124, 231, 1, 0, 0, 0},     [STYLE_GOOD] = {22, 231, 0, 0, 0, 0},
        [STYLE_BAD] = {160, 231, 1, 0, 0, 0},         [STYLE_WARNING] = {130, 231, 0, 0, 0, 0},
        [STYLE_KEY] = {25, 231, 1, 0, 0, 0},          [STYLE_VIRTUAL] = {25, 231, 0, 0, 0, 0},
        [STYLE_REAL] = {22, 231, 0, 0, 0, 0},         [STYLE_INNOCUOUS] = {16, 231, 0, 0, 0, 0},
        [STYLE_SENSITIVE] = {130, 231, 0, 0, 0, 0},   [STYLE_CRITICAL] = {160, 231, 1, 0, 1, 0},
        [STYLE_TRAPS] = {91, 231, 0, 0, 0, 0},        [STYLE_LEVEL_0] = {22, 231, 0, 0, 0, 0},
        [STYLE_LEVEL_1] = {25, 231, 0, 0, 0, 0},      [STYLE_LEVEL_2] = {91, 231, 0, 0, 0, 0},
        [STYLE_LEVEL_3] = {130, 231, 0, 0, 0, 0}}},
    {"contrast", "white on black, and nothing in between", false, {
        [STYLE_TEXT] = {231, 16, 0, 0, 0, 0},         [STYLE_DIM] = {231, 16, 0, 0, 0, 0},
        [STYLE_STRONG] = {231, 16, 1, 0, 0, 0},       [STYLE_BORDER] = {231, 16, 0, 0, 0, 0},
        [STYLE_BORDER_FOCUS] = {226, 16, 1, 0, 0, 0}, [STYLE_BAR] = {16, 231, 0, 0, 0, 0},
        [STYLE_BAR_STRONG] = {16, 226, 1, 0, 0, 0},   [STYLE_CURSOR] = {231, 16, 0, 0, 1, 0},
        [STYLE_NEXT] = {16, 226, 1, 0, 0, 0},         [STYLE_DONE] = {231, 16, 0, 0, 1, 0},
        [STYLE_CHANGED] = {226, 16, 1, 0, 0, 0},      [STYLE_GOOD] = {51, 16, 0, 0, 0, 0},
        [STYLE_BAD] = {226, 16, 1, 0, 1, 0},          [STYLE_WARNING] = {226, 16, 0, 0, 0, 0},
        [STYLE_KEY] = {51, 16, 1, 0, 0, 0},           [STYLE_VIRTUAL] = {51, 16, 0, 0, 0, 0},
        [STYLE_REAL] = {231, 16, 0, 0, 0, 0},         [STYLE_INNOCUOUS] = {231, 16, 0, 0, 0, 0},
        [STYLE_SENSITIVE] = {226, 16, 0, 0, 0, 0},    [STYLE_CRITICAL] = {226, 16, 1, 0, 1, 0},
        [STYLE_TRAPS] = {51, 16, 0, 0, 0, 0},         [STYLE_LEVEL_0] = {231, 16, 0, 0, 0, 0},
        [STYLE_LEVEL_1] = {51, 16, 0, 0, 0, 0},       [STYLE_LEVEL_2] = {226, 16, 0, 0, 0, 0},
        [STYLE_LEVEL_3] = {231, 16, 1, 0, 0, 0}}},
    {"blue-yellow", "colours that red-green blindness does not confuse", false, {
        [STYLE_TEXT] = {-1, -1, 0, 0, 0, 0},          [STYLE_DIM] = {245, -1, 0, 0, 0, 0},
        [STYLE_STRONG] = {255, -1, 1, 0, 0, 0},       [STYLE_BORDER] = {240, -1, 0, 0, 0, 0},
        [STYLE_BORDER_FOCUS] = {75, -1, 1, 0, 0, 0},  [STYLE_BAR] = {252, 236, 0, 0, 0, 0},
        [STYLE_BAR_STRONG] = {16, 75, 1, 0, 0, 0},    [STYLE_CURSOR] = {-1, 238, 0, 0, 0, 0},
        [STYLE_NEXT] = {16, 226, 1, 0, 0, 0},         [STYLE_DONE] = {255, 238, 0, 0, 0, 0},
        [STYLE_CHANGED] = {226, -1, 1, 0, 0, 0},      [STYLE_GOOD] = {75, -1, 0, 0, 0, 0},
        [STYLE_BAD] = {226, -1, 1, 0, 1, 0},          [STYLE_WARNING] = {222, -1, 0, 0, 0, 0},
        [STYLE_KEY] = {75, -1, 1, 0, 0, 0},           [STYLE_VIRTUAL] = {75, -1, 0, 0, 0, 0},
        [STYLE_REAL] = {253, -1, 0, 0, 0, 0},         [STYLE_INNOCUOUS] = {-1, -1, 0, 0, 0, 0},
        [STYLE_SENSITIVE] = {222, -1, 0, 0, 0, 0},    [STYLE_CRITICAL] = {226, -1, 1, 0, 1, 0},
        [STYLE_TRAPS] = {111, -1, 0, 0, 0, 0},        [STYLE_LEVEL_0] = {253, -1, 0, 0, 0, 0},
        [STYLE_LEVEL_1] = {75, -1, 0, 0, 0, 0},       [STYLE_LEVEL_2] = {222, -1, 0, 0, 0, 0},
        [STYLE_LEVEL_3] = {111, -1, 0, 0, 0, 0}}},
    {"mono", "no colours: bold, underlined and reversed only", false, {
        [STYLE_TEXT] = {-1, -1, 0, 0, 0, 0},          [STYLE_DIM] = {-1, -1, 0, 0, 0, 0},
        [STYLE_STRONG] = {-1, -1, 1, 0, 0, 0},        [STYLE_BORDER] = {-1, -1, 0, 0, 0, 0},
        [STYLE_BORDER_FOCUS] = {-1, -1, 1, 0, 0, 0},  [STYLE_BAR] = {-1, -1, 0, 0, 0, 1},
        [STYLE_BAR_STRONG] = {-1, -1, 1, 0, 0, 1},    [STYLE_CURSOR] = {-1, -1, 0, 0, 1, 0},
        [STYLE_NEXT] = {-1, -1, 1, 0, 0, 1},          [STYLE_DONE] = {-1, -1, 0, 0, 1, 0},
        [STYLE_CHANGED] = {-1, -1, 1, 0, 0, 0},       [STYLE_GOOD] = {-1, -1, 0, 0, 0, 0},
        [STYLE_BAD] = {-1, -1, 1, 0, 0, 0},           [STYLE_WARNING] = {-1, -1, 1, 0, 0, 0},
        [STYLE_KEY] = {-1, -1, 1, 0, 0, 0},           [STYLE_VIRTUAL] = {-1, -1, 0, 0, 0, 0},
        [STYLE_REAL] = {-1, -1, 0, 0, 0, 0},          [STYLE_INNOCUOUS] = {-1, -1, 0, 0, 0, 0},
        [STYLE_SENSITIVE] = {-1, -1, 0, 0, 0, 0},     [STYLE_CRITICAL] = {-1, -1, 1, 0, 1, 0},
        [STYLE_TRAPS] = {-1, -1, 0, 0, 0, 0},         [STYLE_LEVEL_0] = {-1, -1, 0, 0, 0, 0},
        [STYLE_LEVEL_1] = {-1, -1, 0, 0, 0, 0},       [STYLE_LEVEL_2] = {-1, -1, 0, 0, 0, 0},
        [STYLE_LEVEL_3] = {-1, -1, 0, 0, 0, 0}}},
};
// clang-format on

const struct theme *theme_at(unsigned n) { return n < sizeof themes / sizeof *themes ? &themes[n] : NULL; }

const struct theme *theme_find(const char *name) {
    for (unsigned n = 0; theme_at(n); n++)
        if (strcmp(themes[n].name, name) == 0)
            return &themes[n];
    return NULL;
}

void palette_rgb(int colour, uint8_t rgb[3]) {
    static const uint8_t first[16][3] = {{0, 0, 0},       {205, 0, 0},   {0, 205, 0},   {205, 205, 0},
                                         {0, 0, 238},     {205, 0, 205}, {0, 205, 205}, {229, 229, 229},
                                         {127, 127, 127}, {255, 0, 0},   {0, 255, 0},   {255, 255, 0},
                                         {92, 92, 255},   {255, 0, 255}, {0, 255, 255}, {255, 255, 255}};
    static const uint8_t steps[6] = {0, 95, 135, 175, 215, 255}; /* of the cube */
    if (colour < 16) {
        memcpy(rgb, first[colour < 0 ? 0 : colour], 3);
    } else if (colour < 232) {
        rgb[0] = steps[(colour - 16) / 36];
        rgb[1] = steps[(colour - 16) / 6 % 6];
        rgb[2] = steps[(colour - 16) % 6];
    } else {
        rgb[0] = rgb[1] = rgb[2] = (uint8_t)(8 + 10 * (colour - 232));
    }
}
