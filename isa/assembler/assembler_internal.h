/* What the files of the assembler share; nobody else includes it. The language is docs/assembler.md.
 *
 * Two passes over one list of statements. Reading (source.c, macro.c, conditional.c) and the first pass go together,
 * because macros are defined and SET symbols set on the way: each statement gets its section and offset there, labels
 * their values, DC and DS their sizes, literals their pools. Then the sections get their places. The second pass knows
 * everything and makes the bytes.
 *
 * Text inside is ISO 8859-1, one byte a column; a source character that this set lacks is TEXT_FOREIGN. All memory is
 * the assembler's arena, freed as a whole; when the host has no more, assembler_allocate ends the assembly by longjmp.
 */
#ifndef ISA_ASSEMBLER_INTERNAL_H
#define ISA_ASSEMBLER_INTERNAL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "isa/assembler.h"
#include "isa/instruction.h"

/* Limits, so that no source, however strange, takes unbounded time or memory. */
enum {
    MOST_ADDRESS = 1 << 24,         /* storage that S/370 can address: also the largest image */
    MOST_ASSEMBLED = 4 * (1 << 24), /* bytes made by DC in all, since ORG may go back and assemble again */
    MOST_SOURCE = 1 << 24,          /* bytes of one source file */
    MOST_SOURCES = 1 << 25,         /* bytes of all files read, and of all lines that macros make */
    MOST_STATEMENTS = 500000,       /* read or made by macros */
    MOST_GENERATED = 200000,        /* of these, made by macros */
    MOST_STATEMENT_LENGTH = 8192,   /* characters of one statement, continuations included */
    MOST_NESTING = 64,              /* macro calls and COPY within each other */
    MOST_EXPRESSION_DEPTH = 64,     /* parentheses, and EQU within EQU */
    MOST_BRANCHES = 4096,           /* AIF and AGO of one macro call or of open code, unless ACTR says otherwise */
    MOST_EFFORT = 1 << 26,          /* characters that conditional assembly looks at in all */
    MOST_VARIABLE_BYTES = 1 << 26,  /* of all SET symbols and macro calls, finished ones included */
    MOST_SUBSCRIPT = 1 << 18,       /* of a SET symbol */
    MOST_SUBSCRIPTS = 8,            /* in one reference: sublists of sublists */
    MOST_CHARACTERS = 1024,         /* of a character expression */
    MOST_DIAGNOSTICS = 2000,
    MOST_SYMBOL_LENGTH = 63,
};

/* ---- text.c: text, tables, memory ---- */

struct assembler;

struct text {
    const char *at;
    size_t length;
};
#define TEXT_FOREIGN '\0'
#define TEXT_LITERAL(s) ((struct text){s, sizeof(s) - 1})
/* For printf's "%.*s". */
#define TEXT_ARGS(t) (int)(t).length, (t).at

void *assembler_allocate(struct assembler *a, size_t bytes); /* zeroed; never NULL */
void *temporary_allocate(struct assembler *a, size_t bytes); /* the same until temporary_reset; not zeroed */
void temporary_reset(struct assembler *a);
void assembler_release(struct assembler *a); /* all of it */
bool text_is_utf8(const char *p, size_t length);
struct text text_copy(struct assembler *a, struct text t);
struct text text_upper(struct assembler *a, struct text t);
bool text_equal(struct text a, struct text b);
/* Without regard to case; `upper` is in upper case. */
bool text_is(struct text t, const char *upper);
char character_upper(char c);
bool character_starts_symbol(char c);
bool character_in_symbol(char c);
bool character_is_digit(char c);
/* Length of the symbol that t begins with; 0 where there is none. */
size_t text_symbol(struct text t);
/* Where the field of operands that begins at `from` ends: at the first blank outside quotes and, if `nested`, outside
 * parentheses. *open: a quote was not closed. */
size_t text_operands_end(struct text t, size_t from, bool nested, bool *open);
/* Is the apostrophe at t.at[i] that of an attribute, as in L'NAME? */
bool text_is_attribute(struct text t, size_t i);
/* How many characters must be changed, at most `most` (else most + 1). */
unsigned text_distance(struct text a, struct text b, unsigned most);

