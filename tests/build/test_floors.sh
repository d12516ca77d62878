# The tower: an include that points upwards does not build, one that points downwards does; and any file that is put
# into a table of embedded files comes out as it was.
. "$SOURCE_DIR/tests/support/shell.sh"
command -v cc >/dev/null || skip "no C compiler"

tower="base mmu isa vmm scenarios ui"
mkdir "$work/tree"
cp -r "$SOURCE_DIR/cmake" "$SOURCE_DIR/CMakeLists.txt" "$SOURCE_DIR/LICENSE" "$SOURCE_DIR/CHANGELOG.md" "$work/tree"
cd "$work/tree"
mkdir docs isa isa/models scenarios scenarios/engine ui ui/cli base mmu vmm
cp "$SOURCE_DIR/isa/embedded.h" isa/
for floor in $tower; do
    echo "int ${floor}_answer(void);" >"$floor/$floor.h"
done
generator="Unix Makefiles"
command -v ninja >/dev/null && generator=Ninja
cmake -S . -B build -G "$generator" -DCMAKE_BUILD_TYPE=Debug >"$work/log" 2>&1 || fail "$(cat "$work/log")"
cmake --build build >"$work/log" 2>&1 || fail "empty floors: $(cat "$work/log")"

# place FLOOR: where this floor's sources are.
place() { [ "$1" = scenarios ] && echo scenarios/engine || echo "$1"; }

below=
for floor in $tower; do
    file=$(place "$floor")/probe.c
    echo "#include \"$floor/$floor.h\"" >"$file"
    for lower in $below; do
        echo "#include \"$lower/$lower.h\"" >>"$file"
    done
    below="$below $floor"
done
cmake --build build >"$work/log" 2>&1 || fail "downward includes: $(cat "$work/log")"

for pair in base:mmu mmu:isa isa:vmm vmm:scenarios scenarios:ui base:ui; do
    lower=${pair%:*}
    upper=${pair#*:}
    echo "#include \"$upper/$upper.h\"" >"$(place "$lower")/upward.c"
    if cmake --build build >"$work/log" 2>&1; then
        fail "$lower includes $upper, and builds"
    fi
    grep -q "$upper/$upper.h: No such file" "$work/log" || fail "$(cat "$work/log")"
    rm "$(place "$lower")/upward.c"
done

# Embedding: every byte but NUL, with all that CMake and C treat specially.
awk 'BEGIN { for (i = 1; i < 256; i++) printf "%c", i }' </dev/null >isa/models/bytes.model
printf ';;[a;b]${c}@d@\\\\ "\\" $ENV{HOME} ]]] [[ \\; %%s ??/ \n\n' >isa/models/awkward.name.model
: >isa/models/empty.model
cat >ui/cli/main.c <<'END'
#include <stdio.h>
#include <string.h>
#include "isa/embedded.h"
int main(int argc, char **argv) {
    for (size_t i = 0; argc > 1 && i < embedded_models_count; i++)
        if (strcmp(embedded_models[i].name, argv[1]) == 0)
            return fwrite(embedded_models[i].text, 1, embedded_models[i].length, stdout) != embedded_models[i].length
                   || embedded_models[i].text[embedded_models[i].length] != 0;
    if (argc > 1) return 9;
    printf("%zu\n", embedded_models_count);
    return embedded_models[embedded_models_count].name != NULL;
}
END
cmake --build build >"$work/log" 2>&1 || fail "embedding: $(cat "$work/log")"
expect 0 build/cloud370
out_is 3
for name in bytes awkward.name empty; do
    expect 0 build/cloud370 $name
    cmp "$work/out" isa/models/$name.model || fail "$name came out differently"
done

# A changed file, and a removed one.
echo changed >isa/models/empty.model
rm isa/models/bytes.model
cmake --build build >"$work/log" 2>&1 || fail "embedding again: $(cat "$work/log")"
expect 0 build/cloud370
out_is 2
expect 0 build/cloud370 empty
out_is changed
