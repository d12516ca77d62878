/* The string library made safe: pattern matching that pays for every step it takes, so that a pattern which would try
 * for ever ends with the budget; repetition and formatting within bounds; no dump.
 *
 * The matcher is a backtracking one over Lua's patterns as the Lua manual (6.4.1) defines them: a class, a set or a
 * character with an optional quantifier, captures, back references, %b and %f. Letters, digits and so on are ASCII's,
 * whatever the host's locale. */
#include <stdio.h>
#include <string.h>

#include "scenarios/engine/engine_internal.h"

enum {
    CAPTURES = 32,
    NESTING = 150,     /* how deep the matcher calls itself */
    CAPTURE_OPEN = -1, /* lengths of captures that have none */
    CAPTURE_POSITION = -2,
    STEPS_PER_CHARGE = 16, /* a step costs as much as a Lua instruction */
    STEPS_PER_CALL = 8,
    STEPS_PER_RESULT = 4, /* a capture, a replacement */
    SET_BYTES_PER_STEP = 8,
    BYTES_PER_STEP = 16, /* compared, copied or counted */
    CONVERSION_CHARGE = 10,
};

struct matcher {
    lua_State *L;
    const char *subject, *subject_end, *pattern_end;
    int level; /* captures begun */
    struct {
        const char *start;
        ptrdiff_t length;
    } capture[CAPTURES];
    int nesting;
    size_t steps; /* not charged yet */
};

static const char *match(struct matcher *m, const char *s, const char *p);

static void count_steps(struct matcher *m, size_t n) {
    m->steps += n;
    if (m->steps >= STEPS_PER_CHARGE) {
        engine_charge(m->L, m->steps);
        m->steps = 0;
    }
}

/* A look at the pattern's item from p to end. */
static void count_item(struct matcher *m, const char *p, const char *end) {
    count_steps(m, 1 + (size_t)(end - p) / SET_BYTES_PER_STEP);
}

/* A text; numbers are made into one. */
static const char *check_text(lua_State *L, int index, size_t *length) {
    sandbox_clear_nan_sign(L, index);
    return luaL_checklstring(L, index, length);
}

/* --- one character ------------------------------------------------------------------------------------------------ */