/* A hash table from upper-case text to whatever; keys are borrowed. */
struct table_entry {
    struct text key;
    uint32_t hash;
    void *value;
};
struct table {
    struct table_entry *entries;
    size_t size, count;
};
void *table_find(const struct table *t, struct text key); /* NULL when there is none */
void table_set(struct assembler *a, struct table *t, struct text key, void *value);

/* ---- source.c: files and lines into statements ---- */

struct source_file {
    const char *name; /* as messages show it */
    struct text text; /* decoded, tabs expanded, no trailing blanks; lines end with \n */
    struct source_file *next;
};

/* From this offset on, the text of a line stands at this place; `fixed`: all of it at this one column (it replaced a
 * parameter of a macro). */
struct segment {
    size_t offset;
    unsigned line, column;
    bool fixed;
};

struct call;

/* One statement as written or as a macro made it, continuations joined. */
struct line {
    const struct source_file *file;
    const struct call *call; /* the macro call that made it, or NULL */
    struct text text;
    struct text physical; /* the lines it was written on, for the listing */
    const struct segment *segments;
    size_t segment_count;
    bool copied;          /* from a file that COPY named */
    bool generated;       /* made by a macro, or by replacing variable symbols in open code */
    size_t fields_end;    /* where the operands of a line with replaced variable symbols end; 0: look for a blank */
    bool unanswered_mark; /* column 72 asks for a continuation that does not come */
    bool too_long;        /* cut at MOST_STATEMENT_LENGTH */
    const char *problem;  /* found while parameters were replaced, at problem_at of the text; or NULL */
    size_t problem_at;
};

/* Fields of a line; empty ones have length 0. */
struct fields {
    struct text name, operation, operands;
    bool comment, open; /* nothing but comment; a quote not closed */
};

struct fields source_fields(struct text line);

struct macro;
struct input;

/* Begins with the main file. */
bool source_open(struct assembler *a, const char *name, const char *source, size_t length, struct error *e);
/* The next statement of the innermost file or macro, its variable symbols as they are; false at the end of everything.
 */
bool source_next(struct assembler *a, struct line *line);
/* The name field of the line just read from a file, a sequence symbol: AGO and AIF may go there. False: another line
 * has it already. */
bool source_sequence(struct assembler *a, struct text name);
/* Goes on at the line with this sequence symbol, in the innermost macro or else in open code. False: there is none. */
bool source_branch(struct assembler *a, struct text name);
/* COPY: goes on with this file. */
struct statement;
void source_copy(struct assembler *a, struct statement *s);
/* Goes on with a macro's body. */
void source_push_macro(struct assembler *a, struct macro *m, struct call *call);
/* MEXIT: leaves the innermost macro. False when there is none. */
bool source_leave_macro(struct assembler *a);
/* How many macro calls there are around the next line. */
unsigned source_macro_depth(const struct assembler *a);

/* ---- macro.c: definition, call, replacement ---- */

struct parameter {
    struct text name;  /* upper case, without & */
    struct text value; /* the default in a definition, the argument in a call */
    bool keyword;
};

struct macro {
    struct text name;
    struct parameter *parameters; /* the name field's first, where the prototype has one */
    size_t parameter_count;
    bool has_label;
    struct line *body;
    size_t body_count;
    struct table sequence; /* sequence symbols: pointers to the lines of the body, or just behind them (of MEND) */
};

/* What AIF, AGO and SET symbols belong to: a macro call, or open code. */
struct scope {
    struct table variables; /* struct variable; of global ones those that are declared here */
    int64_t branches;       /* how many there may still be: ACTR */
};

struct call {
    const struct statement *statement; /* the calling one */
    const struct macro *macro;
    struct parameter *arguments; /* as many as the macro has parameters */
    struct text label;           /* &SYSLIST(0) */
    struct text *list;           /* &SYSLIST: positional operands as written */
    size_t list_count;
    unsigned number;     /* &SYSNDX */
    struct text section; /* &SYSECT: the current one when the macro was called */
    struct scope *scope;
};

/* MACRO: reads the definition, up to its MEND. */
void macro_define(struct assembler *a, struct statement *s);
void macro_call(struct assembler *a, struct statement *s, struct macro *m);
/* The argument of the parameter `name` (upper case); NULL: there is no such parameter. */
const struct text *macro_argument(const struct call *call, struct text name);
/* The next operand, from *at on, cut at commas outside quotes and parentheses; false behind the last one. An empty
 * field has none. */
