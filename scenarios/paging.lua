-- paging.lua: demand paging, and what is below it. The guest nucleus.s gives each of its
-- processes more storage than there is: in three sizes of storage; one page fault looked at
-- closely; then under a monitor, whose shadow table is the product of two translations.
--
--     cloud370 run scenarios/paging.lua

local image = assemble.file("guests/nucleus.s")
local counters = { { "PAGEINS", "pages read" }, { "PAGEOUTS", "written" }, { "STOLEN", "frames stolen" },
                   { "NFAULTS", "page faults" } }
local PAGE_TRANSLATION = 0x11

-- Every machine has its own disk, for what does not fit into storage.
local function start(m)
  m:load(image)
  m:restart()
  return m
end

local function count(m, name) return m:word(image.symbols[name]) end

-- 1. The same work in three sizes. In nominal time a run takes the same in every machine.
local machines, rows = {}, { header = { "storage" } }
for i, c in ipairs(counters) do
  rows.header[i + 1] = c[2]
end
rows.header[#counters + 2] = "instructions"
for _, size in ipairs{ "64K", "96K", "1M" } do
  local m = start(machine.new{ memory = size, disk = { blocks = 1216 }, nominal = true, name = size })
  local stop = m:run()
  local row = { size }
  for i, c in ipairs(counters) do
    row[i + 1] = count(m, c[1])
  end
  row[#counters + 2] = stop.instructions
  rows[#rows + 1] = row
  machines[size] = m
end
table_print(rows)
print()
check("the same text in every size", 3, function()
  local text = machines["1M"].console:text()
  expect(text).matches("NUCLEUS: ALL PROCESSES HAVE ENDED\n$")
  expect(machines["96K"].console:text()).equals(text)
  expect(machines["64K"].console:text()).equals(text)
end)
check("64K is far too small, 1M is enough", 1, function()
  expect(count(machines["64K"], "PAGEINS")).at_least(1000)
  expect(count(machines["1M"], "PAGEINS")).equals(0)
end)

-- 2. Runs until a process has touched a page that is on disk; after that the old PSW and
-- location 144 say what was touched, and where.
local function run_to_fault(m)
  local fault
  repeat
    local before = count(m, "PAGEINS")
    repeat
      m:run{ until_trap = true }
    until m:word(140) & 0xFFFF == PAGE_TRANSLATION and m.psw.ia == m:word(108) -- entered by the program new PSW
    fault = { address = m:word(144), instruction = m:word(44) & 0xFFFFFF, space = m.cr[1] }
    fault.before = m:walk(fault.address)
    -- The same instruction of the same process again: the page is there.
    repeat
      m:run{ until_address = fault.instruction }
    until m.cr[1] == fault.space and m.psw.problem
    fault.after = m:walk(fault.address)
    fault.read = count(m, "PAGEINS") - before
  until fault.read > 0 -- and not just a page of zeros
  return fault
end

local function show(walk)
  for _, step in ipairs(walk.steps) do
    print(("    %-8s entry %d at %s: %s"):format(step.what, step.index, hex(step.address), hex(step.entry, 4)))
  end
  print("    " .. (walk.result == "ok" and "real address " .. hex(walk.real) or walk.result .. " exception"))
end

local small = start(machine.new{ memory = "64K", disk = { blocks = 1216 }, nominal = true, name = "small" })
local fault = run_to_fault(small)
print(("The instruction at %s touches %s, which is not there:"):format(hex(fault.instruction), hex(fault.address)))
show(fault.before)
print(("Pages read from disk: %d. Then the same instruction is executed again:"):format(fault.read))
show(fault.after)
print()
check("a page fault is a walk that ends at an invalid entry, and then does not", 2, function()
  expect(fault.before.result).equals("page translation")
  expect(fault.after.result).equals("ok")
end)

-- 3. The same guest under a monitor: what the guest calls real is virtual again.
local host = machine.new{ memory = "1M", nominal = true, name = "host" }
local monitor = vmm.new{ on = host }
local guest = start(monitor:guest{ memory = "64K", disk = { blocks = 1216 }, name = "guest" })
local other = run_to_fault(guest)
guest:run{ instructions = 1 } -- the monitor fills its shadow entry at the first use
local shadow = host:walk(other.address)
local path = guest:walk(other.address).path
print(("Under a monitor, %s of the process is"):format(hex(other.address)))
for i, place in ipairs(path) do
  print(("    %s of %s"):format(hex(place.real), place.machine))
end
print("and the bare machine, which runs the guest with the monitor's shadow table:")
show(shadow)
print()
check("the first page fault is the same one", 1, function()
  expect(other.address).equals(fault.address)
  expect(other.instruction).equals(fault.instruction)
  expect(other.before.result).equals("page translation")
end)
check("the shadow table leads where both translations lead", 2, function()
  expect(shadow.result).equals("ok")
  expect(shadow.real).equals(path[#path].real)
end)

guest:run()
local stats = monitor:stats()
print(("In all the guest had %s page faults, and the monitor filled %s shadow entries.")
  :format(grouped(count(guest, "NFAULTS")), grouped(stats.shadow_faults)))
check("bare and under the monitor: the same text, the same pages read", 2, function()
  expect(guest.console:text()).equals(machines["64K"].console:text())
  expect(count(guest, "PAGEINS")).equals(count(machines["64K"], "PAGEINS"))
end)
