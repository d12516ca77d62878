-- hypervisor.lua: a virtual machine monitor that one can read, guests/hypervisor.s, at work. First
-- its story, told by its labels: the way of single traps through it, and one trap instruction by
-- instruction. Then it runs itself, and is stacked with the monitor in C in any order; and it has
-- two guests at once.
--
--     cloud370 run scenarios/hypervisor.lua

local hypervisor = assemble.file("guests/hypervisor.s")
local walk = assemble.file("guests/walk.s")

-- 1. The story. The hypervisor is loaded like any program; vmm.map looks at its guest through the
-- map that it publishes in its page 0, so that the guest can be loaded, and be watched.
local m = machine.new{ memory = "280K", name = "real machine" }
m:load(hypervisor)
local g = vmm.map{ on = m, guest = 0, memory = "64K", name = "its guest" }
g:load(walk)
g:restart()

-- The labels at which it decides. Some are the beginning of a routine that has another name as well.
local LABELS = { "HVTRAP", "SVCINT", "EXTINT", "IOINT", "HVSIM", "HVREFL", "HVFILL", "HVPURGE", "HVDISP", "HVRUN", "HVIDLE", "HVSTOP" }
local name_of = {}
for _, label in ipairs(LABELS) do
  name_of[hypervisor.symbols[label]] = label
end

-- Runs to the next interruption of the real machine, then step by step until a guest has control
-- again: the labels on the way, each with the instructions and cycles passed since the trap.
local function follow()
  m:run{ until_trap = true }
  local trap = { way = {}, at = m:word(44) & 0xFFFFFF } -- from the program old PSW
  local before = m:stats()
  while not m.psw.problem and not m.psw.wait do
    local label = name_of[m.psw.ia]
    if label then
      local now = m:stats()
      trap.way[#trap.way + 1] = { label = label, instructions = now.instructions - before.instructions,
                                  cycles = now.cycles - before.cycles }
    end
    m:run{ instructions = 1 }
  end
  local now = m:stats()
  trap.instructions = now.instructions - before.instructions
  trap.cycles = now.cycles - before.cycles
  local code, length = m:word(140) & 0xFFFF, m:word(140) >> 16
  if trap.way[1].label == "SVCINT" then
    trap.at = (m:word(36) & 0xFFFFFF) - 2
  elseif code ~= 16 and code ~= 17 then -- these alone are told at the instruction, not behind it
    trap.at = trap.at - length
  end
  return trap
end