bool operand_next(struct text t, size_t *at, struct text *operand);
/* Elements of a sublist (a,b,c); anything else is a list of one, empty text one of none. */
size_t sublist_count(struct text t);
/* The n-th element, from 1; empty where there is none. */
struct text sublist_element(struct text t, size_t n);
/* A model with its variable symbols replaced, in the name, the operation and, if `operands`, those. */
void macro_line(struct assembler *a, struct line *to, const struct line *model, bool operands);

/* ---- variables.c: SET symbols, parameters, system variable symbols ---- */

enum variable_kind { VARIABLE_ARITHMETIC, VARIABLE_BOOLEAN, VARIABLE_CHARACTER };

struct characters {
    char *at;
    size_t length, room;
};

/* A SET symbol. Elements that were not set are 0 or empty. */
struct variable {
    enum variable_kind kind;
    bool global, dimensioned;
    size_t count; /* the highest subscript that was set */
    size_t room;
    int32_t *numbers;           /* of SETA and SETB */
    struct characters *strings; /* of SETC */
};

/* The value of an expression, or of a part of one. */
struct item {
    bool is_text;
    int64_t number; /* 32 bits */
    bool truth;     /* as a logical value: AND, OR, XOR and NOT make bits of numbers, but of conditions truth */
    struct text text;
};

/* Reads expressions of conditional assembly, in any text. The first problem is kept, not reported. */
struct evaluator {
    struct assembler *a;
    const struct call *call; /* whose variable symbols; NULL: open code */
    struct text text;
    size_t at;
    unsigned parentheses; /* open ones: blanks do not matter there */
    unsigned depth;
    bool branch;         /* of AIF: a period behind a parenthesis begins a sequence symbol */
    const char *problem; /* NULL: none */
    size_t problem_at;
};

/* &NAME, &NAME(subscripts) or &(created name). */
struct variable_reference {
    struct text name; /* upper case */
    size_t at;        /* of the ampersand */
    unsigned subscript_count;
    int32_t subscripts[MOST_SUBSCRIPTS];
};

struct evaluator evaluator_of(struct assembler *a, const struct call *call, struct text t);
char evaluator_peek(const struct evaluator *e); /* 0 at the end */
bool evaluator_take(struct evaluator *e, char expected);
/* Keeps the problem; always false. */
bool evaluator_error(struct evaluator *e, size_t at, const char *format, ...) __attribute__((format(printf, 3, 4)));
struct scope *scope_of(struct assembler *a, const struct call *call);
/* Reads a reference; the ampersand is next. `declaration`: in LCLA and its like it may be missing. */
bool reference_parse(struct evaluator *e, struct variable_reference *r, bool declaration);
/* Its value: a number for SETA and SETB symbols, else text. */
bool reference_value(struct evaluator *e, const struct variable_reference *r, struct item *v);
/* The same as text, as it replaces the reference: of a number the digits, without a sign. */
bool reference_text(struct evaluator *e, const struct variable_reference *r, struct text *t);
/* N': elements of a sublist, operands of &SYSLIST, the highest subscript of a SET symbol. */
bool reference_count(struct evaluator *e, const struct variable_reference *r, size_t *count);
struct text number_text(struct assembler *a, int64_t number); /* temporary; without a sign */
/* Declares a SET symbol in the scope. Once more is no error when it is the same. */
struct variable *variable_declare(struct evaluator *e, const struct variable_reference *r, enum variable_kind kind,
                                  bool global, bool dimensioned);
/* SETx: the symbol that r names, declared by this if need be. NULL and a problem where it cannot be set. */
struct variable *variable_to_set(struct evaluator *e, const struct variable_reference *r, enum variable_kind kind);
bool variable_set(struct evaluator *e, struct variable *v, size_t subscript, const struct item *value);

/* ---- conditional_expression.c ---- */

/* An expression at e->at. False: there is a problem. */
bool evaluate_arithmetic(struct evaluator *e, int32_t *number);
bool evaluate_logical(struct evaluator *e, bool *truth);
bool evaluate_characters(struct evaluator *e, struct text *t);
/* Is this text a self-defining term, decimal, X'..', B'..' or C'..'? */
bool text_self_defining(struct text t, int64_t *number);

/* ---- conditional.c: SETx, AIF, AGO and the others ---- */

