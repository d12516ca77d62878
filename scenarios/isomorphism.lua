-- isomorphism.lua: the map f from the states of a virtual machine to those of the machine below,
-- as data. Where each piece of a guest's state is, and the rings that it believes in; one piece
-- followed through three levels; the square f(e(S)) = e'(f(S)), held for each instruction, and
-- broken by a monitor that is wrong; and a disk write followed to the blocks of the real disk.
-- docs/isomorphism.md explains the words.
--
--     cloud370 run scenarios/isomorphism.lua

local nucleus = assemble.file("guests/nucleus.s")
local MEMORY = 64 << 10

local machines = 0
local function real_name()
  machines = machines + 1
  return "real-" .. machines
end

-- A machine with monitors in C on it, one on the other; each gives its guest a disk that begins
-- 100 blocks into its own.
local function tower(depth, kind)
  local sizes, blocks = { [depth] = MEMORY }, 2000
  for level = depth - 1, 0, -1 do
    sizes[level] = vmm.host_memory(sizes[level + 1])
  end
  local m = machine.new{ memory = sizes[0], disk = { blocks = blocks }, name = real_name() }
  local host = m
  for level = 1, depth do
    blocks = blocks - 100
    local v = vmm.new{ on = m, kind = kind }
    m = v:guest{ memory = sizes[level], disk = { first = 100, blocks = blocks } }
  end
  m:load(nucleus)
  m:restart()
  return m, host
end

-- The same under hypervisor.s, seen through the map that it publishes.
local function assembler()
  local m = machine.new{ memory = "280K", disk = { blocks = 2000 }, name = real_name() }
  m:load(assemble.file("guests/hypervisor.s"))
  local g = vmm.map{ on = m, memory = MEMORY, name = "guest-of-" .. m.name }
  g:load(nucleus)
  g:restart()
  return g, m
end

local function number(n)
  return n and ("%08X"):format(n & 0xFFFFFFFF) or "-"
end

-- 1. f, piece by piece, at a moment when the guest's system is at work, and believes that it is in
-- supervisor state.
local g, host = tower(1)
repeat
  g:run{ instructions = 501 }
until not g.psw.problem and not g.psw.wait
local SHOWN = { ["general register 1"] = true, ["PSW system mask"] = true, ["PSW problem state"] = true,
  ["PSW condition code"] = true, ["PSW instruction address"] = true, ["control register 1"] = true,
  ["TOD clock"] = true, ["CPU timer"] = true, ["interval timer"] = true, ["device 009"] = true, ["device 150"] = true }
local rows = { header = { "piece", "value", "where f has it", "stands there", "in the CPU" } }
local problem
for _, row in ipairs(vmm.f(g)) do
  if SHOWN[row.piece] then
    rows[#rows + 1] = { row.piece, number(row.value), row.where, number(row.stands), number(row.in_force) }
  end
  if row.kind == "problem state" then problem = row end
end
table_print(rows)
print()
check("the guest believes in supervisor state; the CPU is in problem state", 2, function()
  expect(problem.value).equals(0)
  expect(problem.in_force).equals(1)
end)

-- 2. The rings, and one word of storage, through three levels.
local deep = tower(3)
repeat
  deep:run{ instructions = 301 }
until not deep.psw.problem and not deep.psw.wait
print("\nThe state bit, 0 for supervisor, as each machine believes it to be:")
local m = deep
repeat
  local row = vmm.f(m, "problem state", 0)[1]
  print(("  level %d: %d, in %s"):format(row.level, row.value, row.where))
  m = m.host
until not m
print("\nThe word at 000300 of the innermost machine:")
local way = vmm.f(deep, "storage", 0x300, 4)
for _, row in ipairs(way) do
  print(("  level %d: %s, in %s"):format(row.level, number(row.value), row.where))
end
local register = vmm.f(assembler(), "general register", 5)
print("\nRegister 5 of a guest of hypervisor.s that has not begun: its VM block is storage, and has a place of its own.")
for _, row in ipairs(register) do
  print("  " .. row.piece .. ": " .. row.where)
end
print()
check("a piece is followed down to the real machine", 3, function()
  expect(#way).equals(4)
  expect(way[4].value).equals(way[1].value)
  expect(#register).equals(2)
end)

-- 3. The square. A bare machine does one instruction from the state S that the guest is in; the
-- host does what it does for that; f of the one must be the other.
local squares = { header = { "under", "steps", "held", "the last step" } }
local worlds = {
  { "a monitor", tower(1) }, { "two monitors", (tower(2)) }, { "a hybrid monitor", (tower(1, "hybrid")) },
  { "hypervisor.s", (assembler()) },
}
for _, world in ipairs(worlds) do
  local guest = world[2]
  guest:run{ instructions = 20000 }
  for _, steps in ipairs{ 1, 5000 } do -- all of storage is compared after the one; page by page in the run
    local q = vmm.square{ machine = guest, steps = steps }
    local last = q.last[#q.last]
    squares[#squares + 1] = { world[1], q.steps, tostring(q.held), last.text or last.interruption }
    check(("the square holds under %s, %s"):format(world[1], steps == 1 and "for one step" or "in a run"), 1, function()
      expect(q.what).equals("")
      expect(q.steps).equals(steps)
    end)
  end
end
table_print(squares)

-- A monitor that is wrong: hypervisor.s, whose LCTL does not store what it has loaded.
local wrong, below = assembler()
local at = assemble.file("guests/hypervisor.s").symbols.LCTLNEXT + 4
print("\nhypervisor.s, with its routine LCTL changed from " .. below:disassemble(at, 1)[1].text)
below:write(at, "\x58")
print("                                            to " .. below:disassemble(at, 1)[1].text)
local q = vmm.square{ machine = wrong, steps = 5000 }
print(("The square does not hold for the instruction %s:\n  %s"):format(q.last[#q.last].text, q.what))
print()
check("a monitor that is wrong breaks it, and the place is named", 4, function()
  expect(q.held).equals(false)
  expect(q.last[#q.last].text).contains("LCTL")
  expect(q.piece.kind).equals("control register")
  expect(q.place.place).equals("storage")
end)

-- 4. A disk write. The first page that nucleus.s writes out, under two monitors.
local guest, real = tower(2)
local follower = vmm.follow{ machine = guest, device = "150" }
repeat
  guest:run{ instructions = 500 }
until follower:last()
local write = follower:last()
print("\nA write of nucleus.s, as each machine gives it to its channel:")
for _, level in ipairs(write.levels) do
  print(("  %s: CCW at %s  %s  %s"):format(level.machine, hex(level.write.address), level.write.hex, level.write.text))
  print(("    its data at %s%s"):format(hex(level.pieces[1].address),
    #level.pieces > 1 and (" and %d more"):format(#level.pieces - 1) or ""))
  print(("    blocks %d to %d of its disk %03X"):format(level.first, level.first + level.blocks - 1, level.device))
end
local top, bottom = write.levels[1], write.levels[#write.levels]
print()
check("the bytes of the guest's page are on the real disk", 3, function()
  expect(bottom.machine).equals(real.name)
  expect(bottom.first).equals(top.first + 200)
  expect(real.disk:read(bottom.first) == write.bytes:sub(1, 512)).equals(true)
  expect(guest.disk:read(top.first) == write.bytes:sub(1, 512)).equals(true)
end)
