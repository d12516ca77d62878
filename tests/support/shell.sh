# What shell tests share; each begins with: . "$SOURCE_DIR/tests/support/shell.sh"
# The environment is SOURCE_DIR, BUILD_DIR and CLOUD370 (the built program). The first line that goes wrong ends the
# test; exit status 77 means skipped. $work is a folder of the test's own.

set -eu
: "${SOURCE_DIR:?}" "${BUILD_DIR:?}" "${CLOUD370:?}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

skip() {
    echo "skipped: $*" >&2
    exit 77
}

# expect STATUS COMMAND...: runs it, its output in $work/out and $work/err.
expect() {
    wanted=$1
    shift
    status=0
    "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
    if [ "$status" -ne "$wanted" ]; then
        cat "$work/out" "$work/err" >&2
        fail "status $status instead of $wanted: $*"
    fi
}

# out_has TEXT, err_has TEXT, out_is TEXT, err_is TEXT: about the last expect.
has_text() {
    if ! grep -qF -- "$2" "$work/$1"; then
        cat "$work/out" "$work/err" >&2
        fail "no \"$2\" in $1"
    fi
}
is_text() {
    if [ "$(cat "$work/$1")" != "$2" ]; then
        cat "$work/out" "$work/err" >&2
        fail "$1 is not \"$2\""
    fi
}
out_has() { has_text out "$1"; }
err_has() { has_text err "$1"; }
out_is() { is_text out "$1"; }
err_is() { is_text err "$1"; }
