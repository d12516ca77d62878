-- calibration.lua: what a trap costs in hypervisor.s, a monitor in assembler, whose instructions take cycles like
-- all others; and beside it what the monitor in C is charged, which has no instructions. The charges of the cost model
-- are calibrated so that the same work costs about the same, whoever does it.
--
--     cloud370 run scenarios/calibration.lua

local hypervisor = assemble.file("guests/hypervisor.s")

-- A program that does `body` over and over, as often as the word COUNT says. With DAT on its pages are those of its
-- storage. SVCs and operation exceptions come straight back.
local FRAME = [[
T        START 0
         DC    X'0008000000000200'
         ORG   T+96
         DC    X'00080000',A(SVCBACK)
         DC    X'00080000',A(PGMBACK)
         ORG   T+X'200'
GO       BALR  12,0
         USING *,12
         L     3,COUNT
         LA    4,5
         SLL   4,12
         LCTL  0,1,CONTROL
         LPSW  BEGIN
LOOP     DS    0D
%s
         BCT   3,LOOP
         LPSW  STOP
SVCBACK  LPSW  32
PGMBACK  LPSW  40
         DS    0D
BEGIN    DC    X'%s080000',A(LOOP)
STOP     DC    X'0002000000000DED'
NEXT     DC    X'%s080000',A(BEHIND)
CONTROL  DC    X'00800000',A(SEGMENTS)
COUNT    DC    F'%d'
OPERAND  DC    2D'0'
PREFIX   DC    A(0)
WRONG    DC    0D'0',X'0000000000000001'
BEHIND   EQU   LOOP+4
         ORG   T+X'800'
SEGMENTS DC    X'F0',AL3(PAGES),15X'00000001'
PAGES    DC    X'0000001000200030004000500060007000800090'
         DC    X'00A000B000C000D000E000F0'
         END   GO
]]

