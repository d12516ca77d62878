# Proofs by cbmc, for the scripts of tests/proofs, after shell.sh. docs/proofs.md tells how to read what they print.
#
#     CLOUD370_PROOF_BOUND    larger bounds than the scripts' own, by hand: the number that bound() is to set

command -v cbmc >/dev/null || skip "cbmc is not installed"

# Every flag is given, since what is checked without any differs between versions. Assignments that no claim depends on
# are left out.
checks="--unwinding-assertions --bounds-check --pointer-check --div-by-zero-check --signed-overflow-check
    --undefined-shift-check"

# harness FILE UNWIND SOURCES...: what the proofs that follow are about; and how often loops are unrolled at most, as
# "N [LOOP:N,...]": all of them, and single ones. That this is often enough is proved, too.
harness() {
    harness=$1
    unwind=${2%% *}
    loops=${2#"$unwind"}
    shift 2
    sources=$*
}

# bound FILE NAME NUMBER: in a copy of the file the constant is set to that number, or to CLOUD370_PROOF_BOUND.
bound() {
    mkdir -p "$work/bound/$(dirname "$1")"
    sed "s/^\(.*\b$2 = \)[0-9]*\b/\1${CLOUD370_PROOF_BOUND:-$3}/" "$SOURCE_DIR/$1" >"$work/bound/$1"
    grep -q "\b$2 = ${CLOUD370_PROOF_BOUND:-$3}\b" "$work/bound/$1" || fail "no $2 in $1"
    bound=", $2 = ${CLOUD370_PROOF_BOUND:-$3}"
    [ "${CLOUD370_PROOF_BOUND:-0}" -lt "$unwind" ] || unwind=$((CLOUD370_PROOF_BOUND + 1))
}
bound=

# run_cbmc FUNCTION OPTIONS...: its status; what it prints is in $work/out. Copies in $work/mutant and $work/bound are
# taken instead of the source's files.
run_cbmc() {
    function=$1
    shift
    files=$harness
    for source in $sources; do
        for tree in "$work/mutant" "$work/bound" "$SOURCE_DIR"; do
            [ ! -e "$tree/$source" ] || break
        done
        files="$files $tree/$source"
    done
    begun=$(date +%s)
    status=0
    # shellcheck disable=SC2086  # words on purpose
    (cd "$SOURCE_DIR" && cbmc -I "$work/mutant" -I "$work/bound" -I . $files --function "$function" \
        --unwind "$unwind" ${loops:+--unwindset $loops} --object-bits 12 --drop-unused-functions --slice-formula "$@") >"$work/out" 2>&1 || status=$?
    seconds=$(($(date +%s) - begun))
}

# The values that the harness shows, in hexadecimal, and the claim that they contradict.
counterexample() {
    awk '
        /^ *OUTPUT / {
            name = $0
            sub(/^ *OUTPUT /, "", name)
            sub(/: [^:]*$/, "", name)
            value = $0
            if (!sub(/^.*\(0x/, "", value)) next
            sub(/\).*$/, "", value)
            if (!(name in values)) names[++n] = name
            values[name] = value
        }
        /^Violated property:/ { violated = NR }
        violated && NR == violated + 2 {
            sub(/^ */, "")
            for (i = 1; i <= n; i++) printf "    %-40s %s\n", names[i], values[names[i]]
            print "    contradicts: " $0
            exit
        }
    ' "$work/out"
}

# prove FUNCTION: it holds.
prove() {
    # shellcheck disable=SC2086
    run_cbmc "$1" $checks
    if [ "$status" -eq 10 ]; then
        run_cbmc "$1" --trace --trace-hex --stop-on-fail
        counterexample
        fail "$1 does not hold$bound"
    fi
    if [ "$status" -ne 0 ] || ! grep -q '^VERIFICATION SUCCESSFUL' "$work/out"; then
        tail -n 20 "$work/out" >&2
        fail "cbmc ends with status $status: $1"
    fi
    echo "proved:  $1$bound ($seconds s)"
}

# refute FUNCTION FILE COMMAND: it does not hold any more when the file is changed by this command of sed. Shows why. Where
# the harness has a value for any_or, only that is tried.
refute() {
    from=$SOURCE_DIR/$2
    [ ! -e "$work/bound/$2" ] || from=$work/bound/$2
    mkdir -p "$work/mutant/$(dirname "$2")"
    sed "$3" "$from" >"$work/mutant/$2"
    ! cmp -s "$from" "$work/mutant/$2" || fail "nothing to change in $2: $3"
    run_cbmc "$1" -D REFUTED --trace --trace-hex --stop-on-fail
    if [ "$status" -ne 10 ] || grep -q '^ *unwinding assertion' "$work/out"; then
        tail -n 20 "$work/out" >&2
        fail "cbmc ends with status $status: $1, with $2 changed by $3"
    fi
    echo "refuted: $1, with $2 changed by $3 ($seconds s)"
    counterexample
    rm -rf "$work/mutant"
}
