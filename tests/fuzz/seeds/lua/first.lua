-- first.lua: one guest, twice. On the bare machine; then, the same bytes, under a
-- trap-and-emulate monitor; and what the monitor had to do so that nobody can tell.
--
--     cloud370 run scenarios/first.lua                 the guest walk.s
--     cloud370 run scenarios/first.lua -- primes       another one: hello, primes, walk
--     cloud370 run scenarios/first.lua -- walk all     the whole trap story

local LINES = 28 -- of the story
local name = args[1] or "walk"
local whole = args[2] == "all"
local image = assemble.file("guests/" .. name .. ".s")

-- The bare machine.
local bare = machine.new{ memory = "64K", nominal = true, name = "real" }
bare:load(image)
bare:restart()
local first = bare:run{ instructions = 10e6 }

-- The same under a monitor, which runs on a bigger machine.
local host = machine.new{ memory = "1M", nominal = true, name = "host" }
local monitor = vmm.new{ on = host, kind = "trap-and-emulate" }
local guest = monitor:guest{ memory = "64K", name = "guest" }
guest:load(image)
guest:restart()

-- The trap story: what the guest did, and what the monitor did about it. A trap comes
-- first, what the monitor does comes after it, until it dispatches the guest again.
local story = {}
local line          -- the trap that is being handled
local call          -- the line of the system call that the guest is in
local seen = {}     -- system calls of which the whole story was told
local codes = { [0x02] = "privileged operation", [0x10] = "segment fault", [0x11] = "page fault" }

local function tell(address, did)
  line = { address = address, did = did, answer = "nothing", more = 0 }
  if call and call.again and not whole then
    call.more = call.more + 1 -- as before: counted, not told
  else
    story[#story + 1] = line
  end
end

host:on("trap", function(e)
  if e.cause == "missing page" then
    tell(e.address, "touches page " .. hex(e.detail))
  elseif e.cause == "svc" then
    tell(e.address - e.detail, "SVC " .. e.code)
  else
    tell(e.address - e.detail, e.cause)
  end
end)

host:on("shadow_fill", function(e)
  line.answer = "fills a shadow entry: host " .. hex(e.host_real)
end)

host:on("interpret", function(e)
  line.address, line.did = e.address, e.text .. (e.text == "LPSW" and "" or ", privileged")
  line.answer = "interprets it"
end)

host:on("reflect", function(e)
  if e.class == "io" then
    tell(e.old_address, "waits; " .. hex(e.code, 3) .. " is done")
    line.answer = "gives it an I/O interruption"
  elseif e.class == "restart" then
    tell(e.old_address, "is started")
    line.answer = "gives it a restart interruption"
  elseif e.class == "svc" then
    line.answer = "reflects it: to the guest's " .. hex(e.new_address)
    call, line.back, line.again = line, e.old_address, seen[e.code]
    seen[e.code] = true
  else
    line.answer = "reflects it: " .. (codes[e.code] or "program interruption " .. hex(e.code, 2))
  end
end)

host:on("dispatch", function(e)
  if call and e.address == call.back then call = nil end
end)

local second = guest:run{ instructions = 10e6 }

print("The guest's console:\n")
for text in guest.console:text():gmatch("[^\n]+") do print("  | " .. text) end

print("\nThe guest runs in problem state, whatever it believes: what it may not do traps.\n")
print("  at      the guest               the monitor")
local hidden = 0
for n, l in ipairs(story) do
  if l.more > 0 then l.answer = "as above, with " .. l.more .. " traps more" end
  if n <= LINES or whole then
    print(("  %s  %-22s  %s"):format(hex(l.address), l.did, l.answer))
  else
    hidden = hidden + 1 + l.more
  end
end
if hidden > 0 then
  print(("          ... and %d more (to see them: -- %s all)"):format(hidden, name))
end

-- Waiting for the console takes the same time in both; it is left out here.
local function busy(account)
  local sum = 0
  for _, level in ipairs(account) do sum = sum + level.all - level.idle end
  return sum
end
local a, b, m = bare:account(), host:account(), monitor:stats()
local slowdown = ("%.2f"):format(busy(b) / busy(a))

print()
table_print{
  header = { "", "bare machine", "under the monitor" },
  { "instructions of the guest", bare:stats().instructions, guest:stats().instructions },
  { "traps", 0, m.traps },
  { "  privileged instructions interpreted", 0, m.interpreted },
  { "  shadow entries filled", 0, m.shadow_faults },
  { "  interruptions reflected", 0, m.reflected },
  { "cycles, without waiting", busy(a), busy(b) },
  { "  of the guest itself", busy(a), b[2].all - b[2].idle },
  { "  of the monitor", 0, b[1].all },
}
print("\nCost model " .. bare:stats().model .. "; under the monitor it took " .. slowdown .. " times the cycles.\n")

-- What must hold, so that one can say: the guest cannot tell.
check("both end the same way", 2, function()
  expect(first.status).equals("disabled-wait")
  expect(second.status).equals("disabled-wait")
  expect(tostring(guest.psw)).equals(tostring(bare.psw))
end)
check("both print the same", 2, function()
  expect(#bare.console:text()).at_least(1)
  expect(guest.console:text()).equals(bare.console:text())
end)
check("both leave the same registers", 2, function()
  expect(guest:stats().gpr).equals(bare:stats().gpr)
  expect(guest:stats().cr).equals(bare:stats().cr)
end)
check("both leave the same storage", 2, function()
  -- 80-83 is the interval timer, which a monitor keeps only roughly.
  expect(guest:read(0, 80) == bare:read(0, 80)).is_true()
  expect(guest:read(84, 65536 - 84) == bare:read(84, 65536 - 84)).is_true()
end)
check("both took the same instructions and interruptions", 1, function()
  expect(guest:stats().instructions).equals(bare:stats().instructions)
  expect(guest:stats().interruptions).equals(bare:stats().interruptions)
end)
check("it costs cycles", 1, function()
  expect(busy(b)).at_least(busy(a) + 1)
  expect(m.traps).at_least(1)
end)
