# What the panes code, storage, walk, trap and map say, in plain mode: checked against the program's listing, and
# against what the architecture says.
. "$SOURCE_DIR/tests/support/shell.sh"
cp "$SOURCE_DIR"/scenarios/guests/*.s "$work/"

# A guest under a monitor; the same under two; the same under hypervisor.s. And on the bare machine.
cat >"$work/guest.lua" <<'EOL'
local host = machine.new{ memory = "2M", nominal = true, name = "host" }
local m = vmm.new{ on = host }:guest{ memory = args[1] == "2" and "1M" or "64K", name = args[1] == "2" and "middle" or "guest" }
if args[1] == "2" then m = vmm.new{ on = m }:guest{ memory = "64K", name = "guest" } end
m:load(assemble.file("walk.s"))
m:restart()
m:run{ instructions = 1e6 }
EOL
cat >"$work/assembler.lua" <<'EOL'
local real = machine.new{ memory = "280K", name = "real" }
real:load(assemble.file("hypervisor.s"))
local g = vmm.map{ on = real, memory = "64K", name = "guest" }
g:load(assemble.file("walk.s"))
g:restart()
g:run{ instructions = 1e6 }
EOL
cat >"$work/bare.lua" <<'EOL'
local m = machine.new{ memory = "64K", nominal = true, name = "real" }
m:load(assemble.file("walk.s"))
m:restart()
m:run{ instructions = 1e6 }
EOL

# tell SCENARIO LINES [ARGUMENTS]: what is printed, in $work/out.
tell() {
    scenario=$1
    printf '%b' "$2" >"$work/in"
    shift 2
    "$CLOUD370" tui "$work/$scenario" --plain -- "$@" <"$work/in" >"$work/out" 2>"$work/err" || fail "status $?: $(cat "$work/err")"
}

# Code: the statement, its label, what it refers to; data as the statement that made it, areas as one line.
tell bare.lua 's\npane code\npane code TABLES\npane code SEGTAB\n'
out_has "000200 58B00404       L     11,1028             START    L     11,TABLES"
out_has "→ 000404 TABLES"
out_has "002000 F0002040                                SEGTAB   DC    X'F0',AL3(PGTAB0)"
out_has "00200C 00000001 00000001 00000001 00000001…             DC    13X'00000001'"
out_has "bytes of zeros"
out_has "010000 cannot be reached"
tell bare.lua 's 3\npane code\n' # LCTL, LPSW: the class
out_has "c LPSW  976"
tell bare.lua 's\npane code\nfind TOHEX\nfind NOWHERE\n'
out_has '"NOWHERE" is nowhere in code'
tell bare.lua 'until IODONE\ns\npane code\n'
out_has "BC    8,STILL"
out_has "STILL: will not branch"

# Storage: labels, EBCDIC, what a command has changed, a register that is followed.
tell bare.lua 'until CALL\npane storage SAVE\ns\npane storage SAVE\npane storage follow r1\npane storage 1\npane storage FFFFF0\npane storage follow r16\n'
out_has "L0 real 00044C SAVE"
out_has " 000450›000004CC"
out_has "L0 real 0004CC = R1 M1"
out_has " IS ON.VIRTUAL 0"
out_has "not installed"
out_has "follow takes a register, r0 to r15, not \"r16\""
grep -q '^▶000440 F5F6F7F8 F9C1C2C3 C4C5C600 00000000' "$work/out" || fail "the row of SAVE is not marked, or not whole"
tell bare.lua 's 5\npane storage\npane storage real 9000\npane storage virtual 9000\npane storage virtual 30000\n' # DAT is on
out_has "L0 virtual"
out_has "L0 real 009000"
out_has "L0 virtual 009000"
out_has "030000 not mapped"
tell bare.lua 's\npane storage\nfind BACK IN\nfind 82000028\nfind FFEEDDCCBBAA99\n'
out_has '"FFEEDDCCBBAA99" is nowhere in storage'

# Walk: DAT off, then every entry of a walk that fails, by the architecture's formulas, and one that does not.
tell guest.lua 's\npane walk\nI\nI\nI\nI\nI\npane walk\npane walk real+1\npane walk 9008\npane walk follow r6\n'
out_has "DAT off, real is 000404"
out_has "real 000404 → prefix 000000 → absolute 000404 → f → L0 "
out_has "009000: last translation exception"
out_has "✗ exception 0011: page invalid"
out_has " segment 00: 002000 + 4 x 00 = 002000: F0002040 valid"
out_has " page 09: 002040 + 2 x 09 = 002052: 0098 ✗invalid"
out_has "not made: the next use traps"
out_has '"real" is no address'
out_has "009008: as you asked"
out_has "009000: as you asked, R6"
tell guest.lua 's 5\npane walk MARK\n' 2
out_has "L2 guest CR1 00002000: segments of 64K, pages of 4K"
out_has "L1 shadow CR1 "
out_has "L0 shadow CR1 "
out_has "✓ as f has it"
out_has "✓ as the tables"
tell bare.lua 's 5\npane walk 30000\npane walk 200000\n'
out_has "✗ exception 0010: segment invalid"
out_has "exception 0010: beyond the segment table's length"

# Trap: of a bare machine; of a guest, interpreted, filled, reflected; of a nested one; back in time; of hypervisor.s.
tell bare.lua 'pane trap\nt\nt\npane trap\n'
out_has "no trap yet"
out_has "L0 000210 MAPPED+4  SVC   1"
out_has "old PSW → 20: EC mode, supervisor state, DAT on, key 0, cc 0, at 000212"
out_has "new PSW from 60: EC mode, supervisor state, key 0, cc 0, at 000374"
tell guest.lua 's 2\npane trap\ns\npane trap\nback\npane trap\nI\npane trap\n'
out_has "L1 000200 START  L     11,TABLES"
out_has "dispatcher: missing page 000000"
out_has "→ the guest's tables have the page: fill"
out_has "L1 000204 START+4  LCTL  0,1,CONTROL"
out_has "→ the guest is in its supervisor state: interpret"
out_has "interpreter: LCTL at 000204"
out_has "→ the guest's own affair: reflect"
out_has "reflects to guest: svc 0001"
out_has "old PSW → 20: EC mode, problem state, DAT on, key 0, cc 0, at 000212"
out_has "old PSW → 20: EC mode, supervisor state, DAT on, key 0, cc 0, at 000212"
[ "$(grep -c "missing page 000000" "$work/out")" -ge 2 ] || fail "a step back does not tell the trap before"
tell guest.lua 'I\nI\ns\npane trap\n' 2
out_has "L2 000210 MAPPED+4  SVC   1"
out_has "reflects to middle: svc 0001"
out_has "L1 "
out_has "reflects to guest: svc 0001"
tell assembler.lua 's 3\npane trap\nback\npane trap\n'
out_has "L1 000204 START+4  LCTL  0,1,CONTROL"
out_has "decision       HVTRAP a program interruption: whose affair is it?"
out_has "interpretation LCTL the interpreter's routine"
out_has "fill           HVFILL"
out_has "instructions of hypervisors"

# Map: the square of single steps, rings, pieces, storage; nothing of a bare machine.
tell guest.lua 's 3\npane map\ns\npane map\ns\npane map\ns 2\npane map\n'
out_has "only single steps are checked"
out_has "✓ f(e(S)) = e'(f(S)): "
out_has "the guest: LA    1,1228"
out_has "L1 guest believes supervisor DAT → problem DAT"
out_has "general register 0      to "
out_has "; the CPU has 1"
out_has "storage 000000-00FFFF → L0 "
out_has "last disk write: none yet"
tell bare.lua 's\npane map\n'
out_has "This is the"

# Nest, invoice, timeline, TLB, console, breakpoints, scenario, state: against what Lua finds at the same moment.
tell guest.lua '= host:account()[1].all\ninterruption\ninterruption\n= host:account()[1].all\n= m:stats().instructions\npane nest\npane invoice\npane timeline\npane tlb\npane state\n'
cycles=$(sed -n '/^[0-9]*$/p' "$work/out" | sed -n 2p)
grep -q "L0 host *$(printf '%s' "$cycles" | sed 's/\(...\)$/,\1/') " "$work/out" || fail "the invoice is not the account, $cycles"
out_has "believes supervisor EC DAT off key 0"
out_has "≠problem EC ≠DAT on key 0"
out_has "5 of them to the monitor: 2 interpreted, 2 filled, 2 reflected"
out_has "RrdMfdPidPidMfdSrd"
out_has "P trap: privileged operation at 000208"
out_has "i interprets LPSW at 000208"
out_has "next  000374 ✓ hit → 028000"
out_has "PSW 00080000 00000374  EC mode"
tell guest.lua 'until FAULT\n= m.console:text()\npane console\nbreak CALL\nbreak trap program 0010\nbreak class sensitive\nbreak if m.gpr[1] == 1\ntoggle 3\npane breakpoints\ndelete all\npane breakpoints\npane scenario\n'
[ "$(grep -c '^DAT IS ON$' "$work/out")" = 2 ] || fail "the console is not what Lua says"
out_has "guest at 000374  met 0 times"
out_has "guest behind every program interruption with code 0010  met 0 times"
out_has "before every sensitive instruction  met 0 times, off"
out_has "where m.gpr[1] == 1"
out_has "none; b sets one"
out_has "the scenario has printed nothing yet"
