# The guided labs, as a student goes through them: nothing is done before its time, everything when it is, also back across
# the trap; on three sizes of the screen, and in plain mode. Locks and hidden panes say so.
. "$SOURCE_DIR/tests/support/shell.sh"
. "$SOURCE_DIR/tests/support/terminal.sh"
labs=$SOURCE_DIR/scenarios/labs

for size in "80 24" "120 40" "200 60"; do
    # shellcheck disable=SC2086
    start $size tui "$labs/first-trap.lua"
    sees "Your first trap  0 of 7 done"
    sees "A guest believes that it owns a"
    keys s s s
    sees "step 3 |"
    sees_not "done:"
    keys s
    sees "done: Ordinary instructions; next: What it believes, and what is"
    sees "2. What it believes, and what is"
    sees "Press 3"
    keys 3
    sees "done: What it believes"
    sees "CPU has  ≠problem EC ≠DAT on"
    keys x
    sees "done: The trap"
    sees "host executes"
    sees "▶ 00020A"
    keys '<'
    sees "done: Behind the trap"
    keys '>'
    keys x
    sees "step 5 |"
    sees_not "done:"
    keys 4
    sees "done: The answer"
    sees "STIDP"
    keys r
    sees "step 4 |"
    sees_not "done:"
    keys s
    sees "done: Back across it"
    sees "step 5 |"
    keys 8
    sees "all steps are done"
    keys i
    sees "all done"
    sees "You have seen trap and emulate"
    keys C
    sees "the scenario has ended: 1 of 1 checks hold"
    keys q
    ended 0

    # shellcheck disable=SC2086
    start $size tui "$labs/first-walk.lua"
    sees "Your first page-table walk  0 of 9 done"
    keys s s s s
    sees "done: Turn translation on"
    keys 5
    sees "000324 AFIVE: operand of the next"
    sees_not "done:"
    keys :
    typed "pane walk 5000"
    keys Enter
    sees "done: A walk, by hand"
    sees "page 05 at 00104A: 0080 valid"
    keys s s
    sees "done: The CPU walks"
    sees "C8C5D9C5"
    keys :
    typed "pane walk 6000"
    keys Enter
    sees "done: A page that is not there"
    sees "exception 0011: page invalid"
    keys t
    sees "done: The page fault"
    keys s
    sees_not "done:"
    keys s
    sees "done: The repair"
    sees "page 06 at 00104C: 0090 valid"
    keys s
    sees "done: The same store again"
    keys y
    sees "done: Why it is fast"
    sees "006000 → 009000"
    keys C s s s s
    sees "L1 guest  supervisor EC DAT | step 4 |"
    keys :
    typed "pane walk 5000"
    keys Enter
    sees "all steps are done"
    sees "→ 030000 of L0 host"
    keys C
    sees "the scenario has ended: 2 of 2 checks hold"
    keys q
    ended 0
done

# Plain mode: the same, as lines.
printf 'step 4\npane nest\ncross\nmachine host\nmachine guest\ncross\npane trap\nback\nstep\npane invoice\nresume\n' >"$work/in"
"$CLOUD370" tui "$labs/first-trap.lua" --plain <"$work/in" >"$work/out" || fail "the lab fails: $(cat "$work/out")"
out_has "Your first trap  0 of 7 done"
[ "$(grep -c '^lab: done: ' "$work/out")" = 7 ] || fail "not seven steps: $(grep '^lab:' "$work/out")"
out_has "lab: done: The bill (7 of 7); all steps are done"
out_has "the scenario has ended: 1 of 1 checks hold"

# What an instructor locks and hides.
cat >"$work/lock.lua" <<'END'
local m = machine.new{ memory = "64K" }
m:load{ bytes = ("\0\8\0\0\0\0\2\0") }
m:load{ bytes = ("\x1A\x11\x0A\1"):rep(100), at = 0x200 }
m:load{ bytes = ("\0\8\0\0\0\0\2\0"), at = 0x60 }
m:restart()
lab{ title = "Locked", step = args[1], hide = { "map", "trap" }, checks = { "later" } }
m:run{ instructions = 1000 }
lab{ title = "Free", hide = { "maps" } }
m:run{ instructions = 1000 }
check("later", 1, function() end)
END
printf 'step\ntrap\npane trap\ngo 5\nback\nback-to-trap\npane scenario\ncontinue\nresume\nstep\npane map\nresume\n' >"$work/in"
"$CLOUD370" tui "$work/lock.lua" --plain -- trap <"$work/in" >"$work/out" 2>&1
out_has "error: the lab lets you go from trap to trap only: trap, back-to-trap, cross, continue; step is locked"
out_has "trap to trap only: trap, back-to-trap, cross, continue; go is locked"
out_has "trap to trap only: trap, back-to-trap, cross, continue; back is locked"
out_has "error: the scenario has hidden the pane trap"
out_has "○ open  later"
out_has 'error: the lab hides a pane "maps", and there is none of that name'
[ "$(grep -c 'is locked' "$work/out")" = 3 ] || fail "another number of refusals"
[ "$(grep -c 'has hidden' "$work/out")" = 1 ] || fail "the second lab hides nothing"
printf 'trap\nstep\ncontinue\nreverse\n' | "$CLOUD370" tui "$work/lock.lua" --plain -- run >"$work/out" 2>&1
out_has "whole runs only: continue, reverse, resume; trap is locked"
[ "$(grep -c 'is locked' "$work/out")" = 2 ] || fail "another number of refusals"
