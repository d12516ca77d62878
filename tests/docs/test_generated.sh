# The pages that are generated are what the tables of the program say today.
. "$SOURCE_DIR/tests/support/shell.sh"

stale=
for page in instruction_reference:instructions.md key_card:keys.md; do
    generator=$BUILD_DIR/${page%%:*}
    file=${page#*:}
    [ -x "$generator" ] || skip "the generator of docs/$file was not built"
    "$generator" >"$work/$file"
    diff -u "$SOURCE_DIR/docs/$file" "$work/$file" || stale="$stale docs/$file"
done
[ -z "$stale" ] || fail "not as the program has it:$stale; to write them anew: cmake --build $BUILD_DIR --target docs"
