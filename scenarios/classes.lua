-- classes.lua: Popek and Goldberg's classes, found by experiment, and what they are good for.
-- First the machine System/370; then the profile `flawed`, which has three instructions more:
-- what the experiment says about them, and how each of them betrays a monitor.
--
--     cloud370 run scenarios/classes.lua

-- 1. Every instruction of both profiles, executed in pairs of states.
local function count(c)
  local n = { innocuous = 0, sensitive = 0, traps = 0, privileged = 0 }
  for _, i in pairs(c.instructions) do
    local class = i.class == "traps" and "traps" or i.sensitive and "sensitive" or "innocuous"
    n[class] = n[class] + 1
    n.privileged = n.privileged + (i.privileged and 1 or 0)
  end
  return n
end

local found, rows = {}, { header = { "profile", "innocuous", "sensitive", "traps", "privileged",
  "1", "2", "3" } }
for i, profile in ipairs{ "s370", "flawed" } do
  local c = classify{ profile = profile }
  local n = count(c)
  found[profile] = c
  rows[i] = { profile, n.innocuous, n.sensitive, n.traps, n.privileged }
  for k = 1, 3 do
    rows[i][5 + k] = c.theorems[k].holds and "yes" or "no"
  end
end
table_print(rows)
print("\n1, 2, 3: whether the condition of that theorem holds. Of `flawed` it is broken by")
for k = 1, 3 do
  print(("    %d: %s"):format(k, table.concat(found.flawed.theorems[k].breaks, ", ")))
end

-- 2. A witness: two states that differ in one thing, and what came of it.
print("\n" .. found.s370.instructions.LRA.text)
print(found.flawed.instructions.LPM.text)

check("System/370 is virtualizable", 2, function()
  for k = 1, 3 do
    expect(found.s370.theorems[k].holds).is_true()
  end
end)
check("the flawed machine is not, but for a hybrid monitor one instruction is too many", 2,
  function()
    expect(table.concat(found.flawed.theorems[1].breaks, " ")).equals("RTU LPM SPS")
    expect(table.concat(found.flawed.theorems[3].breaks, " ")).equals("SPS")
  end)

-- 3. The same program on the bare machine, and under a monitor that traps and emulates. It
-- executes the three instructions in supervisor state; the monitor sees none of them.
local source = [[
         ORG   0
         DC    X'0008000000000200'   restart: supervisor state
         ORG   104
         DC    X'000A000000000BAD'   a program interruption ends it
         ORG   X'200'
         BALR  12,0
         USING *,12
         SPS   SEEN                  what is the PSW, what is CR1?
         STOSM MASK,1                external interruptions on: privileged, the monitor knows
         LPM   OFF                   and off
         STNSM MASK,X'FF'            which masks are on?
         RTU   USER                  to problem state
USER     SPS   LATER
         LPSW  DONE                  which is privileged: so it must trap
DONE     DC    0D'0',X'000A000000000ACE'
SEEN     DC    XL8'00'
LATER    DC    XL8'00'
OFF      DC    X'00003000'
MASK     DC    X'55'
         END
]]

local function run(under)
  local size = under and vmm.host_memory("64K") or "64K"
  local m = machine.new{ memory = size, profile = "flawed", nominal = true }
  local g = under and vmm.new{ on = m, kind = under }:guest{ memory = "64K" } or m
  local program = assemble.string(source)
  g:load(program)
  g:restart()
  g:run{ instructions = 1000 }
  return {
    seen = g:read(program.symbols.SEEN, 8),
    later = g:read(program.symbols.LATER, 8),
    mask = g:read(program.symbols.MASK, 1),
    stopped = hex(g.psw.ia),
  }
end
local function show(bytes)
  return (bytes:gsub(".", function(c) return ("%02X"):format(c:byte()) end))
end

local bare, under = run(), run("trap-and-emulate")
print("A program that uses them:")
table_print{
  header = { "", "bare", "under trap-and-emulate" },
  { "SPS in supervisor state", show(bare.seen), show(under.seen) },
  { "the masks after LPM", show(bare.mask), show(under.mask) },
  { "SPS after RTU", show(bare.later), show(under.later) },
  { "stopped at", bare.stopped, under.stopped },
}
print([[

Bare, the program leaves supervisor state by RTU, and its LPSW traps (000BAD). Under the
monitor it is in problem state all along: RTU changes nothing that the monitor would see, it
still takes the program for a supervisor, and interprets its LPSW (000ACE). LPM has not turned
the virtual masks off either. SPS shows the real PSW, with DAT on and in problem state, and the
origin of the shadow tables.]])

check("under a monitor the program behaves differently: no equivalence", 3, function()
  expect(bare.stopped).equals("000BAD")
  expect(under.stopped).equals("000ACE")
  expect(under.mask == bare.mask).is_false()
  expect(under.seen == bare.seen).is_false()
end)