static bool is_letter(unsigned char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }
static bool is_digit(unsigned char c) { return c >= '0' && c <= '9'; }
static bool is_space(unsigned char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

static bool in_class(unsigned char c, unsigned char class) {
    bool in;
    switch (class | 0x20) {
    case 'a': in = is_letter(c); break;
    case 'c': in = c < 0x20 || c == 0x7F; break;
    case 'd': in = is_digit(c); break;
    case 'g': in = c > 0x20 && c < 0x7F; break;
    case 'l': in = c >= 'a' && c <= 'z'; break;
    case 'p': in = c > 0x20 && c < 0x7F && !is_letter(c) && !is_digit(c); break;
    case 's': in = is_space(c); break;
    case 'u': in = c >= 'A' && c <= 'Z'; break;
    case 'w': in = is_letter(c) || is_digit(c); break;
    case 'x': in = is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f'); break;
    default: return c == class; /* an escaped character stands for itself */
    }
    return in != (is_letter(class) && !(class & 0x20));
}

/* The end of the single item (character, class or set) at p. */
static const char *item_end(struct matcher *m, const char *p) {
    char first = *p++;
    if (first == '%') {
        if (p == m->pattern_end) {
            luaL_error(m->L, "malformed pattern (ends with '%%')");
        }
        return p + 1;
    }
    if (first != '[') {
        return p;
    }
    if (p < m->pattern_end && *p == '^') {
        p++;
    }
    do { /* a ] right at the beginning is a member */
        if (p >= m->pattern_end) {
            luaL_error(m->L, "malformed pattern (missing ']')");
        }
        if (*p++ == '%') {
            p++;
        }
    } while (p >= m->pattern_end || *p != ']');
    return p + 1;
}

/* Whether c is in the set from its [ at p to its ] at last. */
static bool in_set(unsigned char c, const char *p, const char *last) {
    bool found = true;
    p++;
    if (*p == '^') {
        found = false;
        p++;
    }
    while (p < last) {
        if (*p == '%') {
            if (in_class(c, (unsigned char)p[1])) {
                return found;
            }
            p += 2;
        } else if (p[1] == '-' && p + 2 < last) {
            if ((unsigned char)p[0] <= c && c <= (unsigned char)p[2]) {
                return found;
            }
            p += 3;
        } else {
            if ((unsigned char)*p == c) {
                return found;
            }
            p++;
        }
    }
    return !found;
}

static bool item_matches(const struct matcher *m, const char *s, const char *p, const char *end) {
    if (s >= m->subject_end) {
        return false;
    }
    unsigned char c = (unsigned char)*s;
    switch (*p) {
    case '.': return true;
    case '%': return in_class(c, (unsigned char)p[1]);
    case '[': return in_set(c, p, end - 1);
    default: return (unsigned char)*p == c;
    }
}

/* --- items with quantifiers, captures ----------------------------------------------------------------------------- */

static const char *match_most(struct matcher *m, const char *s, const char *p, const char *end) {
    ptrdiff_t n = 0;
    while (item_matches(m, s + n, p, end)) {
        n++;
        count_item(m, p, end);
    }
    for (; n >= 0; n--) {
        const char *rest = match(m, s + n, end + 1);
        if (rest) {
            return rest;
        }
    }
    return NULL;
}

static const char *match_fewest(struct matcher *m, const char *s, const char *p, const char *end) {
    for (;; s++) {
        const char *rest = match(m, s, end + 1);
        if (rest) {
            return rest;
        }
        count_item(m, p, end);
        if (!item_matches(m, s, p, end)) {
            return NULL;
        }
    }
}

static const char *open_capture(struct matcher *m, const char *s, const char *p, ptrdiff_t length) {
    if (m->level == CAPTURES) {
        luaL_error(m->L, "too many captures");
    }
    m->capture[m->level].start = s;
    m->capture[m->level].length = length;
    m->level++;
    const char *rest = match(m, s, p);
    if (!rest) {
        m->level--;
    }
    return rest;
}

static const char *close_capture(struct matcher *m, const char *s, const char *p) {
    int open = m->level - 1;
    while (open >= 0 && m->capture[open].length != CAPTURE_OPEN) {
        open--;
    }
    if (open < 0) {
        luaL_error(m->L, "invalid pattern capture");
    }
    m->capture[open].length = s - m->capture[open].start;
    const char *rest = match(m, s, p);
    if (!rest) {
        m->capture[open].length = CAPTURE_OPEN;
    }
    return rest;
}

/* %1 to %9: the same text again. The end of it in the subject, or NULL. */
static const char *match_again(struct matcher *m, const char *s, char digit) {
    int i = digit - '1';
    if (i < 0 || i >= m->level || m->capture[i].length == CAPTURE_OPEN) {
        luaL_error(m->L, "invalid capture index %%%d in pattern", i + 1);
    }
    if (m->capture[i].length == CAPTURE_POSITION) {
        return NULL; /* a position is no text */
    }
    size_t length = (size_t)m->capture[i].length;
    if ((size_t)(m->subject_end - s) < length || memcmp(s, m->capture[i].start, length)) {
        return NULL;
    }
    count_steps(m, length / BYTES_PER_STEP);
    return s + length;
}

/* %bxy: from an x to its y. p points to x. */
static const char *match_balanced(struct matcher *m, const char *s, const char *p) {
    if (m->pattern_end - p < 2) {
        luaL_error(m->L, "malformed pattern (missing arguments to '%%b')");
    }
    if (s >= m->subject_end || *s != p[0]) {
        return NULL;
    }
    size_t depth = 1;
    while (++s < m->subject_end) {
        count_steps(m, 1);
        if (*s == p[1]) {
            if (--depth == 0) {
                return s + 1;
            }
        } else if (*s == p[0]) {
            depth++;
        }
    }
    return NULL;
}

/* %f[set]: between a character outside the set and one inside; both ends of the subject count as NUL. */
static bool at_frontier(const struct matcher *m, const char *s, const char *set, const char *end) {
    unsigned char before = s == m->subject ? '\0' : (unsigned char)s[-1];
    unsigned char after = s == m->subject_end ? '\0' : (unsigned char)*s;
    return !in_set(before, set, end - 1) && in_set(after, set, end - 1);
}

/* Matches the pattern from p on against the subject from s on: the end of the match, or NULL. */
static const char *match_here(struct matcher *m, const char *s, const char *p) {
    while (p < m->pattern_end) {
        count_steps(m, 1);
        if (*p == '(') {
            bool is_position = p + 1 < m->pattern_end && p[1] == ')';
            return open_capture(m, s, p + 1 + is_position, is_position ? CAPTURE_POSITION : CAPTURE_OPEN);
        }
        if (*p == ')') {
            return close_capture(m, s, p + 1);
        }
        if (*p == '$' && p + 1 == m->pattern_end) {
            return s == m->subject_end ? s : NULL;
        }
        char escaped = *p == '%' && p + 1 < m->pattern_end ? p[1] : '\0';
        if (escaped == 'b') {
            if (!(s = match_balanced(m, s, p + 2))) {
                return NULL;
            }
            p += 4;
            continue;
        }
        if (escaped == 'f') {
            if (p + 2 >= m->pattern_end || p[2] != '[') {
                luaL_error(m->L, "missing '[' after '%%f' in pattern");
            }
            const char *end = item_end(m, p + 2);
            count_item(m, p, end);
            if (!at_frontier(m, s, p + 2, end)) {
                return NULL;
            }
            p = end;
            continue;
        }
        if (is_digit((unsigned char)escaped)) {
            if (!(s = match_again(m, s, escaped))) {
                return NULL;
            }
            p += 2;
            continue;
        }
        const char *end = item_end(m, p);
        count_item(m, p, end);
        char quantifier = end < m->pattern_end ? *end : '\0';
        bool matches = item_matches(m, s, p, end);
        switch (quantifier) {
        case '*': return match_most(m, s, p, end);
        case '+': return matches ? match_most(m, s + 1, p, end) : NULL;
        case '-': return match_fewest(m, s, p, end);
        case '?':
            if (matches) {
                const char *rest = match(m, s + 1, end + 1);
                if (rest) {
                    return rest;
                }
            }
            p = end + 1;
            continue;
        default: break;
        }
        if (!matches) {
            return NULL;
        }
        s++;
        p = end;
    }
    return s;
}

static const char *match(struct matcher *m, const char *s, const char *p) {
    if (++m->nesting > NESTING) {
        luaL_error(m->L, "pattern too complex");
    }
    const char *end = match_here(m, s, p);
    m->nesting--;
    return end;
}

/* --- results ------------------------------------------------------------------------------------------------------ */

/* Pushes capture i; the whole match where there are none and i is 0. */
static void push_capture(struct matcher *m, int i, const char *s, const char *end) {
    if (i >= m->level) {
        if (i != 0) {
            luaL_error(m->L, "invalid capture index %%%d", i + 1);
        }
        lua_pushlstring(m->L, s, (size_t)(end - s));
    } else if (m->capture[i].length == CAPTURE_POSITION) {
        lua_pushinteger(m->L, m->capture[i].start - m->subject + 1);
    } else {
        if (m->capture[i].length == CAPTURE_OPEN) {
            luaL_error(m->L, "unfinished capture");
        }
        lua_pushlstring(m->L, m->capture[i].start, (size_t)m->capture[i].length);
    }
}

/* Pushes all captures, or the whole match where `whole` and there are none; how many. */
static int push_captures(struct matcher *m, const char *s, const char *end, bool whole) {
    int count = m->level == 0 && whole ? 1 : m->level;
    count_steps(m, (size_t)count * STEPS_PER_RESULT);
    luaL_checkstack(m->L, count, "too many captures");
    for (int i = 0; i < count; i++) {
        push_capture(m, i, s, end);
    }
    return count;
}

static void begin(struct matcher *m, lua_State *L, const char *s, size_t length, const char *p, size_t pattern_length) {
    m->L = L;
    m->subject = s;
    m->subject_end = s + length;
    m->pattern_end = p + pattern_length;
    m->level = m->nesting = 0;
    m->steps = STEPS_PER_CALL;
}

/* A start position as the string functions take it, from 1; negative ones count from the end. */
static size_t start_position(lua_Integer position, size_t length) {
    if (position > 0) {
        return (size_t)position;
    }
    if (position == 0 || position < -(lua_Integer)length) {
        return 1;
    }
    return length + (size_t)position + 1;
}

static bool is_plain(const char *p, size_t length) {
    for (size_t i = 0; i < length; i++) {
        if (strchr("^$*+?.([%-", p[i]) && p[i]) {
            return false;
        }
    }
    return true;
}

/* Finds the first match from *s on; its start goes to *s. */
static const char *search(struct matcher *m, const char **s, const char *p) {
    bool is_anchored = p < m->pattern_end && *p == '^';
    p += is_anchored;
    for (;; ++*s) {
        m->level = m->nesting = 0;
        const char *end = match(m, *s, p);
        if (end || is_anchored || *s == m->subject_end) {
            return end;
        }
    }
}

static int find(lua_State *L, bool positions) {
    size_t length, pattern_length;
    const char *s = check_text(L, 1, &length), *p = check_text(L, 2, &pattern_length);
    size_t start = start_position(luaL_optinteger(L, 3, 1), length) - 1;
    if (start > length) {
        lua_pushnil(L);
        return 1;
    }
    if (positions && (lua_toboolean(L, 4) || is_plain(p, pattern_length))) {
        engine_charge(L, (length - start + pattern_length) / BYTES_PER_STEP);
        const char *at = memmem(s + start, length - start, p, pattern_length);
        if (at) {
            lua_pushinteger(L, at - s + 1);
            lua_pushinteger(L, at - s + (lua_Integer)pattern_length);
            return 2;
        }
    } else {
        struct matcher m;
        const char *at = s + start;
        begin(&m, L, s, length, p, pattern_length);
        const char *end = search(&m, &at, p);
        if (end && positions) {
            lua_pushinteger(L, at - s + 1);
            lua_pushinteger(L, end - s);
            return push_captures(&m, at, end, false) + 2;
        }
        if (end) {
            return push_captures(&m, at, end, true);
        }
    }
    lua_pushnil(L);
    return 1;
}

static int string_find(lua_State *L) { return find(L, true); }
static int string_match(lua_State *L) { return find(L, false); }

bool sandbox_matches(lua_State *L, int subject, int pattern) {
    struct matcher m;
    size_t length, pattern_length;
    const char *s = lua_tolstring(L, subject, &length), *p = lua_tolstring(L, pattern, &pattern_length);
    begin(&m, L, s, length, p, pattern_length);
    return search(&m, &s, p) != NULL;
}

/* Upvalues: subject, pattern, where to go on, the end of the last match (0: none yet). */
static int step_gmatch(lua_State *L) {
    struct matcher m;
    size_t length, pattern_length;
    const char *s = lua_tolstring(L, lua_upvalueindex(1), &length);
    const char *p = lua_tolstring(L, lua_upvalueindex(2), &pattern_length);
    lua_Integer at = lua_tointeger(L, lua_upvalueindex(3)), last = lua_tointeger(L, lua_upvalueindex(4));
    begin(&m, L, s, length, p, pattern_length);
    for (; at <= (lua_Integer)length; at++) {
        m.level = m.nesting = 0;
        const char *end = match(&m, s + at, p);
        if (end && end - s + 1 != last) { /* an empty match right behind the last one does not count */
            lua_pushinteger(L, end - s);
            lua_replace(L, lua_upvalueindex(3));
            lua_pushinteger(L, end - s + 1);
            lua_replace(L, lua_upvalueindex(4));
            return push_captures(&m, s + at, end, true);
        }
    }
    return 0;
}

static int string_gmatch(lua_State *L) {
    size_t length;
    check_text(L, 1, &length);
    check_text(L, 2, NULL);
    size_t start = start_position(luaL_optinteger(L, 3, 1), length) - 1;
    lua_settop(L, 2);
    lua_pushinteger(L, start > length ? (lua_Integer)length + 1 : (lua_Integer)start);
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, step_gmatch, 4);
    return 1;
}

