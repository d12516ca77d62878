-- hybrid.lua: a monitor that interprets all of its guests' supervisor state (Popek and Goldberg's
-- Theorem 3). First what that costs, on System/370; then what it is good for, on the machine
-- `flawed`, where trapping is not enough.
--
--     cloud370 run scenarios/hybrid.lua

local kinds = { "trap-and-emulate", "hybrid" }

-- Runs a program bare (no kinds), or under monitors from the bare machine upward.
local function run(program, under, profile)
  local sizes = { [0] = 64 * 1024 }
  for k = 1, #under do
    sizes[k] = vmm.host_memory(sizes[k - 1])
  end
  local bare = machine.new{ memory = sizes[#under], nominal = true, profile = profile }
  local m, first = bare, nil
  for k = 1, #under do
    local v = vmm.new{ on = m, kind = under[k] }
    m = v:guest{ memory = sizes[#under - k] }
    first = first or v
  end
  m:load(program)
  m:restart()
  m:run{ instructions = 1000000 }
  local busy = 0 -- cycles in which the CPU did not wait for a device
  for _, level in ipairs(m:account()) do
    busy = busy + level.all - level.idle
  end
  return { m = m, stats = m:stats(), busy = busy, v = first and first:stats() }
end

-- 1. The same programs, the same results, other costs.
local function loop(psw)
  return assemble.string(([[
HERE     CSECT
         USING HERE,0
         DC    X'0008000000000200'   restart
         ORG   HERE+96
         DC    X'000A000000000ACE'   SVC: the end
         ORG   HERE+X'200'
         LPSW  STATE
         ORG   HERE+X'300'
         LA    1,2000                a loop without a single sensitive instruction
LOOP     AR    2,1
         ST    2,SUM
         BCT   1,LOOP
         SVC   0
SUM      DC    F'0'
STATE    DC    0D'0',X'00%s000000000300'
         END
]]):format(psw))
end
local programs = {
  { "loop, problem state", loop("09") },
  { "loop, supervisor state", loop("08") },
  { "walk.s", assemble.file("guests/walk.s") },
  { "primes.s", assemble.file("guests/primes.s") },
}

local unders = { { kinds[1] }, { kinds[2] }, { kinds[2], kinds[2] } }
local rows = {
  header = { "", "instructions", "interpreted", "bare", kinds[1], kinds[2], "two hybrids" },
}
local cost, same = {}, true
for i, p in ipairs(programs) do
  local bare = run(p[2], {})
  local r = { p[1], bare.stats.instructions, 0, bare.busy }
  for k, kind in ipairs(unders) do
    local under = run(p[2], kind)
    same = same and under.stats.instructions == bare.stats.instructions
      and under.m.psw.ia == bare.m.psw.ia and under.m.console:text() == bare.m.console:text()
    cost[i .. " " .. k] = under.busy / bare.busy
    r[4 + k] = ("x %.2f"):format(under.busy / bare.busy)
    if k == 2 then r[3] = under.v.interpreted end
  end
  rows[i] = r
end
print("How many instructions a hybrid monitor interprets, and cycles (idle ones left out), in")
print("multiples of those on the bare machine:")
table_print(rows)

check("a guest cannot tell any of them from the bare machine", 2, function()
  expect(same).is_true()
end)
check("problem state costs nothing more, supervisor state much", 2, function()
  expect(cost["1 2"]).at_most(1.1 * cost["1 1"])
  expect(cost["2 2"]).at_least(10 * cost["2 1"])
end)

-- 2. The flawed machine: each instruction in supervisor and in problem state. What the program
-- found is at 800, and where it stopped tells the rest.
local function flawed(state, text)
  return assemble.string(([[
HERE     CSECT
         USING HERE,0
         DC    X'0008000000000200'   restart: supervisor state
         ORG   HERE+88
         DC    X'000A000000000BAD'   external: not expected
         DC    X'000A000000000ACE'   SVC: the end
         DC    X'000A000000000DAD'   program: only for RTU, which has come to problem state
         ORG   HERE+X'200'
         LPSW  STATE
         ORG   HERE+X'300'
%s
         SVC   0
TIMER    DC    X'000004E0'           CPU timer: may interrupt
OFF      DC    X'00003000'
DONE     DC    0D'0',X'000A0000000FACE0'
GONE     DC    X'FF00000000000000'
STATE    DC    X'00%s000000000300'
         ORG   HERE+X'800'
FOUND    DC    XL8'00'
         END
]]):format(text, state))
end
local cases = {
  { "RTU", "supervisor", flawed("08", [[
         RTU   NEXT                  to problem state
NEXT     LPSW  DONE                  so this must trap]]) },
  { "LPM", "supervisor", flawed("08", [[
         SPT   GONE                  the CPU timer wants to interrupt
         STOSM FOUND,1               external interruptions on,
         LPM   OFF                   and off
         LCTL  0,0,TIMER             so none comes here
         NOPR  0]]) },
  { "SPS", "supervisor", flawed("08", "         SPS   FOUND") },
  { "RTU", "problem", flawed("09", "         RTU   *+4                   a branch, nothing more") },
  { "LPM", "problem", flawed("09", "         LPM   OFF           condition code, program mask") },
  { "SPS", "problem", flawed("09", "         SPS   FOUND") },
}

local classes = classify{ profile = "flawed" }
local right = {}
local answers = {
  header = { "", "in state", "user-sensitive", kinds[1], kinds[2], "two hybrids" },
}
for i, c in ipairs(cases) do
  local bare = run(c[3], {}, "flawed")
  answers[i] = { c[1], c[2], classes.instructions[c[1]].user_sensitive and "yes" or "no" }
  for k, under in ipairs(unders) do
    local r = run(c[3], under, "flawed")
    local equal = r.m.psw.ia == bare.m.psw.ia and r.m:read(0x800, 8) == bare.m:read(0x800, 8)
    answers[i][3 + k] = equal and "as bare" or "different"
    right[c[1] .. " " .. c[2] .. " " .. k] = equal
  end
end
print("\nThe instructions of the profile flawed, under monitors:")
table_print(answers)
print(([[

Theorem 1 fails because of %s.
Theorem 3 fails because of %s: it needs no supervisor state to show
the real machine, so interpreting supervisor state does not help.]]):format(
  table.concat(classes.theorems[1].breaks, ", "), table.concat(classes.theorems[3].breaks, ", ")))

check("trap-and-emulate is wrong in supervisor state", 2, function()
  for _, name in ipairs{ "RTU", "LPM", "SPS" } do
    expect(right[name .. " supervisor 1"]).is_false()
  end
end)
check("a hybrid monitor is right, one on another too, but for what is user-sensitive", 3, function()
  for _, name in ipairs{ "RTU", "LPM", "SPS" } do
    for k = 2, 3 do
      expect(right[name .. " supervisor " .. k]).is_true()
      expect(right[name .. " problem " .. k]).equals(not classes.instructions[name].user_sensitive)
    end
  end
end)
