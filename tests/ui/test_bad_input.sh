# Bad input: one clear line on standard error, exit status 2 (3 for a budget), nothing on standard output, nothing half
# written.
. "$SOURCE_DIR/tests/support/shell.sh"
cd "$work"

# refused TEXT COMMAND...: exit status 2, and the one line has TEXT.
refused() {
    text=$1
    shift
    expect 2 "$CLOUD370" "$@"
    err_has "$text"
    [ "$(wc -l <"$work/err")" -eq 1 ] || fail "not one line: $(cat "$work/err")"
    grep -q '^cloud370: ' "$work/err" || fail "no cloud370: before $(cat "$work/err")"
    [ ! -s "$work/out" ] || fail "something on standard output: $(cat "$work/out")"
}

# A program that stops at once, one that never does, one that check-stops, and things that are none.
printf '\000\002\000\000\000\000\000\000' >stop.img
printf '\000\000\000\000\000\000\002\000' >loop.img
dd if=/dev/zero of=zeros bs=512 count=1 2>/dev/null
{ head -c 8 loop.img; head -c 504 zeros; printf '\107\360\002\000'; } >loop2.img
mv loop2.img loop.img
head -c 8192 /dev/zero >large.img

# Usage.
refused "no command is given"
refused "unknown command frob; there are: run, tui, asm, disasm, exec, classify, bench, doctor, help, test" frob
refused "did you mean test?" tset
refused "did you mean exec?" exce
refused "x.lua: No such file or directory" tui x.lua
refused '--theme: "pink" is none of dark, light, contrast, blue-yellow, mono' tui "$SOURCE_DIR/scenarios/first.lua" --theme pink
refused '--size: "80" is no size such as 120x40 (20x5 to 500x200)' tui "$SOURCE_DIR/scenarios/first.lua" --size 80
refused "--replay: nowhere/x: No such file or directory" tui "$SOURCE_DIR/scenarios/first.lua" --plain --replay nowhere/x
refused "--record: nowhere/x: No such file or directory" tui "$SOURCE_DIR/scenarios/first.lua" --plain --record nowhere/x
refused "unknown command grade" grade
refused "./cloud370 test" test
refused "unknown option --memry; did you mean --memory?" exec --memry 1 stop.img
refused "unknown option --zzz" --zzz
refused "unknown option -x" exec -x stop.img
refused "option --memory needs a value: SIZE" exec stop.img --memory
refused "option --json takes no value" exec --json=yes stop.img
refused "option --memory is given twice" exec --memory 1M --memory=2M stop.img
refused "exec: something is missing; usage: cloud370 exec IMAGE" exec
refused "b.img is one too many" exec stop.img b.img
refused "--color is red" --color red exec stop.img
refused "unknown command none" help none

# exec.
refused "cannot read none.img" exec none.img
refused "cannot read ." exec .
refused "large.img does not fit: 8192 bytes at 000000, and the last address of this machine is 000FFF" \
    exec large.img --memory 4K
refused "does not fit" exec stop.img --at FFFFFC
refused "does not fit" exec stop.img --at FFFFC --memory 1M
refused "--at is 0x10; it takes hexadecimal digits, 0 to FFFFFF" exec stop.img --at 0x10
refused "--at is 1000000" exec stop.img --at 1000000
refused "--at is empty" exec stop.img --at=
for size in 1 4095 17M 16385K 1G 99999999999999999999 1.5M -1 64KB x ''; do
    refused "it takes a size such as 64K or 2M, from 4K to 16M" exec stop.img "--memory=$size"
done
refused "--memory is 5K; it takes a multiple of 2K" exec stop.img --memory 5K
refused "--memory is 6K; it takes a multiple of 4K under a monitor" exec stop.img --memory 6K --under trap-and-emulate
for psw in '' 0 000A00000000ACE 000A0000000000ACE0 000A00000000ACEX '000A0000 0000ACE'; do
    refused "it takes exactly 16 hexadecimal digits" exec stop.img "--psw=$psw"
done
refused "--psw and --restart exclude each other" exec stop.img --psw 000A000000000ACE --restart
for register in '' 1 16=0 A=0 -1=0 =0 1:0; do
    refused "it takes N=HEX, N a register number 0 to 15" exec stop.img "--gpr=$register"
    refused "it takes N=HEX, N a register number 0 to 15" exec stop.img "--cr=$register"
done
refused "--gpr: the value of register 3 is 123456789; it takes hexadecimal digits" exec stop.img --gpr 3=123456789
refused "--cr: the value of register 3 is empty" exec stop.img --cr 3=
for set in '' 0 0= =00 0=1 0=XX 0=0x00 1000000=00 0:00; do
    refused "it takes ADDR=HEX" exec stop.img "--set=$set"
done
refused "--set of 2 bytes at 0FFFFF does not fit" exec stop.img --set FFFFF=0000
for dump in '' 0 0: :1 0:0 X:1 0:X 1000000:1 0=1; do
    refused "it takes ADDR:LENGTH" exec stop.img "--dump=$dump"