/* Adds the replacement text for one match, %0 to %9 and %% taken out. */
static void add_text(struct matcher *m, luaL_Buffer *b, const char *s, const char *end, const char *text,
                     size_t length) {
    for (size_t i = 0; i < length; i++) {
        if (text[i] != '%') {
            luaL_addchar(b, text[i]);
            continue;
        }
        char c = ++i < length ? text[i] : '\0';
        if (c == '%') {
            luaL_addchar(b, c);
        } else if (c == '0') {
            luaL_addlstring(b, s, (size_t)(end - s));
        } else if (is_digit((unsigned char)c)) {
            push_capture(m, c - '1', s, end);
            luaL_tolstring(m->L, -1, NULL);
            lua_remove(m->L, -2);
            luaL_addvalue(b);
        } else {
            luaL_error(m->L, "invalid use of '%%' in replacement string");
        }
    }
}

/* Adds what replaces one match: stack 3 is a text, a table or a function. */
static void add_replacement(struct matcher *m, luaL_Buffer *b, const char *s, const char *end) {
    lua_State *L = m->L;
    int type = lua_type(L, 3);
    count_steps(m, STEPS_PER_RESULT);
    if (type == LUA_TFUNCTION) {
        lua_pushvalue(L, 3);
        lua_call(L, push_captures(m, s, end, true), 1);
    } else if (type == LUA_TTABLE) {
        push_capture(m, 0, s, end);
        lua_gettable(L, 3);
    } else {
        size_t length;
        const char *text = lua_tolstring(L, 3, &length);
        count_steps(m, length);
        add_text(m, b, s, end, text, length);
        return;
    }
    if (!lua_toboolean(L, -1)) {
        lua_pop(L, 1);
        luaL_addlstring(b, s, (size_t)(end - s));
    } else if (!lua_isstring(L, -1)) {
        luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
    } else {
        sandbox_clear_nan_sign(L, -1);
        luaL_addvalue(b);
    }
}