struct conditional {
    const char *name;
    void (*carry_out)(struct assembler *a, struct statement *s, const struct conditional *self);
    enum variable_kind kind;
    bool global;
};

extern const struct conditional conditionals[];
extern const unsigned conditional_count;

/* ---- symbols.c: symbols, sections, bases ---- */

struct section {
    struct text name;            /* as written; empty: unnamed */
    bool dummy;                  /* DSECT: describes storage, assembles nothing */
    bool placed;                 /* base is known */
    uint32_t base;               /* address of offset 0; 0 in a dummy section */
    int64_t location;            /* location counter, an offset */
    int64_t high;                /* the highest it ever was */
    int64_t low_used, high_used; /* extent of what was assembled or reserved; empty while low_used > high_used */
    struct section *next;
};

enum definition_state { SYMBOL_DEFINED, SYMBOL_PENDING, SYMBOL_EVALUATING, SYMBOL_BAD, SYMBOL_EXTERNAL, SYMBOL_WEAK };

struct reference {
    unsigned statement;
    struct reference *next;
};

struct definition {
    struct text name; /* as written */
    enum definition_state state;
    struct section *section; /* NULL: a plain number */
    int64_t value;           /* or an offset in the section */
    uint32_t length;
    const struct statement *statement;
    struct reference *references, *last_reference; /* for the listing */
    struct definition *next;                       /* in order of definition */
};

/* Defines the statement's label; none: no effect. */
struct definition *symbol_define(struct assembler *a, struct statement *s, struct section *section, int64_t value,
                                 uint32_t length);
/* EXTRN and WXTRN: known by name only. */
struct definition *symbol_define_external(struct assembler *a, struct statement *s, struct text name, bool weak);
struct definition *symbol_find(struct assembler *a, struct text name);
/* The type attribute T': what was defined, as a letter. */
char symbol_type(const struct definition *d);
/* The symbol nearest in spelling, for "did you mean"; NULL: none is near. */
const struct definition *symbol_like(struct assembler *a, struct text name);
void symbol_refer(struct assembler *a, struct definition *d, const struct statement *s);

/* The current control section, begun (unnamed) when there is none yet. */
struct section *section_current(struct assembler *a);
/* Begins or resumes the section that s names. NULL (with a diagnostic) when the name is something else. */
struct section *section_enter(struct assembler *a, struct statement *s, bool dummy);
/* Moves the location counter up to a multiple of `boundary`. */
void section_align(struct assembler *a, struct statement *s, unsigned boundary);
/* Gives s the next `bytes` bytes. */
void section_advance(struct assembler *a, struct statement *s, int64_t bytes);
/* ORG: moves the location counter to v, which stands at operand offset `at` of the statement's text. */
struct value;
void section_origin(struct assembler *a, struct statement *s, const struct value *v, size_t at);
/* After the first pass: gives every control section its place. */
void sections_place(struct assembler *a);

void using_directive(struct assembler *a, struct statement *s);
void drop_directive(struct assembler *a, struct statement *s);
void using_push(struct assembler *a);
bool using_pop(struct assembler *a);
/* The base register and displacement for v. False: none reaches it, and a diagnostic unless `quiet`. */
struct cursor;
bool using_resolve(struct cursor *c, size_t at, const struct value *v, bool quiet, uint8_t *b, uint16_t *d);

/* ---- expression.c ---- */

/* A position in the text of a statement: what all parsers of operands work on. */
struct cursor {
    struct assembler *a;
    struct statement *s; /* whose text; also the one that diagnostics name */
    struct text text;
    size_t at;
    struct section *section; /* of `*` */
    int64_t location;
    uint32_t star_length; /* L'* */
    bool quiet;           /* undefined symbols are no error yet: *undefined is set */
    bool undefined;
    bool early; /* the value is needed in the first pass: say so when a symbol is not defined yet */
    unsigned depth;
    size_t operand_at; /* where the operand being parsed began, for going on after an error */
};

/* A sum of a number and sections' bases, each taken `count` times. */
enum { VALUE_TERMS = 8 };
struct value {
    int64_t number;
    struct {
        const struct section *section;
        int count;
    } terms[VALUE_TERMS];
    unsigned term_count;
    uint32_t length; /* L' of the leftmost term */
};

