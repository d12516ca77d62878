#!/bin/sh
# Takes the pictures of docs/tui.md: screens.sh PROGRAM FOLDER
#
# Each docs/generate/NAME.screen is a file of commands, whose first line says what is run and how large the screen is:
#     # scenarios/first.lua 120x40 [OPTION]...
# and becomes FOLDER/NAME.svg. The test docs/screens.sh compares them with those in the source tree.
set -eu
program=$1
folder=$2
source=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
for file in "$source"/docs/generate/*.screen; do
    name=$(basename "$file" .screen)
    # shellcheck disable=SC2046
    set -- $(sed -n '1s/^# //p' "$file")
    scenario=$1
    size=$2
    shift 2
    { cat "$file" && echo "shot $name.svg" && echo quit; } >"$folder/$name.commands"
    (cd "$folder" && "$program" tui "$source/$scenario" --size "$size" --replay "$name.commands" "$@")
    rm "$folder/$name.commands"
done
