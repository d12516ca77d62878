-- history.lua: time backwards. A program crashes long after the mistake that is the cause. Its
-- history is kept, so the way leads back: from the crash to the jump, and from there to the store
-- that spoiled the address. Then the same in the middle of a virtual machine: a clone goes another
-- way, and a snapshot brings back the state that was saved. At last back across a trap of a
-- hypervisor that is a program itself.
--
--     cloud370 run scenarios/history.lua             (writes no file)
--     cloud370 run scenarios/history.lua -- save     (saves and restores history.snap, too)

local source = [[
G        CSECT
         USING G,0
         DC    X'0008000000000200'     RESTART: BEGIN AT 200
         ORG   G+104
         DC    X'000A00000000DEAD'     PROGRAM INTERRUPTION: STOP
         ORG   G+X'200'
START    LA    2,TABLE
         SR    3,3
         LA    4,ENTRIES
CLEAR    ST    3,0(,2)                 CLEAR THE TABLE
         LA    2,4(,2)
         BCT   4,CLEAR
         LA    4,2000                  A LONG TIME
WORK     AR    3,4
         BCT   4,WORK
         L     5,HANDLER               AND NOW WHERE TO?
         BR    5
DONE     LPSW  STOP
ENTRIES  EQU   9                       THE MISTAKE: THERE ARE 8
         DS    0D
STOP     DC    X'000A00000000C0DE'
TABLE    DS    8F
HANDLER  DC    A(DONE)
         END   START
]]
local image = assemble.string(source, "crash.s")
local HANDLER, START = image.symbols.HANDLER, image.symbols.START

local function at(m) -- the instruction that is next
  local i = m:disassemble(m.psw.ia, 1)[1]
  return hex(i.address) .. "  " .. i.text
end

-- 1. The crash. m:record() keeps the history from here on.
local m = machine.new{ memory = "64K" }
m:load(image)
m:restart()
m:record()
local stop = m:run()
print("It stops at " .. hex(stop.address) .. ", after " .. grouped(m:stats().instructions) .. " instructions:")
print("somebody has jumped to where no program is.")

-- 2. Back: m:back(n) takes back n steps of this machine, instructions and interruptions: the
-- interruption (what it ended was never done), and the jump.
m:back(2)
local jump = at(m)
local target = m.gpr[5]
print("\nTwo steps before: " .. jump .. ", with register 5 = " .. hex(target))
print("HANDLER is the source of that: " .. hex(m:word(HANDLER)) .. ", and should be " .. hex(image.symbols.DONE))

-- 3. Who stored there? The word is right at the beginning and wrong here: halve the way between.
local low, high, looks = m:history().first, m.position, 0
while high - low > 1 do
  local middle = (low + high) // 2
  m:go(middle)
  if m:word(HANDLER) == image.symbols.DONE then
    low = middle
  else
    high = middle
  end
  looks = looks + 1
end
m:go(low)
local culprit = at(m)
print("\nIt was, found in " .. looks .. " looks at the past:  " .. culprit)
print("with register 2 = " .. hex(m.gpr[2]) .. " and " .. m.gpr[4] .. " entry left to clear, after 8 were")

check("the jump went to 0", 1, function()
  expect(jump).contains("BCR")
  expect(target).equals(0)
end)
check("the store that did it is found", 2, function()
  expect(m.psw.ia).equals(image.symbols.CLEAR)
  expect(m.gpr[2]).equals(HANDLER)
  expect(m.gpr[4]).equals(1)
end)

-- 4. Another future: what comes after this moment is forgotten as soon as something is changed.
m.gpr[4] = 1
m:write(HANDLER, "\0\0" .. string.pack(">I2", image.symbols.DONE))
m.psw = "00080000" .. string.format("%08X", image.symbols.CLEAR + 12) -- past the loop
stop = m:run()
check("without that store it ends well", 1, function()
  expect(stop.address).equals(0xC0DE)
end)

-- 5. Under a monitor the same functions take the whole tree along: the machine, its monitor, the
-- guest. A clone is a second tree in the same state.
local nucleus = assemble.file("guests/nucleus.s")
local host = machine.new{ memory = "512K" }
local g = vmm.new{ on = host }:guest{ memory = "64K", disk = { blocks = 1216 } }
g:load(nucleus)
g:restart()
g:record()
g:run{ instructions = 200000 }
local copy = g:clone()
copy:run()
g:run()
print("\nThe guest and its clone: " .. hex(g.psw.ia) .. " and " .. hex(copy.psw.ia) .. ", " ..
      grouped(g:stats().instructions) .. " and " .. grouped(copy:stats().instructions) .. " instructions")
check("a clone goes the same way", 1, function()
  expect(copy:stats()).equals(g:stats())
  expect(copy.console:text()).equals(g.console:text())
  expect(copy:read(0, 0x10000) == g:read(0, 0x10000)).is_true()
end)

-- The last interruption of the guest: m:back_to_trap goes back to the moment just after it.
g:back_to_trap()
print("The guest's last interruption before it stopped led to " .. at(g))
g:go(g:history().last)

local text, instructions = g.console:text(), g:stats().instructions
g:back(100000)
check("100,000 steps back, and forward again", 1, function()
  expect(g:stats().instructions).at_most(instructions - 50000)
  g:go(g:history().last)
  expect(g.console:text()).equals(text)
  expect(g:stats().instructions).equals(instructions)
end)

-- 6. guests/hypervisor.s is a hypervisor in assembler, whose guest is seen through the map that it
-- publishes. One instruction of the guest that traps is many of the hypervisor: one step back, or many.
local real = machine.new{ memory = "280K" }
real:load(assemble.file("guests/hypervisor.s"))
local walk = vmm.map{ on = real, memory = "64K" }
walk:load(assemble.file("guests/walk.s"))
walk:restart()
walk:record()
walk:run{ until_address = 0x204 }
local before, trapping = walk.position, at(walk)
local done, seen = real:stats().instructions, walk:stats()
walk:run{ instructions = 1 }
local after, trap = walk.position, real:stats().instructions - done
print("\nIn the guest of hypervisor.s:  " .. trapping)
print("That is 1 instruction of the guest, and " .. trap .. " of the hypervisor")
local cycles = real:account()[1].all
walk:back()
check("one step back is the whole trap", 2, function()
  expect(walk.position).equals(before)
  expect(at(walk)).equals(trapping)
  expect(walk:stats()).equals(seen)
end)
real:go(after)
real:back(trap // 2)
print("Half of them back, it is the hypervisor that runs, at " .. at(real))
local clone = real:clone() -- in the middle of the trap
real:go(after)
clone:run{ instructions = trap // 2 }
check("in the middle of the trap it can be copied, and goes on", 2, function()
  expect(clone.position).equals(real.position)
  expect(clone.psw.hex).equals(real.psw.hex)
  expect(clone:account()[1].all).equals(cycles)
end)

-- 7. The same by a file, if it may be written.
if args[1] == "save" then
  copy = g:clone()
  g:back(50000)
  local then_ = g:stats().instructions
  g:save("history.snap")
  copy:restore("history.snap")
  check("a snapshot is restored into the clone", 1, function()
    expect(copy:stats().instructions).equals(then_)
    copy:run()
    expect(copy.console:text()).equals(text)
  end)
end