struct cursor cursor_of(struct assembler *a, struct statement *s, struct text t);
bool cursor_at_end(const struct cursor *c);
char cursor_peek(const struct cursor *c); /* 0 at the end */
bool cursor_take(struct cursor *c, char expected);
/* Parses an expression; false after a diagnostic (or, when quiet, a symbol that is not defined yet). */
bool expression_parse(struct cursor *c, struct value *v);
/* The same, and it must be a plain number from `least` to `most`; `what` names it in messages. */
bool expression_number(struct cursor *c, int64_t least, int64_t most, const char *what, int64_t *number);
/* Only the number of a value; an error at `at` when it is an address. */
bool value_is_number(const struct value *v);
/* One control or dummy section, once. */
bool value_is_address(const struct value *v);
/* As bytes in storage: section bases added. False: it has a dummy section in it. Second pass only. */
bool value_absolute(const struct value *v, int64_t *number);
/* X'..', B'..', C'..' at the cursor: 1 to 4 bytes. */
bool expression_self_defining(struct cursor *c, int64_t *number);
/* Evaluates a pending EQU. */
void equate_evaluate(struct assembler *a, struct definition *d, bool quiet);

/* ---- constants.c: DC, DS and what literals consist of ---- */

struct constant {
    struct statement *s; /* whose text it is in */
    struct constant *next;
    size_t at; /* of the operand, in the text that was parsed */
    uint32_t duplication;
    char type, extension;
    bool has_length, has_nominal;
    uint32_t explicit_length; /* the length modifier */
    uint32_t length;          /* bytes of the first value: the L' attribute */
    unsigned alignment;
    struct text nominal; /* between the quotes or parentheses */
    uint32_t size;       /* bytes of all values, once */
    int64_t offset;      /* in the section, aligned; not of a literal */
};

/* The location counter in a constant's expressions. */
struct constant_star {
    struct section *section;
    int64_t offset;
    bool moves; /* on from value to value; in a literal it stays where the literal is used */
};

/* Parses one operand at the cursor. `storage`: of DS, so that values are optional. NULL after a diagnostic. */
struct constant *constant_parse(struct cursor *c, bool storage);
/* Makes its bytes (size * duplication) at this offset of the section. */
void constant_assemble(struct assembler *a, const struct constant *k, struct section *section, int64_t offset,
                       const struct constant_star *star);
void constants_first(struct assembler *a, struct statement *s);
void constants_second(struct assembler *a, struct statement *s);

/* ---- literals.c ---- */

struct literal {
    struct constant *constant;
    struct text written;
    bool placed; /* its pool is laid out: section and offset are known */
    struct section *section;
    int64_t offset;
    struct constant_star star; /* where it was used */
    struct literal *next;
};

/* A literal in the operands of a statement: at text offset `at`, it ends at `end`. */
struct literal_use {
    size_t at, end;
    struct literal *literal;
    struct literal_use *next;
};

/* First pass: finds the literals in a statement's operands and puts them into the pool. */
void literals_collect(struct assembler *a, struct statement *s);
/* LTORG or END: lays out what is in the pool, in the current section. */
void literals_place(struct assembler *a, struct statement *s);
/* Second pass: makes the bytes of the pool that s laid out. */
void literals_assemble(struct assembler *a, struct statement *s);
/* The literal at this position of the statement's text; NULL: none was found in the first pass. */
const struct literal_use *literal_at(const struct statement *s, size_t at);

/* ---- operands.c: machine instructions ---- */

void instruction_first(struct assembler *a, struct statement *s);
void instruction_second(struct assembler *a, struct statement *s);

/* ---- directives.c ---- */

struct directive {
    const char *name;
    void (*first)(struct assembler *a, struct statement *s);
    void (*second)(struct assembler *a, struct statement *s);
    bool remarks; /* has no operands, or none that matter: quotes there are nobody's business */
    char type;    /* T' of the name; 0: that of the constant */
};

enum operation_kind { OPERATION_INSTRUCTION, OPERATION_DIRECTIVE, OPERATION_CONDITIONAL, OPERATION_MACRO };

/* Whatever can stand in the operation field. */
struct operation {
    enum operation_kind kind;
    const struct instruction *instruction;
    int mask; /* an extended branch mnemonic's; -1: none */
    const struct directive *directive;
    const struct conditional *conditional;
    struct macro *macro;
};

void operations_fill(struct assembler *a);
void operation_unknown(struct assembler *a, struct statement *s);

/* ---- listing.c ---- */

