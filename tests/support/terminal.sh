# Tests that drive the real program on a real terminal, in tmux, and read the screen. After tests/support/shell.sh.

command -v tmux >/dev/null 2>&1 || skip "no tmux"
locale -a 2>/dev/null | grep -qi '^c\.utf-\?8$' || skip "no UTF-8 locale"
unset TMUX NO_COLOR
LC_ALL=C.UTF-8
export LC_ALL
terminals=0
terminal="tmux -L cloud370-$$-$terminals -f /dev/null"
trap '$terminal kill-server 2>/dev/null || true; rm -rf "$work"' EXIT

# start WIDTH HEIGHT ARGUMENTS...: the program in a new terminal of that size; when it has ended its status is in
# $work/status. The terminal's type and more of the environment: START_ENV.
start() {
    start_width=$1
    start_height=$2
    shift 2
    $terminal kill-server 2>/dev/null || true
    terminals=$((terminals + 1)) # a server that was told to end may not have ended yet
    terminal="tmux -L cloud370-$$-$terminals -f /dev/null"
    rm -f "$work/status"
    $terminal new-session -d -s t -x "$start_width" -y "$start_height" \
        "env ${START_ENV:-} $CLOUD370 $* 2>$work/err; echo \$? >$work/status; exec sh -c 'stty -a >$work/stty; sleep 600'"
}

# The screen, as text, in $work/screen.
screen() { $terminal capture-pane -t t -p >"$work/screen"; }

# keys KEY...: as tmux names them. Each is waited for: the screen is still when a key has done its work.
keys() {
    for pressed in "$@"; do
        $terminal send-keys -t t "$pressed"
    done
}

# typed TEXT: literally.
typed() { $terminal send-keys -t t -l "$1"; }

# sees TEXT: within five seconds the screen has it.
sees() {
    tries=0
    screen
    while ! grep -qF -- "$1" "$work/screen"; do
        tries=$((tries + 1))
        if [ $tries -gt 100 ]; then
            cat "$work/screen" >&2
            fail "the screen does not show \"$1\""
        fi
        sleep 0.05
        screen
    done
}

# sees_not TEXT: the screen has not, or no more within five seconds.
sees_not() {
    tries=0
    screen
    while grep -qF -- "$1" "$work/screen"; do
        tries=$((tries + 1))
        if [ $tries -gt 100 ]; then
            cat "$work/screen" >&2
            fail "the screen still shows \"$1\""
        fi
        sleep 0.05
        screen
    done
}

# ended STATUS: the program ends within ten seconds, with this status.
ended() {
    tries=0
    while [ ! -s "$work/status" ]; do
        tries=$((tries + 1))
        [ $tries -le 200 ] || fail "the program does not end"
        sleep 0.05
    done
    [ "$(cat "$work/status")" = "$1" ] || fail "it ended with $(cat "$work/status") instead of $1: $(cat "$work/err")"
}

# The process of the program, for signals and times.
program() { pgrep -P "$($terminal display-message -p -t t '#{pane_pid}')" | head -n 1; }
