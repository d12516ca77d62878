local m = machine.new{memory = "64K", nominal = true, name = "m", model = "flat"}
m:load{bytes = "\0\8\0\0\0\0\2\0"} m:write(0x200, "\x0A\7\x47\xF0\2\0") m:restart()
m:on("interruption", function(e) print(e.class) end)
m:run{instructions = 100, cycles = 100, until_trap = true, until_address = 0x204}
m.gpr[1] = m.cr[0] + 1 m.psw = "000A000000000ACE" print(m.psw, m:walk(0).result, m:key(0).value, m:stats().cycles)
print(m:disassemble(0x200, 3)[1].text, m.console:text(), m:account()[1].all, m:word(4)) m.console:type("x") m:raise("attention") m:close()