static int string_gsub(lua_State *L) {
    size_t length, pattern_length;
    const char *subject = check_text(L, 1, &length), *p = check_text(L, 2, &pattern_length);
    sandbox_clear_nan_sign(L, 3);
    int type = lua_type(L, 3);
    luaL_argexpected(L, type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TTABLE || type == LUA_TFUNCTION, 3,
                     "string/function/table");
    lua_Integer most = luaL_optinteger(L, 4, (lua_Integer)length + 1), count = 0;
    bool is_anchored = pattern_length && *p == '^';
    const char *s = subject, *last = NULL;
    struct matcher m;
    luaL_Buffer b;
    begin(&m, L, subject, length, p, pattern_length);
    p += is_anchored;
    luaL_buffinit(L, &b);
    while (count < most) {
        m.level = m.nesting = 0;
        const char *end = match(&m, s, p);
        if (end && end != last) {
            count++;
            add_replacement(&m, &b, s, end);
            s = last = end;
        } else if (s < m.subject_end) {
            luaL_addchar(&b, *s);
            s++;
        } else {
            break;
        }
        if (is_anchored) {
            break;
        }
    }
    luaL_addlstring(&b, s, (size_t)(m.subject_end - s));
    luaL_pushresult(&b);
    lua_pushinteger(L, count);
    return 2;
}

