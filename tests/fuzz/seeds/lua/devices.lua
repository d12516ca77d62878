local m = machine.new{memory = "64K", disk = {blocks = 9}, cards = {"A", "B", eof = true}, channels = "architecture"}
m.reader:load{bytes = ("\0\2\0\0\0\0\x12\x34\2\0\5\0\x20\0\0\x50"):rep(5)}
m:ipl("00C", {clear = true}) m:run{instructions = 100}
m.disk:write(1, "abc") print(m.disk:read(0, 2):sub(500, 520), m.reader.cards, m.disk.blocks)
m.printer:form{lines = 4, holes = {[1] = 1}} m.console:type("x") m.console:cancel()
m:attention() m:interrupt_key() print(#m.printer:pages(), m:path(5)[1].real)
