# The second compiler: everything builds with clang without a warning; the main scenario leaves the same trace, byte for
# byte, as in the other compiler's optimized build; and every fuzz target runs some seconds from its seeds.
. "$SOURCE_DIR/tests/support/shell.sh"
command -v clang >/dev/null || skip "no clang"
echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' |
    clang -x c -fsanitize=fuzzer,address -o "$work/probe" - 2>/dev/null || skip "clang has no sanitizer libraries"

folder=$BUILD_DIR/clang
generator="Unix Makefiles"
command -v ninja >/dev/null && generator=Ninja
cmake -S "$SOURCE_DIR" -B "$folder" -G "$generator" -DCMAKE_C_COMPILER=clang -DCMAKE_BUILD_TYPE=Debug \
    -DCMAKE_C_FLAGS="-fsanitize=fuzzer-no-link,address -fno-omit-frame-pointer" \
    -DCLOUD370_WERROR=ON -DCLOUD370_FUZZ=ON >"$work/log" 2>&1 || fail "$(cat "$work/log")"
cmake --build "$folder" --parallel 2 >"$work/log" 2>&1 || fail "$(cat "$work/log")"

for program in "$CLOUD370" "$CLOUD370" "$folder/cloud370"; do
    expect 0 "$program" run "$SOURCE_DIR/scenarios/first.lua" --trace "$work/trace"
    [ -s "$work/trace" ] || fail "no trace"
    [ ! -e "$work/before" ] || cmp "$work/before" "$work/trace" || fail "the trace depends on the build, or on the run"
    mv "$work/trace" "$work/before"
    [ ! -e "$work/text" ] || cmp "$work/text" "$work/out" || fail "the output depends on the build, or on the run"
    mv "$work/out" "$work/text"
done

for source in "$SOURCE_DIR"/tests/fuzz/*.c; do
    [ -e "$source" ] || continue
    name=$(basename "$source" .c)
    seeds=$SOURCE_DIR/tests/fuzz/seeds/$name
    [ -d "$seeds" ] || seeds=
    mkdir "$work/$name"
    (cd "$work" && "$folder/tests/fuzz_$name" -seed=1 -max_total_time=8 -max_len=4096 -print_final_stats=1 \
        "$work/$name" ${seeds:+"$seeds"}) >"$work/log" 2>&1 || {
        tail -n 60 "$work/log" >&2
        fail "fuzz_$name found something"
    }
done
