# The reference monitor stands on vmm/module.h and nothing else: by what it includes, and by what it calls. So anything that
# it does, a monitor in a process of its own can do.
. "$SOURCE_DIR/tests/support/shell.sh"
command -v cc >/dev/null || skip "no C compiler"
command -v nm >/dev/null || skip "no nm"

cd "$SOURCE_DIR/vmm/reference"
grep -H '^#include' ./*.c | grep -v -e '"vmm/reference/reference.h"' -e '<std[a-z]*\.h>' >"$work/includes" || true
[ ! -s "$work/includes" ] || fail "included beside vmm/module.h: $(cat "$work/includes")"
[ "$(grep -c '^#include' reference.h)" = 1 ] && grep -q '^#include "vmm/module.h"' reference.h ||
    fail "reference.h includes more than vmm/module.h"

# Calls of the interface, pure functions that every module links with, and the C library.
for source in *.c; do
    cc -std=gnu11 -fno-pie -fno-pic -I"$SOURCE_DIR" -c "$source" -o "$work/${source%.c}.o" || fail "$source does not stand by itself"
done
nm -g --defined-only "$work"/*.o | sed -n 's/.* [A-Z] //p' | sort -u >"$work/defined"
nm -u "$work"/*.o | sed -n 's/.* U //p' | sort -u | comm -23 - "$work/defined" |
    grep -v -x -e 'monitor_[a-z_]*' -e 'psw_[a-z]*' -e 'dat_[a-z]*' -e 'instruction_[a-z]*' -e 'interruption_name' -e 'error_set' -e 'archive_[a-z0-9_]*' \
        -e 'window_[a-z]*' -e 'mem[a-z]*' -e 'calloc' -e 'free' -e '__.*' -e '_GLOBAL_.*' >"$work/called" || true
[ ! -s "$work/called" ] || fail "called beside vmm/module.h: $(cat "$work/called")"
# A monitor keeps nothing outside what `create` returned.
nm "$work"/*.o | grep -E ' [bBdDC] ' >"$work/kept" || true
[ ! -s "$work/kept" ] || fail "kept outside the monitor's own: $(cat "$work/kept")"
