/* Coroutines: a function on a stack of its own that can give control back in its middle.
 *
 * Supervisors above the bare machine run in one (isa/supervisor.c). A switch is a few dozen host instructions and no
 * system call. */
#ifndef ISA_COROUTINE_H
#define ISA_COROUTINE_H

struct coroutine;
typedef void coroutine_function(void *self);

/* NULL: no memory. Host memory grows with the stack that is used. */
struct coroutine *coroutine_new(void);
void coroutine_free(struct coroutine *c);
/* Runs `function` in it until that returns or calls coroutine_suspend. What was suspended there before is dropped: it
 * never runs again, and must own nothing. */
void coroutine_start(struct coroutine *c, coroutine_function *function, void *self);
/* Continues what is suspended there. */
void coroutine_resume(struct coroutine *c);
/* Inside: gives control back to who started or resumed it last. */
void coroutine_suspend(struct coroutine *c);

#endif