-- What is measured: a name, the body, whether DAT is on.
local function uses(first, last)
  local text = {}
  for page = first, last do
    text[#text + 1] = string.format("         LA    5,%d\n         SLL   5,12\n         L     6,0(5)", page)
  end
  return table.concat(text, "\n")
end
local KINDS = {
  { "SPKA", "SPKA  0" },
  { "SSM", "SSM   OPERAND" },
  { "STOSM", "STOSM OPERAND,0" },
  { "LPSW", "LPSW  NEXT" },
  { "LCTL, 2 registers", "LCTL  8,9,OPERAND" },
  { "STCTL, 2 registers", "STCTL 8,9,OPERAND" },
  { "STPT", "STPT  OPERAND" },
  { "ISK", "ISK   6,4" },
  { "LRA", "LRA   6,0(4)" },
  { "PTLB", "PTLB" },
  { "TIO", "TIO   9" },
  { "HIO", "HIO   9" },
  { "SIO, its program refused", "LA    6,WRONG\n         ST    6,72\n         SIO   9" },
  { "SVC reflected, LPSW back", "SVC   1" },
  { "operation exception, LPSW back", "DC    X'0000'" },
  { "SPX, 12 pages used", "SPX   PREFIX\n" .. uses(3, 14) },
  { "DAT: SPKA", "SPKA  0", dat = true },
  { "DAT: LCTL, 2 registers", "LCTL  8,9,OPERAND", dat = true },
  { "DAT: SVC, LPSW back", "SVC   1", dat = true },
  { "DAT: oper. exception, LPSW back", "DC    X'0000'", dat = true },
  { "DAT: PTLB, 1 page filled", "PTLB", dat = true },
  { "DAT: PTLB, 8 pages filled", "PTLB\n" .. uses(3, 9), dat = true },
}

local function program(kind, count)
  local state = kind.dat and "04" or "00"
  return assemble.string(string.format(FRAME, "         " .. kind[2], state, state, count), kind[1])
end

-- hypervisor.s, a monitor in C of some kind, or none, on a bare machine; the guest has the image.
local function load(monitor, image)
  local m = machine.new{ memory = "512K" }
  local g = m
  if monitor == "hypervisor.s" then
    m:load(hypervisor)
    g = vmm.map{ on = m, memory = "64K" }
  elseif monitor then
    g = vmm.new{ on = m, kind = monitor }:guest{ memory = "64K" }
  end
  g:load(image)
  g:restart()
  return m, g
end

-- Cycles and instructions of the real machine for each time, beginnings and ends left out: the difference of two runs.
local FEW, MANY = 40, 140
local function measure(monitor, kind)
  local stats = {}
  for i, count in ipairs{ FEW, MANY } do
    local m, g = load(monitor, program(kind, count))
    local stop = g:run()
    if stop.status ~= "disabled-wait" or g.psw.ia ~= 0xDED then error(kind[1] .. " ended in " .. g.psw.hex) end
    stats[i] = m:stats()
  end
  return (stats[2].cycles - stats[1].cycles) / (MANY - FEW), (stats[2].instructions - stats[1].instructions) / (MANY - FEW)
end

-- 1. Traps.
local function round(number) return math.floor(number + 0.5) end
local rows = { header = { "trap", "instructions", "hypervisor.s", "in C", "ratio" } }
local ratios, sum = {}, 0
for _, kind in ipairs(KINDS) do
  local bare, own = measure(nil, kind)
  local assembler, instructions = measure("hypervisor.s", kind)
  local c = measure("trap-and-emulate", kind)
  local ratio = (assembler - bare) / (c - bare)
  ratios[kind[1]] = ratio
  sum = sum + ratio
  rows[#rows + 1] = { kind[1], round(instructions - own), round(assembler - bare), round(c - bare), string.format("%.2f", ratio) }
end
local mean = sum / #KINDS
print("Traps in hypervisor.s and in the monitor in C: cycles beyond those of the bare machine.\n")
table_print(rows)
print(string.format("mean%69.2f\n", mean))

-- 2. An instruction that is interpreted: in hypervisor.s what lies between HVSIM and HVDISP, and in it the accesses to
-- the guest's storage, which its routines FETCH and STORE make.
local function follow(kind)
  local m = load("hypervisor.s", program(kind, FEW))
  local s = hypervisor.symbols
  for _ = 1, FEW / 2 do
    m:run{ until_address = s.HVSIM }
  end
  local begin, accesses, back, entered = m:stats().cycles, 0, nil, nil
  repeat
    m:run{ instructions = 1 }
    if not back and (m.psw.ia == s.FETCH or m.psw.ia == s.STORE) then
      back, entered = m.gpr[14] & 0xFFFFFF, m:stats().cycles
    elseif m.psw.ia == back then
      back, accesses = nil, accesses + m:stats().cycles - entered
    end
  until m.psw.ia == s.HVDISP
  return m:stats().cycles - begin - accesses, accesses
end
local function interpreted(body)
  return measure("hybrid", { body, body }) - measure("hybrid", { "nothing", "DS    0H" })
end
rows = { header = { "hypervisor.s", "path", "accesses", "all", "hybrid monitor", "all" } }
local paths = {}
for _, pair in ipairs{ { "SPKA  0", "LR    6,6" }, { "IPK", "SR    6,6" }, { "STAP  OPERAND", "STH   6,OPERAND" }, { "STPX  OPERAND", "ST    6,OPERAND" } } do
  local path, accesses = follow{ pair[1], pair[1] }
  local all = interpreted(pair[2])
  paths[#paths + 1] = { path = path, ratio = (path + accesses) / all }
  rows[#rows + 1] = { pair[1]:gsub("%s+", " "), path, accesses, path + accesses, pair[2]:gsub("%s+", " "), round(all) }
end
print("Instructions that are interpreted:\n")
table_print(rows)
print()

check("a trap costs about the same in both", 2, function()
  expect(mean).between(0.95, 1.05)
  for kind, ratio in pairs(ratios) do
    if not kind:find("SIO") then expect(ratio).between(0.7, 1.3) end
  end
end)
check("but for SIO: hypervisor.s copies each channel program", 1, function()
  expect(ratios["SIO, its program refused"]).between(1.7, 2.3)
end)
check("so does an instruction that is interpreted", 2, function()
  for _, path in ipairs(paths) do
    expect(path.ratio).between(0.8, 1.25)
  end
end)