/* --- charges for the others; the original is upvalue 1 ------------------------------------------------------------ */

static int string_rep(lua_State *L) {
    size_t length, separator = 0;
    check_text(L, 1, &length);
    lua_Integer n = luaL_checkinteger(L, 2);
    sandbox_clear_nan_sign(L, 3);
    luaL_optlstring(L, 3, "", &separator);
    if (length + separator == 0) {
        lua_pushliteral(L, "");
        return 1;
    }
    engine_charge(L, n > 0 ? (uint64_t)n : 0);
    return sandbox_call_original(L);
}

/* string.byte(s, i, j) and utf8.codepoint(s, i, j): a value for each byte. */
static int text_values(lua_State *L) {
    size_t length;
    check_text(L, 1, &length);
    size_t first = start_position(luaL_optinteger(L, 2, 1), length);
    lua_Integer last = luaL_optinteger(L, 3, (lua_Integer)first);
    size_t end = last < 0 ? start_position(last, length) : (size_t)last < length ? (size_t)last : length;
    engine_charge(L, end > first ? end - first : 0);
    return sandbox_call_original(L);
}

/* Those that do no more than make their result. */
static int text_plain(lua_State *L) {
    check_text(L, 1, NULL);
    return sandbox_call_original(L);
}

/* Those that may look at every byte of their text. */
static int text_scan(lua_State *L) {
    size_t length;
    check_text(L, 1, &length);
    engine_charge(L, length / BYTES_PER_STEP);
    return sandbox_call_original(L);
}

/* Those that decode every byte, or obey it: UTF-8, and the formats of pack. */
static int text_decode(lua_State *L) {
    size_t length;
    check_text(L, 1, &length);
    for (int i = 2; i <= lua_gettop(L); i++) {
        sandbox_clear_nan_sign(L, i);
    }
    engine_charge(L, length);
    return sandbox_call_original(L);
}

