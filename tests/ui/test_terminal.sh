# The terminal UI on a real terminal: it starts at every size, steps and goes back, and the terminal is restored however
# it ends.
. "$SOURCE_DIR/tests/support/shell.sh"
. "$SOURCE_DIR/tests/support/terminal.sh"
first=$SOURCE_DIR/scenarios/first.lua

# Three sizes; a step, a trap, back across it, and on to the end.
for size in "80 24" "120 40" "200 60"; do
    # shellcheck disable=SC2086
    start $size tui "$first"
    sees "step 0 | paused"
    keys s
    sees "step 1 |"
    sees "next instruction 000200"
    keys t
    sees "step 7 |"
    keys r # the SVC and its interruption are one
    sees "step 5 |"
    keys s
    sees "step 7 |"
    keys T # the restart
    sees "step 1 |"
    keys T
    sees "has had no interruption"
    keys c
    sees "run is over"
    keys C
    sees "L1 guest"
    keys I I I
    sees "step 20 |"
    keys r r
    sees "step 18 |"
    keys T
    sees "host executes"
    keys t
    sees "paused"
    keys R
    sees "begins here"
    keys C
    sees "scenario has ended: 6 of 6 checks hold"
    keys q
    ended 0
done

# A resize at any moment, also to what is too small.
start 80 24 tui "$first"
sees "paused"
$terminal resize-window -t t -x 150 -y 50
sees "invoice"
$terminal resize-window -t t -x 20 -y 5
sees "is too small"
$terminal resize-window -t t -x 80 -y 24
sees "step 0 | paused"

# Keys that mean nothing, a paste, and Lua that is wrong: a line says so, and nothing else happens.
keys '!'
sees "! does nothing here"
$terminal set-buffer "quit
q
"
$terminal paste-buffer -p -t t
sees "pasted text is taken on the command line only"
typed '=error("no")'
keys Enter
sees "no"
typed ':lua while true do end'
keys Enter
sees "budget"
typed ':nonsense'
keys Enter
sees 'there is no command "nonsense"'
typed ':= 6 * 7'
keys Enter
sees "42"
keys Escape
sees "step 0 | paused"

# Ctrl-C stops what runs; a killed program leaves the terminal as it was.
cat >"$work/endless.lua" <<'EOF'
local m = machine.new{ memory = "64K" }
m:load{ bytes = "\0\8\0\0\0\0\2\0", at = 0 }
m:load{ bytes = "\71\240\2\0", at = 512 } -- B 512
m:restart()
m:run()
EOF
start 80 24 tui "$work/endless.lua"
sees "paused"
keys c
sees "Ctrl-C stops"
keys C-c
sees "interrupted"
keys r
sees "step"
typed ':break class LPSW' # there is none: all of the way back is looked through
keys Enter R
sees "Ctrl-C stops"
keys C-c
sees "interrupted"
typed ':delete all'
keys Enter R
sees "begins here"
for signal in TERM HUP SEGV; do
    start 80 24 tui "$first"
    sees "paused"
    kill -$signal "$(program)"
    case $signal in
    SEGV) ended 139 ;;
    *) ended 0 ;;
    esac
    tries=0
    while [ ! -s "$work/stty" ] && [ $tries -lt 100 ]; do
        tries=$((tries + 1))
        sleep 0.05
    done
    grep -q ' echo ' "$work/stty" || fail "no echo after SIG$signal"
    grep -q ' icanon ' "$work/stty" || fail "no lines after SIG$signal"
    rm -f "$work/stty"
done

# It waits without using time.
start 80 24 tui "$first"
sees "paused"
before=$(awk '{ print $14 + $15 }' "/proc/$(program)/stat")
sleep 1
after=$(awk '{ print $14 + $15 }' "/proc/$(program)/stat")
[ $((after - before)) -le 1 ] || fail "idle, it used $((after - before)) ticks in a second"

# Terminals that can do less: no colours, none at all.
START_ENV="NO_COLOR=1"
start 80 24 tui "$first"
sees "paused"
START_ENV="TERM=vt100 LC_ALL=C"
start 80 24 tui "$first"
sees "+-1 code"
START_ENV="TERM=dumb"
start 80 24 tui "$first"
sees "L0 real: step 0"
typed "step 5"
keys Enter
sees "L0 real: step 5"
START_ENV="TERM=unheard-of"
start 80 24 tui "$first"
ended 2
grep -q 'the terminal "unheard-of" (TERM) is not known; --plain works on any' "$work/err" || fail "$(cat "$work/err")"
START_ENV=
expect 2 "$CLOUD370" tui "$first"
err_is "cloud370: tui: this is not a terminal; --plain works without one"
