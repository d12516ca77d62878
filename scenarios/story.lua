-- story.lua: one trap, told step by step: what was executed, what interrupted, what was decided, who
-- did what, and what each step cost. The same instruction in three worlds: under the monitor in C,
-- under hypervisor.s, and under hypervisor.s under the monitor in C.
--
--     cloud370 run scenarios/story.lua

local hypervisor = assemble.file("guests/hypervisor.s")
local walk = assemble.file("guests/walk.s")

-- C is the monitor in C, A is hypervisor.s; the first one has the real machine.
local function build(order)
  local ROOM = { A = 216, C = 192 } -- KB that each needs besides its guest
  local size = 64
  for kind in order:gmatch(".") do size = size + ROOM[kind] end
  local m = machine.new{ memory = size .. "K" }
  for kind in order:gmatch(".") do
    size = size - ROOM[kind]
    if kind == "A" then
      m:load(hypervisor)
      m = vmm.map{ on = m, memory = size .. "K" }
    else
      m = vmm.new{ on = m }:guest{ memory = size .. "K" }
    end
  end
  m:load(walk)
  m:restart()
  return m
end

local function tell(story)
  local rows = { header = { "level", "what", "", "cycles", "" } }
  for i, step in ipairs(story) do
    rows[i] = { step.level, step.kind, step.label, step.cycles, step.text }
  end
  table_print(rows)
  print(string.format("%d cycles\n", story.cycles))
end

local function kinds_of(story, level)
  local list = {}
  for _, step in ipairs(story) do
    if step.level == level then list[#list + 1] = step.kind end
  end
  return table.concat(list, " ")
end

local stories = {}
for _, order in ipairs{ "C", "A", "CA" } do
  local g = build(order)
  g:follow(hypervisor) -- its labels tell; the monitor in C tells by itself
  g:run{ until_address = 0x204 } -- LCTL, privileged
  g:run{ instructions = 1 }
  local story = g:story()
  stories[order] = story
  print("LCTL at 000204, " .. order .. ":\n")
  tell(story)
end

check("a story goes from an instruction to the next one", 1, function()
  for _, story in pairs(stories) do
    expect(story[1].kind).equals("instruction")
    expect(story[1].label).equals("LCTL")
    expect(story[#story].kind).equals("resumption")
    expect(story.whole).equals(true)
  end
end)
check("every cycle is some step's", 1, function()
  for _, story in pairs(stories) do
    local sum = 0
    for _, step in ipairs(story) do sum = sum + step.cycles end
    expect(sum).equals(story.cycles)
  end
end)
check("an upper monitor does what it would do alone", 1, function()
  local alone = kinds_of(stories.A, 0):gsub("^interruption ", "")
  expect(kinds_of(stories.CA, 1)).equals(alone)
end)
