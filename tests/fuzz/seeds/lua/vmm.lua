local m = machine.new{memory = "1M"} local v = vmm.new{on = m, kind = "trap-and-emulate"}
local g = v:guest{memory = "64K"} g:load(assemble.string([[
A        START 0
         DC    X'0008000000000200'
         ORG   A+X'200'
         LA    1,5
         LPSW  X'208'
         DC    X'000A000000000ACE'
         END
]], "a.s")) g:restart() print(g:run().status, v:stats().traps, v:frame(0), v:guests()[1] == g, g.host == m)
