# The commands that the documentation shows do what it says. Two things are run:
#
#   blocks fenced with ```console: a line "$ COMMAND" is run, and the lines below it are its output; a line "..." stands
#   for any lines, and a last line "[exit N]" for an exit status that is not 0
#
#   commands in the tables of docs/course.md: `./cloud370 ...` in backticks; they end with status 0
#
# Commands of one page are run one after the other in one folder, which has the scenarios and, as ./cloud370, the program.
. "$SOURCE_DIR/tests/support/shell.sh"

[ -x "$CLOUD370" ] || skip "the program was not built"
mkdir "$work/bin"
ln -s "$CLOUD370" "$work/bin/cloud370"
PATH=$work/bin:$PATH
export PATH

# pages: the paths of all pages, from the root.
pages() {
    cd "$SOURCE_DIR"
    find . \( -name .git -o -name 'build*' \) -prune -o -name '*.md' -print | sed 's|^\./||' | sort
}

# commands PAGE: writes N.command, N.expected, N.status and N.line for each of its commands.
commands() {
    awk -v page="$1" '
        function begin(command) {
            n++
            print command > (n ".command")
            print NR > (n ".line")
            printf "" > (n ".expected")
            status[n] = 0
        }
        /^```/ && inside { inside = 0; next }
        /^```console$/ { inside = 1; next }
        inside && /^\$ / { begin(substr($0, 3)); next }
        inside && /^\[exit [0-9]+\]$/ { gsub(/[^0-9]/, ""); status[n] = $0; next }
        inside { print > (n ".expected"); next }
        page == "docs/course.md" && /^\|/ {
            parts = split($0, part, "`")
            for (i = 2; i <= parts; i += 2) {
                if (part[i] ~ /^\.\/cloud370 /) { begin(part[i]); print "..." > (n ".expected") }
            }
        }
        END { for (i = 1; i <= n; i++) print status[i] > (i ".status") }
    ' "$SOURCE_DIR/$1"
}

# like EXPECTED ACTUAL: whether they are the same, "..." in EXPECTED standing for any lines.
like() {
    awk '
        { sub(/[ \t\r]+$/, "") }
        NR == FNR { expected[++wanted] = $0; next }
        { actual[++lines] = $0 }
        function fits(from, to, at, k) {
            for (k = from; k <= to; k++) if (expected[k] != actual[at + k - from]) return 0
            return at + to - from <= lines
        }
        END {
            at = 1
            for (from = 1; from <= wanted; from = to + 1) {
                to = from
                if (expected[from] == "...") { anywhere = 1; continue }
                while (to < wanted && expected[to + 1] != "...") to++
                if (anywhere && to == wanted) { if (lines - (to - from) > at) at = lines - (to - from) }
                else while (anywhere && at <= lines && !fits(from, to, at)) at++
                if (!fits(from, to, at)) exit 1
                at += to - from + 1
                anywhere = 0
            }
            exit !(anywhere || at == lines + 1)
        }
    ' "$1" "$2"
}

bad=0
total=0
for page in $(pages); do
    folder=$work/$(echo "$page" | tr / _)
    mkdir "$folder" "$folder/tree"
    ln -s "$CLOUD370" "$folder/tree/cloud370"
    cp -r "$SOURCE_DIR/scenarios" "$folder/tree/"
    cd "$folder"
    commands "$page"
    n=1
    while [ -f "$folder/$n.command" ]; do
        cd "$folder/tree"
        status=0
        sh -c "$(cat "$folder/$n.command")" >"$folder/$n.actual" 2>&1 </dev/null || status=$?
        cd "$folder"
        total=$((total + 1))
        if [ "$status" -ne "$(cat $n.status)" ]; then
            bad=$((bad + 1))
            printf '%s:%s: %s: exit status %s instead of %s\n' "$page" "$(cat $n.line)" "$(cat $n.command)" "$status" \
                "$(cat $n.status)"
            cat $n.actual
        elif ! like $n.expected $n.actual; then
            bad=$((bad + 1))
            printf "%s:%s: %s: another output than the page's (-)\n" "$page" "$(cat $n.line)" "$(cat $n.command)"
            diff -u $n.expected $n.actual || true
        fi
        n=$((n + 1))
    done
done
echo "$total commands in the documentation, $bad of them not as it says"
[ "$total" -gt 0 ] || fail "no command was found"
[ "$bad" -eq 0 ]
