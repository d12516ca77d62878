-- first-trap.lua: your first trap in ten minutes. A lab for the terminal UI:
--
--     cloud370 tui scenarios/labs/first-trap.lua

local image = assemble.file("first-trap.s")
local ASK, BEHIND, NAME = image.symbols.ASK, image.symbols.BEHIND, image.symbols.NAME

local host = machine.new{ memory = "1M", name = "host" }
local monitor = vmm.new{ on = host }
local guest = monitor:guest{ memory = "64K", name = "guest" }
guest:load(image)
guest:restart()

local function at(address) return guest.psw.ia == address end
local function answered() return guest:word(NAME) ~= 0 end
local was_back = false

lab{
  title = "Your first trap",
  text = [[
A guest believes that it owns a machine. In truth a monitor is below it, and some of what it does never reaches the CPU: it traps. Watch one.

s is a step, r a step back. j and k scroll this text, + shows it large, ? has all keys. Other panes may cover this one: i brings it back.
]],
  steps = {
    { name = "Ordinary instructions",
      text = [[
The pane code shows the guest's program; the marked line comes next. Press s until AR 1,2 is done: then R1 in the pane state is 0000002A, 42.

The CPU did this by itself, at full speed. (The very first instruction did trap: its page was not in the monitor's table yet. Later.)]],
      check = function() return guest.gpr[1] == 42 end },
    { name = "What it believes, and what is",
      text = [[
Press 3: the pane nest, the tower of machines. Compare two lines of the guest: it believes to be in supervisor state; the CPU, while it runs, is in problem state.]],
      check = function(now) return now.pane == "nest" end },
    { name = "The trap",
      text = [[
That is the whole trick: in problem state a privileged instruction is not executed, it traps. STIDP comes next, "store CPU ID", privileged; e explains it.

Press x: it runs until another machine executes.]],
      check = function(now) return now.running and now.running.name == "host" and at(ASK) and not answered() end },
    { name = "Behind the trap",
      text = [[
STIDP was not done. The CPU has stored where the guest was, loaded another PSW, and is in supervisor state: at the monitor's door. For the guest no time has passed.

Press < to look at the host.]],
      check = function(now) return now.machine and now.machine.name == "host" and host:word(0x8C) & 0xFFFF == 2 end },
    { name = "The answer",
      text = [[
The host's PSW says supervisor, and its word at 8C ends with 0002: privileged operation (:pane storage 80 shows it).

Press > to go back to the guest, then x: the monitor reads what was to be done, does it to the guest's virtual machine, and gives the CPU back.

Then press 4: the pane trap tells it as a story.]],
      check = function(now) return at(BEHIND) and answered() and now.pane == "trap" end },
    { name = "Back across it",
      text = [[
Press r: the trap is undone, with all the monitor did. Press s: it is done again, to the same bit.

A step of the guest is one instruction: it cannot tell that a monitor did one.]],
      check = function()
        was_back = was_back or (at(ASK) and not answered())
        return was_back and at(BEHIND) and answered()
      end },
    { name = "The bill",
      text = [[
Press 8: the invoice. L1 is the guest: cycles in which it ran by itself. L0 is the host: what its monitor took. Behind a + stands what the last step cost: one instruction, and hundreds of cycles.]],
      check = function(now) return now.pane == "invoice" end },
  },
  ending = [[
You have seen trap and emulate: a guest in problem state, a trap, a monitor that interprets, and the way back. All virtual machines of this kind are made of it.

C lets the program end. Next: scenarios/labs/first-walk.lua, and then a monitor on a monitor: scenarios/nesting.lua.]],
  checks = { "the guest has an answer, and has ended" },
}

guest:run()

check("the guest has an answer, and has ended", 1, function()
  expect(guest.status).equals("disabled-wait")
  expect(guest.gpr[3]).equals(guest:word(NAME))
  expect(guest.gpr[3]).not_.equals(0)
end)
