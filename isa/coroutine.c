/* A stack is entered once through ucontext, and then again only when what was suspended on it is to be dropped: that
 * asks the host's kernel for the signal mask each time. All other switches are _setjmp and _longjmp, which do not. The
 * function that was entered never returns: it waits at the bottom of its stack for the next one to run. */
#undef _FORTIFY_SOURCE /* it takes a jump to another stack for a mistake */
#include "isa/coroutine.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

enum { STACK_BYTES = 256 * 1024 };

/* AddressSanitizer follows stacks through ucontext, but not through jumps. */
#if defined(__SANITIZE_ADDRESS__)
#define JUMPS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define JUMPS 0
#endif
#endif
#ifndef JUMPS
#define JUMPS 1
#endif

#if JUMPS
typedef jmp_buf place;
static void go(place *from, place *to) {
    if (_setjmp(*from) == 0)
        _longjmp(*to, 1);
}
static void enter(place *from, ucontext_t *to) {
    if (_setjmp(*from) == 0)
        setcontext(to);
}
#else
#include <sanitizer/asan_interface.h>
typedef ucontext_t place;
static void go(place *from, place *to) { swapcontext(from, to); }
static void enter(place *from, ucontext_t *to) { swapcontext(from, to); }
#endif

/* What was suspended on this stack is dropped: the marks that AddressSanitizer has set around its variables mean
 * nothing to who uses the memory next. */
static void drop_frames(void *stack) {
#if JUMPS
    (void)stack;
#else
    ASAN_UNPOISON_MEMORY_REGION(stack, STACK_BYTES);
#endif
}

struct coroutine {
    place inside, outside;
    coroutine_function *function;
    void *self;
    bool ready; /* entered, and waiting for a function */
    void *stack;
};

struct coroutine *coroutine_new(void) {
    struct coroutine *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (c->stack != MAP_FAILED)
        return c;
    free(c);
    return NULL;
}

void coroutine_free(struct coroutine *c) {
    if (!c)
        return;
    drop_frames(c->stack);
    munmap(c->stack, STACK_BYTES);
    free(c);
}

static void bottom(unsigned low, unsigned high) {
    struct coroutine *c = (struct coroutine *)((uintptr_t)high << 32 | low);
    for (;;) {
        c->function(c->self);
        c->ready = true;
        go(&c->inside, &c->outside);
    }
}

void coroutine_start(struct coroutine *c, coroutine_function *function, void *self) {
    c->function = function;
    c->self = self;
    if (c->ready) {
        c->ready = false;
        go(&c->outside, &c->inside);
        return;
    }
    ucontext_t context;
    drop_frames(c->stack);
    getcontext(&context);
    context.uc_stack.ss_sp = c->stack;
    context.uc_stack.ss_size = STACK_BYTES;
    context.uc_link = NULL;
    makecontext(&context, (void (*)(void))bottom, 2, (unsigned)(uintptr_t)c, (unsigned)((uintptr_t)c >> 32));
    enter(&c->outside, &context);
}

void coroutine_resume(struct coroutine *c) { go(&c->outside, &c->inside); }
void coroutine_suspend(struct coroutine *c) { go(&c->inside, &c->outside); }