done
refused "--dump of 2 bytes at 0FFFFF does not fit" exec stop.img --dump FFFFF:2
refused "--dump of 1000000 bytes at 000000 does not fit" exec stop.img --dump 0:1000000
refused "--max-instructions is 1e6; it takes a decimal number" exec stop.img --max-instructions 1e6
refused "--max-instructions is -1" exec stop.img --max-instructions -1
refused "--max-instructions is 18446744073709551616" exec stop.img --max-instructions 18446744073709551616
refused "--profile is x; it takes the name of an instruction set: s370 or flawed" exec stop.img --profile x
refused "--profile is FLAWED; it takes the name of an instruction set: s370 or flawed" disasm stop.img --profile FLAWED
refused "--profile is empty" classify --profile ""
refused "--instruction is NOP; it takes a mnemonic such as LPSW" classify --instruction NOP
refused "LPM is not an instruction of the profile s370" classify --instruction LPM
refused "--seed is x; it takes a decimal number" classify --seed x
refused "classify: s370 is one too many" classify s370
refused "flat" exec stop.img --model none
refused "paravirtual is not there yet; there are: trap-and-emulate, hybrid" exec stop.img --under paravirtual
refused "is not there yet" exec stop.img --under module:x.so
refused "magic is not a kind of monitor" exec stop.img --under trap-and-emulate,magic
refused "--under is empty; it takes the kinds of the monitors, from the lowest up" exec stop.img --under ''
refused "an empty kind" exec stop.img --under trap-and-emulate,
t=trap-and-emulate
refused "at most" exec stop.img --under $t,$t,$t,$t,$t,$t,$t,$t,$t
refused "the largest that does" exec stop.img --under $t --memory 16M

# asm: gcc's lines, one summary, and no image.
printf ' FOO 1\n LA 99,0\n END\n' >bad.s
expect 2 "$CLOUD370" asm bad.s -o bad.img --listing bad.lst --symbols bad.sym
err_has "bad.s:1:2: error:"
err_has "bad.s:2:"
[ "$(tail -n 1 err)" = "cloud370: 2 errors in bad.s" ] || fail "no summary: $(cat err)"
for file in bad.img bad.lst bad.sym; do
    [ ! -e $file ] || fail "$file was written"
done
printf " DC X'00'\n END\n" >good.s
refused "none.s" asm none.s -o x.img
refused "asm: -o IMAGE is missing" asm good.s
refused "would overwrite the source" asm good.s -o good.s
refused "would overwrite the source" asm good.s -o x.img --listing ./good.s
refused "--listing and --output both name x.img" asm good.s -o x.img --listing x.img
refused "no/such/x.img" asm good.s -o no/such/x.img
[ ! -e x.img ] || fail "x.img was written"

# disasm, bench.
refused "cannot read none.img" disasm none.img
refused "--at is X" disasm stop.img --at X
refused "does not fit below FFFFFF" disasm stop.img --at FFFFFC
refused "unknown benchmark machins; did you mean machines?" bench machins

# run.
echo 'x = = 1' >syntax.lua
printf '\n\nlocal x = nil + 1\n' >error.lua
echo 'while true do pcall(function() while true do end end) end' >loop.lua
cat >endless.lua <<'END'
local m = machine.new{ memory = "4K" }
m:load{ bytes = "\0\8\0\0\0\0\2\0" }
m:load{ bytes = "\x47\xF0\2\0", at = 0x200 }
m:restart()
m:run()
END
echo 'expect(1).equals(2)' >fails.lua
echo 'assemble.file("bad.s")' >bad.lua
printf '\033Lua' >binary.lua
refused "cannot read none.lua" run none.lua
refused "(syntax.lua:1)" run syntax.lua
refused "attempt to perform arithmetic on a nil value (error.lua:3)" run error.lua
refused "binary chunk" run binary.lua
refused "cannot" run --trace no/such/trace error.lua
refused "--seed is x" run --seed x error.lua
refused "--seed is -1" run --seed=-1 error.lua
refused "--lua-memory is 1; it takes a size" run --lua-memory 1 error.lua
refused "error.lua is one too many" run syntax.lua error.lua
expect 2 "$CLOUD370" run bad.lua
err_has "bad.s:1:2: error:"
[ "$(tail -n 1 err)" = "cloud370: 2 errors in bad.s (bad.lua:1)" ] || fail "no summary: $(cat err)"
expect 3 "$CLOUD370" run loop.lua --max-lua 1000000
err_is "cloud370: the scenario used up its budget of 1,000,000 Lua instructions"
expect 3 "$CLOUD370" run endless.lua --max-instructions 1000000
err_is "cloud370: bare: the scenario used up its budget of 1,000,000 simulated instructions"
expect 1 "$CLOUD370" run fails.lua
out_has "fails.lua:1: expected 1 to equal 2"

# Output that cannot be written is refused like any other place that cannot be written.
if [ -w /dev/full ]; then
    status=0
    "$CLOUD370" --help >/dev/full 2>err || status=$?
    [ $status -eq 2 ] || fail "status $status with a full disk"
    err_has "cannot write standard output"
    status=0
    "$CLOUD370" classify --json >/dev/full 2>err || status=$?
    [ $status -eq 2 ] || fail "status $status with a full disk and JSON"
    err_is "cloud370: cannot write standard output: No space left on device"
fi
