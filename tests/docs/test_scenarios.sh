# The Lua examples of the documentation, blocks fenced with ```lua, are whole scenarios: each ends with status 0, and
# prints what its comments "--> TEXT" say, in their order, if it has any. So do the scenarios that come with the product
# end well.
. "$SOURCE_DIR/tests/support/shell.sh"

[ -x "$CLOUD370" ] || skip "the program was not built"
cp -r "$SOURCE_DIR/scenarios" "$work/tree"

total=0
for page in "$SOURCE_DIR"/docs/*.md; do
    rm -f "$work"/example.*
    awk -v to="$work/example" '
        /^```lua$/ { inside = 1; n++; next }
        /^```/ { inside = 0 }
        inside { print > (to "." n) }
    ' "$page"
    for example in "$work"/example.*; do
        [ -f "$example" ] || continue
        cp "$example" "$work/tree/example.lua"
        sed -n 's/^.*--> //p' "$example" >"$work/expected"
        (cd "$work/tree" && "$CLOUD370" run example.lua) >"$work/out" 2>&1 </dev/null ||
            fail "$page, ${example##*/}: $(cat "$work/out")"
        if [ -s "$work/expected" ] && ! diff -u "$work/expected" "$work/out"; then
            fail "$page, ${example##*/}: another output than the page says (-)"
        fi
        total=$((total + 1))
    done
done
[ "$total" -gt 0 ] || fail "no example was found"

for scenario in "$SOURCE_DIR"/scenarios/*.lua "$SOURCE_DIR"/scenarios/labs/*.lua; do
    expect 0 "$CLOUD370" run "$scenario"
    out_has " 0 failed"
done
echo "$total examples, and the scenarios"