/* The iterator of utf8.codes: skips continuation bytes, as many as there are. */
static int step_codes(lua_State *L) {
    size_t length;
    const char *s = luaL_checklstring(L, 1, &length);
    lua_Integer n = lua_tointeger(L, 2);
    size_t at = n >= 0 ? (size_t)n : length, first = at;
    while (at < length && ((unsigned char)s[at] & 0xC0) == 0x80) {
        at++;
    }
    engine_charge(L, 1 + (at - first) / 4);
    return sandbox_call_original(L);
}

static int utf8_codes(lua_State *L) {
    check_text(L, 1, NULL);
    int results = sandbox_call_original(L);
    lua_pushvalue(L, -results);
    lua_pushcclosure(L, step_codes, 1);
    lua_replace(L, -results - 1);
    return results;
}

/* The end of the conversion at text[i], behind its %, flags, width and precision: where its letter is. */
static size_t conversion_letter(const char *text, size_t i) { return i + strspn(text + i, "-+ #0123456789."); }

static int string_format(lua_State *L) {
    size_t length;
    const char *format = check_text(L, 1, &length);
    int argument = 1;
    uint64_t charge = length / 4;
    for (size_t i = 0; i < length; i++) {
        if (format[i] != '%') {
            continue;
        }
        if (++i < length && format[i] == '%') {
            continue;
        }
        argument++;
        i = conversion_letter(format, i);
        if (format[i] == 'p') {
            return luaL_error(L, "string.format: %%p is not there: host addresses differ from run to run");
        }
        if (argument > lua_gettop(L)) {
            break; /* the original says what is wrong */
        }
        if (format[i] == 's' && lua_type(L, argument) != LUA_TSTRING) {
            sandbox_text(L, argument, NULL);
            lua_replace(L, argument);
        }
        sandbox_clear_nan_sign(L, argument);
        charge += CONVERSION_CHARGE;
        if (lua_type(L, argument) == LUA_TSTRING) {
            charge += lua_rawlen(L, argument) / (strchr("sq", format[i]) ? BYTES_PER_STEP : 2);
        }
    }
    engine_charge(L, charge);
    int results = sandbox_call_original(L);
    engine_charge(L, lua_rawlen(L, -1) / 2); /* long numbers */
    return results;
}

/* Arithmetic on texts: numerals can be long. */
static int text_arithmetic(lua_State *L) {
    for (int i = 1; i <= 2; i++) {
        engine_charge(L, lua_type(L, i) == LUA_TSTRING ? lua_rawlen(L, i) / 2 : 0);
    }
    return sandbox_call_original(L);
}

static const struct engine_function string_functions[] = {
    {"find", string_find, "", ENGINE_ANY},
    {"match", string_match, "", ENGINE_ANY},
    {"gmatch", string_gmatch, "", ENGINE_ANY},
    {"gsub", string_gsub, "", ENGINE_ANY},
    {NULL, NULL, NULL, 0},
};

static const struct sandbox_wrapper string_wrappers[] = {
    {"rep", string_rep},   {"format", string_format}, {"byte", text_values},   {"len", text_plain},
    {"sub", text_plain},   {"upper", text_scan},      {"lower", text_scan},    {"reverse", text_scan},
    {"pack", text_decode}, {"packsize", text_decode}, {"unpack", text_decode}, {NULL, NULL},
};

static const struct sandbox_wrapper utf8_wrappers[] = {
    {"codepoint", text_values}, {"len", text_decode}, {"offset", text_scan}, {"codes", utf8_codes}, {NULL, NULL},
};

static const struct sandbox_wrapper arithmetic_wrappers[] = {
    {"__add", text_arithmetic},  {"__sub", text_arithmetic}, {"__mul", text_arithmetic},
    {"__div", text_arithmetic},  {"__mod", text_arithmetic}, {"__pow", text_arithmetic},
    {"__idiv", text_arithmetic}, {"__unm", text_arithmetic}, {NULL, NULL},
};

void sandbox_open_string(lua_State *L) {
    lua_getglobal(L, "string");
    engine_add_functions(L, string_functions);
    sandbox_wrap(L, string_wrappers);
    lua_pushnil(L);
    lua_setfield(L, -2, "dump");
    lua_getglobal(L, "utf8");
    sandbox_wrap(L, utf8_wrappers);
    lua_pop(L, 2);
    /* ("x"):rep(3) works through this metatable, which scenarios must not change. */
    lua_pushliteral(L, "");
    lua_getmetatable(L, -1);
    sandbox_wrap(L, arithmetic_wrappers);
    lua_pushboolean(L, false);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 2);
}
