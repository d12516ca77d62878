# Disks in files on a host that has no room: one line and exit status 2 where a scenario asked for it, an equipment check
# where a guest did, and nothing lost that was written before. And files that are no disks, or not whole.
. "$SOURCE_DIR/tests/support/shell.sh"
cd "$work"
cp "$SOURCE_DIR/scenarios/guests/nucleus.s" .

cat >make.lua <<'END'
local m = machine.new{ memory = "64K", disk = { file = "d.disk", keep = true, blocks = 1216 } }
END
cp make.lua write.lua
cat >>write.lua <<'END'
for pass = 1, 3 do
  for n = 0, 1215 do
    m.disk:write(n, "block " .. n)
  end
end
END
cp make.lua read.lua
cat >>read.lua <<'END'
print(m.disk:read(0):sub(1, 7), m.disk:read(1215):sub(1, 10))
END
cp make.lua guest.lua
cat >>guest.lua <<'END'
m:load(assemble.file("nucleus.s"))
m:restart()
m:run()
print(m.status, hex(m.psw.ia))
END

# limited BLOCKS FILE: runs a scenario that can make no file longer than BLOCKS (of 512 bytes, or 1024 in some shells).
limited() { (
    ulimit -f "$1"
    exec "$CLOUD370" run "$2"
); }

# No room for the file: it is not left behind, half made.
expect 2 limited 200 make.lua
grep -q 'machine.new: disk: d.disk: File too large' err || fail "another message: $(cat err)"
[ "$(wc -l <err)" -eq 1 ] || fail "more than one line: $(cat err)"
[ ! -e d.disk ] || fail "a file is left"

# Room for the file, and for a journal that is not much longer.
expect 2 limited 1300 write.lua
grep -q 'm.disk:write: the host cannot write block ' err || fail "another message: $(cat err)"
expect 0 "$CLOUD370" run read.lua
out_has 'block 0	block 1215'

# What a guest cannot write is an equipment check, and nucleus.s stops for it.
rm -f d.disk d.disk.journal
expect 0 limited 1300 guest.lua
out_has 'disabled-wait	0BAD02'

# Cut off: in the middle of a block it is no disk; behind one it is a smaller one, on which nucleus.s finds no blocks.
head -c 100000 d.disk >cut
cat cut >d.disk
expect 2 "$CLOUD370" run guest.lua
grep -q 'd.disk: 100000 bytes are not 1 to 16777216 blocks of 512 bytes' err || fail "another message: $(cat err)"
head -c 102400 cut >d.disk
expect 2 "$CLOUD370" run guest.lua
: >d.disk
expect 2 "$CLOUD370" run guest.lua
grep -q 'd.disk: 0 bytes are not 1 to 16777216 blocks' err || fail "another message: $(cat err)"
