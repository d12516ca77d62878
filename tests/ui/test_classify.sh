# classify: the whole as text and as JSON, and one instruction.
. "$SOURCE_DIR/tests/support/shell.sh"
cd "$work"

expect 0 "$CLOUD370" classify --json
cp out all.json
out_has '{"profile":"s370","seed":1974,"instructions":[{"mnemonic":"SPM","code":"04","name":"set program mask","class":["innocuous"],"privileged":false,"user_sensitive":false,"enough":true,'
out_has '{"number":1,"name":"virtualizable","condition":"every sensitive instruction is privileged","holds":true,"breaks":[],"shows_time":[]}'
out_has '"shows_time":["STCK"]'
# One alone has the same answer, every time (all of both profiles as text: docs/classify.md, which is run, too).
for name in STAP LRA MVC; do
    expect 0 "$CLOUD370" classify --json --instruction $name
    cp out $name.json
    expect 0 "$CLOUD370" classify --json --instruction $name
    cmp out $name.json || fail "the same seed gave another answer"
    one=$(sed 's/.*"instructions":\[\(.*\)\],"theorems".*/\1/' out)
    grep -qF "$one" all.json || fail "$name alone is not as with all the others"
done

expect 0 "$CLOUD370" classify --instruction lpsw --seed 5
out_has "LPSW, load PSW: control; privileged"
expect 0 "$CLOUD370" classify --instruction SPS --profile flawed --json
out_has '"theorems":[]'