local traps, rows = {}, { header = { "at", "the guest's instruction", "its way through hypervisor.s", "instructions", "cycles" } }
m:run{ until_address = hypervisor.symbols.HVRUN } -- it has made its guest, and starts it
while #traps < 40 do
  local trap = follow()
  while trap.way[1].label ~= "HVTRAP" and trap.way[1].label ~= "SVCINT" do trap = follow() end -- of devices
  local labels = {}
  for i, step in ipairs(trap.way) do labels[i] = step.label end
  trap.text = g:disassemble(trap.at, 1)[1].text:gsub("%s+", " ")
  trap.labels = table.concat(labels, " ")
  traps[#traps + 1] = trap
  if #traps <= 12 then
    rows[#rows + 1] = { hex(trap.at), trap.text, trap.labels, trap.instructions, trap.cycles }
  end
end
print("The first traps of walk.s, in its hypervisor:\n")
table_print(rows)
print([[

HVFILL: a page that its shadow tables have not. HVSIM: what only a supervisor may do, and the guest
believes that it is one. HVREFL: the guest's own affair; it gets the interruption. All of them lead
to HVDISP, where it is decided who runs, and to HVRUN, which gives control away.
]])

local told
for _, trap in ipairs(traps) do
  if not told and trap.labels:find("HVSIM") then told = trap end
end
print(string.format("One of them in detail: %s at %s\n", told.text, hex(told.at)))
for i, step in ipairs(told.way) do
  local next = told.way[i + 1] or told
  print(string.format("  %-8s %4d instructions, %5d cycles", step.label, next.instructions - step.instructions,
                      next.cycles - step.cycles))
end
print()

local function ways(label)
  local n = 0
  for _, trap in ipairs(traps) do
    if trap.labels:find(label, 1, true) then n = n + 1 end
  end
  return n
end
check("every trap ends where it is decided who runs", 1, function()
  for _, trap in ipairs(traps) do
    expect(trap.labels).matches("HVDISP")
    expect(trap.labels).matches(trap.labels:find("HVIDLE") and "HVIDLE$" or "HVRUN$")
  end
end)
check("traps are interpreted, filled, or reflected", 2, function()
  expect(ways("HVSIM")).at_least(5)
  expect(ways("HVFILL")).at_least(3)
  expect(ways("HVREFL")).at_least(3)
  for _, trap in ipairs(traps) do
    expect(trap.labels:find("HVSIM") or trap.labels:find("HVFILL") or trap.labels:find("HVREFL")).not_.is_nil()
  end
end)
g:run()

-- 2. Any order. A is hypervisor.s, C the monitor in C; the first one has the real machine.
local ROOM = { A = 216, C = 192 } -- KB that each needs besides its guest
local function stack(order, image, disk)
  local size = 64
  for kind in order:gmatch(".") do size = size + ROOM[kind] end
  local machine_ = machine.new{ memory = size .. "K", disk = disk and { blocks = 1216 } }
  for kind in order:gmatch(".") do
    size = size - ROOM[kind]
    if kind == "A" then
      machine_:load(hypervisor)
      machine_ = vmm.map{ on = machine_, memory = size .. "K" }
    else
      machine_ = vmm.new{ on = machine_ }:guest{ memory = size .. "K", disk = disk and { first = 0 } }
    end
  end
  machine_:load(image)
  machine_:restart()
  machine_:run()
  return machine_
end

local function busy(machine_)
  local cycles = 0
  for _, level in ipairs(machine_:account()) do cycles = cycles + level.all - level.idle end
  return cycles
end

local bare = stack("", walk)
local guests = {}
rows = { header = { "order", "instructions of the guest", "traps of the lowest", "of the highest", "busy cycles" } }
rows[1] = { "bare", bare:stats().instructions, 0, 0, busy(bare) }
for _, order in ipairs{ "A", "C", "AA", "CA", "AC", "CC", "AAA", "CAC", "ACA" } do
  local machine_ = stack(order, walk)
  local stats = machine_:stats()
  guests[#guests + 1] = machine_
  rows[#rows + 1] = { order, stats.instructions, stats.levels[1].traps, stats.levels[#stats.levels].traps, busy(machine_) }
end
print("walk.s in stacks of hypervisor.s (A) and the monitor in C (C), from the real machine upward:\n")
table_print(rows)
print()
check("the guest cannot tell", 4, function()
  for _, machine_ in ipairs(guests) do
    expect(machine_.console:text()).equals(bare.console:text())
    expect(machine_:stats().instructions).equals(bare:stats().instructions)
    expect(machine_:stats().interruptions).equals(bare:stats().interruptions)
    expect(machine_.psw.hex).equals(bare.psw.hex)
  end
end)
check("every cycle is on somebody's account", 1, function()
  for _, machine_ in ipairs(guests) do
    local sum = 0
    for _, level in ipairs(machine_:account()) do sum = sum + level.all end
    expect(sum).equals(machine_:stats().cycles)
  end
end)
check("nucleus.s, an operating system, writes the same in it", 2, function()
  local nucleus = assemble.file("guests/nucleus.s")
  expect(stack("A", nucleus, true).console:text()).equals(stack("", nucleus, true).console:text())
end)

-- 3. Two guests, which share the typewriter in turns, line by line.
local host = machine.new{ memory = "1M" }
host:load(hypervisor)
local primes = assemble.file("guests/primes.s")
local a = vmm.map{ on = host, guest = 0, memory = "64K", name = "one guest" }
local b = vmm.map{ on = host, guest = 1, memory = "64K", name = "another" }
a:load(primes)
b:load(walk)
host:restart()
host:run()
local function lines(text)
  local list = {}
  for line in text:gmatch("[^\n]+") do list[#list + 1] = line end
  table.sort(list)
  return list
end
check("two guests at once do what each does alone", 2, function()
  local alone = stack("", primes)
  expect(a:stats().instructions).equals(alone:stats().instructions)
  expect(b:stats().instructions).equals(bare:stats().instructions)
  expect(lines(host.console:text())).equals(lines(alone.console:text() .. bare.console:text()))
  expect(a.status).equals("disabled-wait")
  expect(hex(host.psw.ia)).equals("00D09E")
end)