void listing_begin(struct assembler *a);
void listing_statement(struct assembler *a, const struct statement *s);
/* A literal in its pool. */
void listing_literal(struct assembler *a, const struct literal *l);
void listing_end(struct assembler *a);

/* ---- assembler.c: passes, statements, diagnostics, bytes ---- */

struct statement {
    struct statement *next;
    struct line line;
    struct text name, operation, operands;
    const struct operation *does; /* NULL: a comment, or unknown */
    unsigned number;
    bool bad;                /* has an error: the second pass leaves it alone */
    struct section *section; /* NULL: nothing is assembled here */
    int64_t offset;
    uint32_t length;
    struct constant *constants;
    struct literal_use *uses;
    struct literal *pool;
};

struct message {
    enum diagnostic_severity severity;
    const char *file;
    unsigned line, column;
    unsigned statement; /* for the order */
    unsigned order;
    struct text text;
    struct message *notes, *last_note;
    struct message *next;
};

struct base {
    uint8_t reg;
    const struct section *section; /* NULL: plain numbers */
    int64_t value, range;          /* it reaches value .. value + range - 1 */
    int64_t displacement;          /* of `value` from the register; not 0 in a dependent USING */
    bool dependent;
};
enum { MOST_BASES = 64, MOST_PUSHED = 8 };
struct bases {
    struct base base[MOST_BASES];
    unsigned count;
};

struct print_options {
    bool on, generated, data;
};

struct assembler {
    jmp_buf no_memory;
    struct chunk *chunks, *temporary;
    const struct assembler_options *options;
    struct bytes scratch; /* a file being read, a text being made */

    struct source_file *files;
    const struct source_file *main_file;
    struct segment nowhere; /* for a statement that nobody wrote */
    struct input *input;
    size_t source_bytes;
    unsigned call_count;
    bool ended, too_much;

    struct table globals;  /* struct variable */
    struct scope open;     /* open code */
    struct table sequence; /* of open code: struct sequence_point of source.c */
    size_t effort, variable_bytes;

    struct statement *statements, **statement_end;
    unsigned statement_count, generated_count;
    bool second_pass;

    struct table operations, symbols, section_names, literals;
    struct definition *definitions, **definition_end;
    struct section *sections, **section_end;
    struct section *section; /* current */
    struct literal *pool, **pool_end;
    struct bases bases, pushed[MOST_PUSHED];
    unsigned pushed_count;
    struct statement *end; /* END */
    uint64_t assembled;
    unsigned suggestions, operation_suggestions, equate_depth;

    uint8_t *image; /* of origin .. origin + image_length */
    uint32_t origin, image_length;
    bool has_entry;
    uint32_t entry;

    struct message *messages, **message_end, *last_message;
    struct table reported; /* by place and text */
    unsigned message_count, minor_count;
    size_t error_count;

    struct print_options print, print_stack[MOST_PUSHED];
    unsigned print_pushed;
    struct bytes listing, lines; /* struct assembly_line one after another */
    bool has_address[2];         /* of the operands of the statement being listed */
    uint32_t address[2];
};

struct statement *statement_new(struct assembler *a, const struct line *line);
/* The place of a character of the statement's text. */
struct diagnostic_place {
    const char *file;
    unsigned line, column;
};
const struct segment *line_segment(const struct line *line, size_t offset); /* that it stands in */
struct diagnostic_place statement_place(const struct line *line, size_t offset);

/* A diagnostic of any severity, its text complete. */
void assembler_report(struct assembler *a, struct statement *s, const char *at, enum diagnostic_severity severity,
                      const char *text);
/* A diagnostic at `at`, which points into the statement's text (or NULL: its operation). An error marks the statement
 * as bad. With notes for the macro calls that the statement comes from. */
void assembler_error(struct assembler *a, struct statement *s, const char *at, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void assembler_warning(struct assembler *a, struct statement *s, const char *at, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Under the last diagnostic, pointing at another line. */
void assembler_note(struct assembler *a, const struct line *line, size_t offset, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The same for parsers; `at` is an offset in the cursor's text. Always false. */
bool cursor_error(struct cursor *c, size_t at, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Room in the image for the bytes of the current statement (the listing shows them there). NULL: a dummy section, which
 * takes none. */
uint8_t *assembler_room(struct assembler *a, const struct section *section, int64_t offset, size_t length);

#endif
