-- nesting.lua: monitors on monitors, and several guests of one monitor. First the same guest
-- under none to four monitors, each the guest of the one before: what one of its traps costs
-- at each level. Then four guests that share a machine and its disk by time slices.
--
--     cloud370 run scenarios/nesting.lua

-- 1. A tower. vmm.new puts a monitor on any machine, bare or virtual.
local walk = assemble.file("guests/walk.s")
local DEPTH = 4

local function tower(depth)
  local sizes = { [depth] = 64 << 10 } -- the guest's; each machine below needs more
  for level = depth - 1, 0, -1 do
    sizes[level] = vmm.host_memory(sizes[level + 1])
  end
  local m = machine.new{ memory = sizes[0], nominal = true, name = depth .. "-bare" }
  for level = 1, depth do
    m = vmm.new{ on = m }:guest{ memory = sizes[level], name = depth .. "-" .. level }
  end
  m:load(walk)
  m:restart()
  return m, m:run{ instructions = 1e6 }
end

-- Cycles in which the machine did something, and not only waited for the typewriter.
local function busy(m)
  local cycles = 0
  for _, level in ipairs(m:account()) do
    cycles = cycles + level.all - level.idle
  end
  return cycles
end

local guests, header = {}, { "monitors", "busy cycles" }
for level = 1, DEPTH do
  header[#header + 1] = "traps of monitor " .. level
end
local rows = { header = header }
for depth = 0, DEPTH do
  local g = tower(depth)
  local row = { depth, busy(g) }
  for level, stats in ipairs(g:stats().levels) do
    row[level + 2] = stats.traps
  end
  rows[#rows + 1] = row
  guests[depth] = g
end
table_print(rows)
print([[

Read a column downward: a monitor that gets another one as its guest has to interpret each of
its privileged instructions, and to reflect each of its guest's traps to it.
]])

check("the guest finds the same at every depth", 4, function()
  for depth = 1, DEPTH do
    local g, bare = guests[depth], guests[0]
    expect(g.console:text()).equals(bare.console:text())
    expect(g:stats().instructions).equals(bare:stats().instructions)
    expect(g:stats().interruptions).equals(bare:stats().interruptions)
    expect(g:read(0x200, 0xFE00)).equals(bare:read(0x200, 0xFE00))
  end
end)
check("the uppermost monitor has the same work, whatever is below", 2, function()
  local first = guests[1]:stats().levels[1].traps
  for depth = 2, DEPTH do
    expect(guests[depth]:stats().levels[depth].traps).equals(first)
  end
end)
check("every cycle is on somebody's account", 1, function()
  local sum = 0
  for _, level in ipairs(guests[DEPTH]:account()) do
    sum = sum + level.all
  end
  expect(sum).equals(guests[DEPTH]:stats().cycles)
end)

-- 2. Where a byte of the guest is, level by level.
print(("Real address 002000 of the guest under %d monitors:"):format(DEPTH))
local path = guests[DEPTH]:path(0x2000)
for _, place in ipairs(path) do
  print(("    %-8s %s"):format(place.machine, hex(place.real)))
end
print()
check("it is the same byte at every level", 1, function()
  expect(#path).equals(DEPTH + 1)
  local m = guests[DEPTH]
  for _, place in ipairs(path) do
    expect(m:read(place.real, 64)).equals(guests[DEPTH]:read(0x2000, 64))
    m = m.host
  end
end)

-- 3. Four guests of one monitor: two operating systems with demand paging, which have a part
-- of the host's disk each; one program that only computes; and a system of the 1960s, in BC
-- mode, whose operator is typing.
local BLOCKS = 1216 -- that nucleus.s needs
local host = machine.new{ memory = "1M", disk = { blocks = 2 * BLOCKS }, name = "host" }
local monitor = vmm.new{ on = host, slice = 20000 }
local nucleus = assemble.file("guests/nucleus.s")

local function guest(name, file, options)
  options.name = name
  local g = monitor:guest(options)
  g:load(file)
  g:restart()
  return g
end
local red = guest("red", nucleus, { memory = "96K", disk = { first = 0, blocks = BLOCKS } })
local blue = guest("blue", nucleus, { memory = "96K", disk = { first = BLOCKS, blocks = BLOCKS } })
local primes = guest("primes", assemble.file("guests/primes.s"), { memory = "64K" })
local typist = guest("typist", assemble.file("guests/monitor.s"), { memory = "64K" })
for _, line in ipairs{ "E HELLO", "D 80 4", "Q" } do
  typist.console:type(line)
end

local all = { red, blue, primes, typist }
local order = {}
host:on("stop", function(e)
  if e.machine ~= "host" then
    order[#order + 1] = e.machine
  end
end)
for _, g in ipairs(all) do
  g:run() -- until this one has ended; the others go on meanwhile
end

local shares = { header = { "guest", "instructions", "traps", "shadow entries filled", "times dispatched" } }
for i, g in ipairs(all) do
  local stats = monitor:stats(g)
  shares[i] = { g.name, g:stats().instructions, stats.traps, stats.shadow_faults, stats.dispatches }
end
table_print(shares)
print("\nIn this order they ended: " .. table.concat(order, ", "))
print("The typist's typewriter:\n" .. typist.console:text())

check("each guest is alone with its machine", 4, function()
  for _, g in ipairs(all) do
    expect(g.status).equals("disabled-wait")
  end
  expect(red.console:text()).matches("NUCLEUS: ALL PROCESSES HAVE ENDED\n$")
  expect(blue.console:text()).equals(red.console:text())
  expect(typist.console:text()).contains("HELLO")
end)
check("nobody's frame is anybody else's", 2, function()
  local owner = {}
  for _, g in ipairs(all) do
    for page = 0, g.memory - 1, 4096 do
      local frame = monitor:frame(page, g)
      expect(owner[frame]).is_nil()
      owner[frame] = g.name
    end
  end
end)
