/* Storage keys of guests, reference and change bits included: exact at every depth, with both policies of shadow
 * tables. Reference bits of blocks that hold DAT tables are left out: there monitors walk when the CPU would not.
 *
 * nucleus.s is stopped at the same instructions bare and under monitors, where in nominal time all of its state is the
 * same. It pages, so it resets reference bits by the thousand and decides by them. Random programs are in test_as_bare.
 */
#include "tests/vmm/guests.h"
#include "tests/vmm/towers.h"

enum { MEMORY = 64 * 1024, BLOCKS = MEMORY / STORAGE_BLOCK_BYTES, STOPS = 10, DEPTHS = 4 };

struct keys {
    uint8_t at[STOPS][BLOCKS];
};

/* After so many more instructions, each time; prime, so as to stop everywhere. */
static uint64_t until_stop(unsigned stop) { return stop == 0 ? 5003 : 40009 + 9001 * stop; }

/* nucleus.s's tables: segment tables, then page tables. */
static void find_tables(bool tables[BLOCKS]) {
    struct assembly a;
    struct error e = ERROR_CLEAR;
    assert_true(assemble_file(&a, SOURCE_DIR "/scenarios/guests/nucleus.s", NULL, &e));
    const struct symbol *first = assembly_symbol(&a, "SEGTABS"), *behind = assembly_symbol(&a, "PAGEFLAG");
    assert_true(first && behind);
    for (uint32_t block = first->value / STORAGE_BLOCK_BYTES; block * STORAGE_BLOCK_BYTES < behind->value; block++)
        tables[block] = true;
    assembly_fini(&a);
}

static void run(unsigned depth, enum shadow_policy policy, struct keys *to) {
    struct tower t;
    struct cost_model model;
    struct error e = ERROR_CLEAR;
    struct monitor_options monitors = vmm_default_options();
    monitors.policy = policy;
    assert_true(cost_model_find(&model, "s370", &e));
    const struct machine_options o = {.memory_bytes = MEMORY, .model = &model, .nominal_time = true};
    towers_build(&t, &o, depth, &monitors);
    towers_disk(&t, NUCLEUS_BLOCKS);
    towers_load_nucleus(t.innermost);
    machine_restart(t.bare);
    for (unsigned stop = 0; stop < STOPS; stop++) {
        const struct machine_limits limits = {.instructions = until_stop(stop)};
        assert_int_equal(machine_run(t.innermost, &limits), MACHINE_READY);
        for (uint32_t block = 0; block < BLOCKS; block++)
            to->at[stop][block] = (uint8_t)machine_key(t.innermost, block * STORAGE_BLOCK_BYTES);
    }
    tower_free(&t);
}

static void test_keys_are_those_of_the_bare_machine(void **state) {
    static struct keys bare, under;
    bool tables[BLOCKS] = {false};
    unsigned set = 0, reset = 0;
    (void)state;
    find_tables(tables);
    run(0, SHADOW_PURGE, &bare);
    for (unsigned depth = 1; depth <= DEPTHS; depth++)
        for (unsigned policy = SHADOW_PURGE; policy <= SHADOW_PROTECT; policy++) {
            run(depth, (enum shadow_policy)policy, &under);
            for (unsigned stop = 0; stop < STOPS; stop++)
                for (uint32_t block = 0; block < BLOCKS; block++) {
                    uint8_t ignored = tables[block] ? KEY_REFERENCE : 0;
                    uint8_t a = bare.at[stop][block] & (uint8_t)~ignored, b = under.at[stop][block] & (uint8_t)~ignored;
                    if (a != b)
                        fail_msg("depth %u, policy %u, stop %u: key of %05X is %02X, bare %02X", depth, policy, stop,
                                 block * STORAGE_BLOCK_BYTES, b, a);
                    set += !!(b & KEY_REFERENCE);
                    reset += !(b & KEY_REFERENCE);
                }
        }
    print_message("%u reference bits one, %u zero\n", set, reset);
    assert_true(set > 100 && reset > 100);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys_are_those_of_the_bare_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
