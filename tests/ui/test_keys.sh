# Every key of the help page does what it says, on a real terminal: each key of the table of commands and each pane has
# its line here, and a key without one fails the test.
. "$SOURCE_DIR/tests/support/shell.sh"
. "$SOURCE_DIR/tests/support/terminal.sh"

# The scenario: walk.s on a monitor, so that there are two levels; its guest first.
cat >"$work/walk.lua" <<'EOF'
local host = machine.new{ memory = "1M", nominal = true, name = "host" }
local guest = vmm.new{ on = host }:guest{ memory = "64K", name = "guest" }
guest:load(assemble.file("walk.s"))
guest:restart()
guest:run{ instructions = 1e6 }
print("the end")
EOF
cp "$SOURCE_DIR/scenarios/guests/walk.s" "$work/walk.s"

# KEY: what is pressed before it, the key as tmux has it, what is seen then. Each begins at a fresh hold, step 0 of the
# guest, with the pane code in focus.
try() { # NAME BEFORE KEY TYPED SEEN
    tried="$tried $1"
    # shellcheck disable=SC2086
    [ -z "$2" ] || keys $2
    keys "$3"
    if [ -n "$4" ]; then
        typed "$4"
        keys Enter
    fi
    sees "$5"
}
tried=
begin() {
    start 120 40 tui "$work/walk.lua"
    sees "L1 guest"
    sees "step 0 |"
}

begin
try s "" s "" "step 1 |"
try F7 "" F7 "" "step 2 |"
try S "" S 4 "step 7 |" # the SVC counts for two
try r "" r "" "step 5 |"
try F6 "" F6 "" "step 4 |"
try o "s" o "" "next instruction 000212"
try F8 "" F8 "" "next instruction 000216"
try R "" R "" "begins here"
try t "" t "" "step 1 |"
try I "" I "" "step 7 |"
try T "" T "" "host executes"
try . "s" . "" "step 8 |"
try u "R" u MAPPED "next instruction 00020C"
try x "" x "" "executes"
try U "" U 3 "step 1 |"
try g "" g 41 "step 41 |"
try m "" m a "mark a"
try "'" "R" "'" a "step 41 |"
try b "" b CALL "breakpoint 1"
try c "R" c "" "breakpoint 1"
try D "" D 1 "breakpoint 1 is gone"
try F9 "R" F9 "" "run is over"
try L "K" L "" "level 1: guest"
try K "" K "" "level 0: host"
try ">" "" ">" "" "level 1: guest"
try "<" "" "<" "" "level 0: host"
try M "" M guest "level 1: guest"
try C "" C "" "scenario ended"

begin
try p "" p "storage 200" "000200"
try + "" + "" "6 storage"
sees_not "2 state"
try _ "" _ "" "2 state"
try z "" z "" "6 storage"
sees_not "2 state"
try Esc "" Escape "" "2 state"
for pane in 1:code 2:state 3:nest 4:trap 5:walk 6:storage 7:timeline 8:invoice 9:map 0:console B:breakpoints i:scenario y:TLB; do
    key=${pane%%:*}
    keys Escape "$key" z
    sees "$key ${pane#*:}"
    sees_not "1 code |"
    tried="$tried $key"
    keys z
done
keys 1
try ] "" ] "" "9 map | 1 code"
try [ "" [ "" "1 code | 9 map"
try Tab "" Tab "" "1 code | 9 map"
keys z
sees_not "1 code |"
keys z
try S-Tab "" BTab "" "1 code"
keys 2 z
try / "" / CPU "CPU timer"
try n "" n "" "CPU timer"
try N "" N "" "CPU timer"
keys z 1
try j "" j "" "step 0"
try Down "" Down "" "step 0"
try k "" k "" "step 0"
try Up "" Up "" "step 0"
try Space "" Space "" "step 0"
try PageDown "" NPage "" "step 0"
try PageUp "" PPage "" "step 0"
try l "" l "" "step 0"
try Right "" Right "" "step 0"
try h "" h "" "step 0"
try Left "" Left "" "step 0"
try Home "" Home "" "000000"
try ? "" '?' "" "commands and keys"
keys Escape
sees_not "commands and keys"
try F1 "" F1 "" "commands and keys"
keys Escape
sees_not "commands and keys"
keys s
sees "step 1 |"
try e "" e "" "load"
keys Escape
try Enter "" Enter "" "load"
keys Escape
try : "" : "theme light" "step 1 |"
try = "" = "m.gpr[1] + 1" "1"
try q "" q "" ""
ended 0

# What the help page has, and no more.
expect 0 sh -c "echo keys | '$CLOUD370' tui '$work/walk.lua' --plain --ascii"
sed -n '/commands and keys/,$p' "$work/out" | sed -n 's/^  \(.\{16\}\).*/\1/p' | tr -s ' ' '\n' | grep . | sort -u >"$work/listed"
# shellcheck disable=SC2086
printf '%s\n' $tried | sort -u >"$work/tried"
diff "$work/listed" "$work/tried" || fail "the keys of the help page (<) are not those that are tried here (>)"
