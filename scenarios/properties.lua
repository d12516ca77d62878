-- properties.lua: what Popek and Goldberg ask of a virtual machine monitor, put to the test.
-- Equivalence: a guest runs in lock-step with a bare machine, and is the same after each
-- instruction and interruption. Resource control: nothing changes hands behind the allocator.
-- Efficiency: how much the machine executes itself. docs/properties.md explains how.
--
--     cloud370 run scenarios/properties.lua

local STEPS = 60000 -- of nucleus.s; primes.s is followed to its end

local cases = {
  { name = "primes", memory = 64 << 10 },
  { name = "nucleus", memory = 64 << 10, disk = { blocks = 1216 }, steps = STEPS },
}

-- The program in a virtual machine at this depth, not started; and its monitor.
local function guest_of(case, depth)
  local sizes, v = { [depth] = case.memory }
  for level = depth - 1, 0, -1 do
    sizes[level] = vmm.host_memory(sizes[level + 1])
  end
  local g = machine.new{ memory = sizes[0] }
  for level = 1, depth do
    v = vmm.new{ on = g }
    g = v:guest{ memory = sizes[level], disk = level == depth and case.disk or nil }
  end
  g:load(assemble.file("guests/" .. case.name .. ".s"))
  return g, v
end

local function show(q)
  for _, step in ipairs(q.last) do
    print(("    %s  %s"):format(hex(step.address), step.text or "-- " .. step.interruption))
  end
  if not q.held then
    print("    " .. q.what)
    print("    PSW " .. q.guest.psw .. " in the virtual machine, " .. q.reference.psw .. " in the bare one")
  end
end

-- 1. Equivalence. The reference is a bare machine of the same size. It gets the guest's
-- storage, and does what the guest does; interruptions from outside come to it when they come
-- to the guest.
local results = { header = { "program", "monitors", "steps", "ended by", "held" } }
local longest
for _, case in ipairs(cases) do
  for depth = 1, 2 do
    local g = guest_of(case, depth)
    local bare = machine.new{ memory = case.memory, disk = case.disk }
    local q = vmm.equivalence{ guest = g, reference = bare, steps = case.steps }
    results[#results + 1] = { case.name, depth, q.steps, q.ended, tostring(q.held) }
    check(case.name .. " is the same at depth " .. depth, 2, function()
      expect(q.what).equals("")
      expect(q.ended).equals(case.steps and "budget" or "ended")
      expect(q.guest.psw).equals(q.reference.psw)
    end)
    longest = case.name == "primes" and q or longest
  end
end
table_print(results)
print("\nThe last steps of primes.s under two monitors:")
show(longest)

-- 2. What it looks like when it does not hold. Nobody can take a byte of the program away
-- without being noticed: here the guest has another register than the bare machine.
print("\nA guest whose register 5 was changed before it began:")
local changed = guest_of(cases[1], 1)
changed.gpr[5] = 0x370
local q = vmm.equivalence{ guest = changed, reference = machine.new{ memory = cases[1].memory } }
show(q)
print()
check("a difference is found at once", 1, function()
  expect(q.ended).equals("broken")
  expect(q.steps).equals(0)
  expect(q.what).contains("general register 5 is 00000370")
end)

-- 3. Resource control. Two guests take turns; every so often one looks at what they have.
local host = machine.new{ memory = "1M" }
local v = vmm.new{ on = host, slice = 20000 }
local pair = {}
for n = 1, 2 do
  pair[n] = v:guest{ memory = "64K" }
  pair[n]:load(assemble.file("guests/primes.s"))
  pair[n]:restart()
end
local control, looks = v:resources(), 0
check("the monitor keeps control of its resources", 2, function()
  repeat
    host:run{ cycles = 1000 + looks % 7, instructions = 1000 }
    local kept, what = control:look()
    expect(what).is_nil()
    looks = looks + 1
  until not kept or looks == 200
end)
print(("%d looks at frames, tables, states, disks and turns\n"):format(looks))

-- 4. Efficiency, each program run to its end under one and two monitors.
local figures = { header = { "program", "monitors", "instructions", "interpreted", "native, %",
  "traps of 1000", "slowdown" } }
for _, case in ipairs(cases) do
  for depth = 1, 2 do
    local g = guest_of(case, depth)
    g:restart()
    g:run{ instructions = 400000 }
    local e = g:efficiency()
    figures[#figures + 1] = { case.name, depth, e.instructions, e.interpreted,
      ("%.2f"):format(100 * e.native), ("%.1f"):format(e.traps_per_1000), ("%.2f"):format(e.slowdown) }
    check(("%s at depth %d is executed by the machine itself"):format(case.name, depth), 1, function()
      expect(e.native).at_least(0.9)
      expect(e.slowdown).at_least(1)
    end)
  end
end
print()
table_print(figures)
print("\nInnocuous instructions cost nothing more at any depth; the few others cost more and more.")
