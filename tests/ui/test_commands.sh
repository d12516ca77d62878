# The frame of the command line: help, version, root options anywhere, run, doctor, bench.
. "$SOURCE_DIR/tests/support/shell.sh"
cd "$work"

expect 0 "$CLOUD370" --version
out_has "cloud370 "
expect 0 "$CLOUD370" --json --version
out_has '{"version":"'
expect 0 "$CLOUD370" --help
cp out help
out_has "exit status: 0 done, 1 an expectation failed, 2 bad usage or input,"
expect 0 "$CLOUD370" help
cmp out help || fail "help and --help differ"
for command in run tui asm disasm exec classify bench doctor help; do
    grep -q "^  $command " help || fail "$command is not in the help"
    expect 0 "$CLOUD370" $command --help
    out_has "usage: cloud370 $command"
    out_has "options:"
    awk 'length > 80 { exit 1 }' out || fail "$command --help has lines of more than 80 characters"
    cp out own
    expect 0 "$CLOUD370" help $command
    cmp out own || fail "help $command and $command --help differ"
    expect 0 "$CLOUD370" --help $command
    cmp out own || fail "--help $command and $command --help differ"
done
# Every option of every command is in the manual page.
for command in run tui asm disasm exec classify bench doctor; do
    "$CLOUD370" $command --help | sed -n 's/^ *\(-., \)\{0,1\}--\([a-z-]*\).*/\2/p' | while read -r option; do
        grep -q -- "$(echo "--$option" | sed 's/-/\\\\-/g')" "$SOURCE_DIR/docs/cloud370.1" ||
            fail "--$option is not in the manual page"
        grep -q -- "--$option" "$SOURCE_DIR/docs/command-line.md" || fail "--$option is not in command-line.md"
    done
done

# run: results, arguments, seed.
cat >args.lua <<'END'
print(#args, args[1], args[2], seed)
check("passes", 3, function() expect(1).equals(1) end)
check("fails", 2, function() expect(1).equals(2) end)
END
expect 1 "$CLOUD370" run args.lua --seed 9 -- --json "a b"
out_is "2	--json	a b	9
ok    passes  (3 of 3 points)
FAIL  fails  (0 of 2 points)
      args.lua:3: expected 1 to equal 2
2 checks: 1 passed, 1 failed; 3 of 5 points"
expect 1 "$CLOUD370" --json run args.lua
out_is '{"scenario":"args.lua","seed":0,"passed":false,"points":3,"most":5,"checks":[{"name":"passes","passed":true,"points":3,"most":3,"message":""},{"name":"fails","passed":false,"points":0,"most":2,"message":"args.lua:3: expected 1 to equal 2"}],"error":null}'
err_has "2 checks: 1 passed, 1 failed"
expect 1 "$CLOUD370" --color always run args.lua
out_has "$(printf '\033[31mFAIL\033[0m')"
NO_COLOR=1 expect 1 "$CLOUD370" run args.lua
expect 2 "$CLOUD370" run --json none.lua
out_has '"error":"'

# The main scenario, from anywhere; its trace is the same every time.
expect 0 "$CLOUD370" run "$SOURCE_DIR/scenarios/first.lua" --trace one.jsonl
out_has "6 checks: 6 passed, 0 failed; 10 of 10 points"
awk 'length > 80 { exit 1 }' out || fail "lines of more than 80 characters"
expect 0 "$CLOUD370" run "$SOURCE_DIR/scenarios/first.lua" --trace two.jsonl
cmp one.jsonl two.jsonl || fail "two traces differ"
for guest in hello primes walk; do
    expect 0 "$CLOUD370" run "$SOURCE_DIR/scenarios/first.lua" -- $guest all
done

expect 0 "$CLOUD370" doctor
out_has "libraries      Lua 5.4"
CLOUD370_PACKAGES=$(printf 'present\tto build\tgcc\ta C compiler\nmissing\tto test\tx y\t"quoted"\n')
export CLOUD370_PACKAGES
expect 0 "$CLOUD370" doctor --json
out_has '"packages":[{"package":"gcc","what":"a C compiler","purpose":"to build","present":true},{"package":"x y","what":"\"quoted\"","purpose":"to test","present":false}]'

expect 0 "$CLOUD370" bench machines --json
out_has '{"results":[{"benchmark":"machines","measure":"one machine made","value":'
# The others take long: their first results, and the end that Ctrl-C makes.
"$CLOUD370" bench nest --json >out 2>err &
sleep 2
kill -INT $!
status=0
wait $! || status=$?
[ "$status" -eq 3 ] || fail "bench nest: status $status"
out_has '{"results":[{"benchmark":"nest","measure":"SPKA, depth 1","value":1.0,"unit":"traps","peer":null,"ratio":null}'
out_has '"unit":"ns"'
err_has "cloud370: interrupted"

# Ctrl-C stops cleanly: the results so far, one line, exit status 3.
{ printf '\000\010\000\000\000\000\002\000'; head -c 504 /dev/zero; printf '\107\360\002\000'; } >loop.img
for under in "" "--under trap-and-emulate"; do
    # shellcheck disable=SC2086
    "$CLOUD370" exec loop.img --json $under >out 2>err &
    sleep 1
    kill -INT $!
    status=0
    wait $! || status=$?
    [ "$status" -eq 3 ] || fail "status $status"
    out_has '"stop":"limit"'
    err_has "cloud370: interrupted"
done
