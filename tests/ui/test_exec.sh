# exec: the fixed contract, bare and under monitors, and asm and disasm that make its images.
. "$SOURCE_DIR/tests/support/shell.sh"
cd "$work"
guests=$SOURCE_DIR/scenarios/guests
t=trap-and-emulate

# A BC-mode program: AR 1,2; ST 1,X'300'; LPSW X'210', a PSW that --set puts there. All forms of options.
printf '\000\000\000\000\000\000\002\000' >low
printf '\032\022\120\020\003\000\202\000\002\020' >code
{ cat low; head -c 504 /dev/zero; cat code; } >add.img
expect 0 "$CLOUD370" --json exec --gpr 1=5 add.img --gpr=2=fffffffe --set 210=0002000010000F00 --dump 300:4 --dump=0:8
out_has '{"stop":"disabled-wait","model":"s370","psw":"0002000010000F00","gpr":["00000000","00000003","FFFFFFFE",'
out_has '"cc":1,"instructions":3,"cycles":'
out_has '"dump":[{"addr":"000300","hex":"00000003"},{"addr":"000000","hex":"0000000000000200"}]'
out_has '"interruptions":{"program":0,"svc":0,"external":0,"io":0,"machine_check":0,"restart":1},"levels":[]}'
[ "$(wc -l <out)" -eq 1 ] || fail "not one line"
bare=$(cat out)

# --psw starts without an interruption; --at moves the image.
expect 0 "$CLOUD370" exec code --at 1200 --psw 0000000000001200 --set 210=0002000010000F00 --json
out_has '"restart":0}'
out_has '"instructions":3,'

# Exit status of the three stops.
expect 3 "$CLOUD370" exec add.img --max-instructions 2 --json
out_has '"stop":"limit"'
out_has '"instructions":1,'
expect 3 "$CLOUD370" exec add.img --max-instructions 0 --json
out_has '"stop":"limit"'
out_has '"restart":0}'
head -c 8 /dev/zero >zeros
expect 1 "$CLOUD370" exec zeros --json
out_has '"stop":"check-stop"'
# An enabled wait for which nothing is scheduled; an invalid PSW is the architecture's business.
expect 3 "$CLOUD370" exec zeros --psw 8002000000000000 --json
out_has '"stop":"limit"'
expect 1 "$CLOUD370" exec zeros --psw FFFFFFFFFFFFFFFF --json
out_has '"stop":"check-stop"'
# An empty image is an image.
: >empty
expect 0 "$CLOUD370" exec empty --psw 0002000000000000

# Under monitors: the same answer, but cycles and levels.
expect 0 "$CLOUD370" exec --gpr 1=5 add.img --gpr=2=fffffffe --set 210=0002000010000F00 --dump 300:4 --dump=0:8 --json \
    --under $t
strip() { sed 's/"cycles":[0-9]*,"dump"/"dump"/; s/,"levels":.*//'; }
[ "$(strip <out)" = "$(echo "$bare" | strip)" ] || fail "another answer under a monitor: $(cat out)"
out_has '"levels":[{"kind":"trap-and-emulate","traps":'
expect 0 "$CLOUD370" exec --gpr 1=5 add.img --gpr=2=fffffffe --set 210=0002000010000F00 --dump 300:4 --dump=0:8 --json \
    --under $t,$t --account
[ "$(strip <out)" = "$(echo "$bare" | strip)" ] || fail "another answer under two monitors: $(cat out)"
out_has '"account":[{"level":0,"who":"trap-and-emulate","cycles":'
out_has '{"level":2,"who":"program","cycles":'

# The guests: console lines on standard error, the same end everywhere.
for guest in hello primes walk; do
    expect 0 "$CLOUD370" asm "$guests/$guest.s" -o $guest.img --listing $guest.lst --symbols $guest.sym
    out_has "$guest.img: "
    if [ ! -s $guest.lst ] || [ ! -s $guest.sym ]; then
        fail "no listing or symbols"
    fi
    for under in "" "--under $t" "--under $t,$t"; do
        # shellcheck disable=SC2086
        expect 0 "$CLOUD370" exec $guest.img --memory 64K $under --json
        strip <out >result
        [ -e $guest.bare ] || { cp result $guest.bare; cp err $guest.lines; }
        cmp -s result $guest.bare || fail "$guest, $under: $(cat result)"
        grep -v ASan err >lines || true
        cmp -s lines $guest.lines || fail "$guest, $under: $(cat err)"
    done
done
grep -qx 'HELLO FROM SYSTEM/370' hello.lines || fail "no hello"
grep -q ' 467 479 487 491 499' primes.lines || fail "no primes"
grep -qx 'BACK IN SUPERVISOR STATE: DONE' walk.lines || fail "no walk"
grep -q '"psw":"000A00000000C0DE"' walk.bare || fail "walk ended elsewhere"

# For people.
expect 0 "$CLOUD370" exec walk.img --memory 64K --under $t --account --dump 2000:20
out_has "stopped: disabled-wait, after 288 instructions and "
out_has "PSW 000A0000 0000C0DE  EC mode, supervisor state, waiting, key 0, cc 0, at 00C0DE"
out_has "interruptions: restart 1, svc 9, program 4, io 9"
out_has "monitor 1, trap-and-emulate: "
out_has "002000  F0002040 F0002060 F0002080 00000001  0.. 0..-0......."
out_has "where the cycles went"
expect 3 "$CLOUD370" exec walk.img --memory 64K --max-instructions 2
out_has "stopped: limit, after 1 instruction and "

# disasm: asm makes the same bytes again.
expect 0 "$CLOUD370" disasm walk.img
cp out again.s
expect 0 "$CLOUD370" asm again.s -o again.img
cmp walk.img again.img || fail "disasm and asm do not give the same bytes"
expect 0 "$CLOUD370" disasm code --at 200 --json
out_has '{"addr":"000200","hex":"1A12","text":"AR    1,2"}'
expect 0 "$CLOUD370" asm again.s -o again.img --json
out_has '{"image":"again.img","origin":"000000","bytes":'
