# Every relative link of every page leads to a file that is there, and #anchors in it to a heading; docs/README.md has a
# link to every page in docs/.
. "$SOURCE_DIR/tests/support/shell.sh"
cd "$SOURCE_DIR"

# links PAGE: "LINE TARGET" for each link outside of blocks of code and `code`.
links() {
    awk '
        /^```/ { inside = !inside; next }
        inside || /^    / { next }
        {
            gsub(/`[^`]*`/, "")
            while (match($0, /\]\([^)]*\)/)) {
                print NR, substr($0, RSTART + 2, RLENGTH - 3)
                $0 = substr($0, RSTART + RLENGTH)
            }
        }
    ' "$1"
}

# anchors PAGE: the names of its headings, as the forges make them.
anchors() {
    awk '
        /^```/ { inside = !inside; next }
        !inside && /^#+ / {
            sub(/^#+ +/, "")
            $0 = tolower($0)
            gsub(/[^a-z0-9 _-]/, "")
            gsub(/ /, "-")
            print
        }
    ' "$1"
}

bad=0
total=0
for page in $(find . \( -name .git -o -name 'build*' \) -prune -o -name '*.md' -print | sed 's|^\./||' | sort); do
    links "$page" >"$work/links"
    while read -r line target; do
        case $target in
        http://* | https://* | mailto:*) continue ;;
        esac
        total=$((total + 1))
        file=${target%%#*}
        case $page in
        */*) file=${file:+${page%/*}/$file} ;;
        esac
        file=${file:-$page}
        if [ ! -e "$file" ]; then
            echo "$page:$line: there is no $file"
            bad=$((bad + 1))
            continue
        fi
        case $target in
        *#*) anchors "$file" | grep -qxF -- "${target#*#}" || {
            echo "$page:$line: $file has no heading #${target#*#}"
            bad=$((bad + 1))
        } ;;
        esac
    done <"$work/links"
done
links docs/README.md >"$work/links"
for page in docs/*.md; do
    [ "$page" = docs/README.md ] || grep -q " ${page#docs/}\$" "$work/links" || {
        echo "docs/README.md: no link to $page"
        bad=$((bad + 1))
    }
done
echo "$total links, $bad things wrong"
[ "$bad" -eq 0 ]
