-- cpus.lua: several CPUs. The guest team.s divides its work among all that it finds. First it
-- has the bare machine; then a virtual machine with as many CPUs, whose monitor runs each on a
-- real one; then one with more CPUs than are real. At the end, two guests side by side.
--
--     cloud370 run scenarios/cpus.lua

local team = assemble.file("guests/team.s")
local PRIMES = 303 -- below 2000

-- The guest under depth monitors: real CPUs below, virtual ones on every level above.
local made = 0
local function run(depth, real, virtual)
  made = made + 1 -- every machine has a name of its own
  local sizes = { [depth] = 64 << 10 }
  for level = depth - 1, 0, -1 do
    sizes[level] = vmm.host_memory(sizes[level + 1], math.max(real, virtual))
  end
  local bare = machine.new{ memory = sizes[0], cpus = real, name = made .. "-0" }
  local m = bare
  for level = 1, depth do
    m = vmm.new{ on = m }:guest{ memory = sizes[level], cpus = virtual, name = made .. "-" .. level }
  end
  m:load(team)
  m:restart()
  m:run{ instructions = 1e6 }
  return { guest = m, bare = bare, cycles = bare:stats().cycles }
end

local function found(r) -- by each CPU of the guest
  local each = {}
  for n = 0, #r.guest.cpu - 1 do
    each[n + 1] = r.guest:word(team.symbols.EACH + 4 * n)
  end
  return each
end

local function idle(r, n) -- cycles that real CPU n had nothing to do
  local cycles = 0
  for _, level in ipairs(r.bare.cpu[n]:account()) do
    cycles = cycles + level.idle
  end
  return cycles
end

-- 1. As many virtual CPUs as real ones.
local runs = {}
local rows = { header = { "CPUs", "bare", "under a monitor", "under two", "primes found by each (under a monitor)" } }
for i, cpus in ipairs{ 1, 2, 4 } do
  local row = { cpus }
  for depth = 0, 2 do
    local r = run(depth, cpus, cpus)
    runs[cpus .. "/" .. depth] = r
    row[depth + 2] = r.cycles
  end
  row[5] = table.concat(found(runs[cpus .. "/1"]), " ")
  rows[i] = row
end
table_print(rows)
print([[

Cycles until the last CPU has stopped. The guest computes, and does little else: so a monitor
costs little, and CPUs help it as much as they help the bare machine.
]])

check("every CPU does its part, at every depth", 4, function()
  for _, cpus in ipairs{ 1, 2, 4 } do
    for depth = 0, 2 do
      local r = runs[cpus .. "/" .. depth]
      expect(r.guest.status).equals("disabled-wait")
      expect(r.guest:word(team.symbols.TOTAL)).equals(PRIMES)
      local sum = 0
      for _, n in ipairs(found(r)) do
        expect(n).at_least(PRIMES // (2 * cpus))
        sum = sum + n
      end
      expect(sum).equals(PRIMES)
    end
  end
end)
check("two CPUs take half the time, four a quarter; under two monitors a little more", 2, function()
  for depth = 0, 2 do
    local one, more = runs["1/" .. depth].cycles, depth == 2 and 0.1 or 0
    expect(runs["2/" .. depth].cycles / one).between(0.5, 0.55 + more)
    expect(runs["4/" .. depth].cycles / one).between(0.25, 0.3 + more)
  end
end)
check("each CPU's cycles are on somebody's account", 1, function()
  local r = runs["2/2"]
  for n = 0, 1 do
    local sum = 0
    for _, level in ipairs(r.bare.cpu[n]:account()) do
      sum = sum + level.all
    end
    expect(sum).equals(r.bare.cpu[n]:stats().cycles)
  end
end)

-- 2. Four virtual CPUs, and fewer real ones: they take turns, and no work is lost.
rows = { header = { "real CPUs", "cycles", "idle", "instructions of the guest", "found by each" } }
for i, real in ipairs{ 1, 2, 4 } do
  local r = run(1, real, 4)
  local waited = 0
  for n = 0, real - 1 do
    waited = waited + idle(r, n)
  end
  rows[i] = { real, r.cycles, waited, r.guest:stats().instructions, table.concat(found(r), " ") }
  runs["4 on " .. real] = r
end
table_print(rows)
print([[

The guest executes more instructions when it has fewer real CPUs: CPU 0 waits in a loop until
another one has got its number, and that one waits for its turn. Programs for virtual CPUs had
better wait in the wait state.
]])
check("virtual CPUs without real ones only take longer", 2, function()
  for real = 1, 2 do
    local r = runs["4 on " .. real]
    expect(r.guest:word(team.symbols.TOTAL)).equals(PRIMES)
    expect(r.guest:stats().instructions).at_least(runs["4 on 4"].guest:stats().instructions + 5000)
  end
end)

-- 3. Two guests, which know nothing of each other: on one CPU they take turns, on two they do not.
local function both(cpus)
  local host = machine.new{ memory = "1M", cpus = cpus, name = "host of " .. cpus }
  local v = vmm.new{ on = host }
  local guests = {}
  for i, name in ipairs{ "red", "blue" } do
    guests[i] = v:guest{ memory = "64K", name = name .. cpus }
    guests[i]:load(team)
    guests[i]:restart()
  end
  for _, g in ipairs(guests) do
    g:run()
  end
  return { bare = host, monitor = v, guests = guests, cycles = host:stats().cycles }
end
local one, two = both(1), both(2)
print(("Two guests on one CPU: %s cycles. On two: %s, and the second CPU was idle for %s.\n"):format(
  grouped(one.cycles), grouped(two.cycles), grouped(idle(two, 1))))
check("two guests on two CPUs run side by side", 2, function()
  for _, r in ipairs{ one, two } do
    for _, g in ipairs(r.guests) do
      expect(g:word(team.symbols.TOTAL)).equals(PRIMES)
    end
  end
  expect(two.cycles / one.cycles).between(0.48, 0.52)
end)
