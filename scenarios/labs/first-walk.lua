-- first-walk.lua: your first page-table walk in ten minutes. A lab for the terminal UI:
--
--     cloud370 tui scenarios/labs/first-walk.lua
--
-- The same program twice: on the bare machine, then as a guest.

local image = assemble.file("first-walk.s")
local FAULT, AGAIN = image.symbols.FAULT, image.symbols.AGAIN
local HERE = 0xC8C5D9C5 -- "HERE" in EBCDIC

local bare = machine.new{ memory = "64K", name = "bare" }
bare:load(image)
bare:restart()

local host = machine.new{ memory = "1M", name = "host" }
local guest = vmm.new{ on = host }:guest{ memory = "64K", name = "guest" }
guest:load(image)
guest:restart()

local function walked(now, address)
  return now.command == "pane" and now.arguments:match("^walk +0*" .. address .. " *$")
end

lab{
  title = "Your first page-table walk",
  text = [[
A virtual address is not a place in storage. The CPU looks it up in two tables. Follow it, once, step by step.

s is a step, r a step back. j and k scroll this text, + shows it large, ? has all keys. Other panes may cover this one: i brings it back.
]],
  steps = {
    { name = "Turn translation on",
      text = [[
The program loads control register 1 (where the segment table is) and a PSW whose DAT bit is on. Press s until the pane state says DAT on.]],
      check = function() return bare.psw.dat end },
    { name = "A walk, by hand",
      text = [[
Type :pane walk 5000 and Enter. Virtual 005000 has three parts:

 00   segment index
 5    page index
 000  byte in the page]],
      check = function(now) return walked(now, "5000") and bare.psw.dat end },
    { name = "The CPU walks",
      text = [[
In the pane walk: segment entry 0 says where the page table is; its entry 5 is 0080. The first three digits, 008, are the frame, the last has flags. So 005000 is real 008000.

Press s until L 2,0(3) is done. R2 is C8C5D9C5, HERE in EBCDIC: it came from real 008000, as you found.]],
      check = function() return bare.gpr[2] == HERE end },
    { name = "A page that is not there",
      text = [[
Type :pane walk 6000. Its page entry should be 0090; look at what it is. A store to 006000 comes next but one.]],
      check = function(now) return walked(now, "6000") end },
    { name = "The page fault",
      text = [[
It is 0098: the 8 is the invalid bit, and the walk ends there.

Press t: it runs to the next interruption. The CPU gave up the store and stored why: code 0011 at 8E, the address 006000 at 90 (:pane storage 80). Its old PSW, at 28, points to the store itself: nothing of it was done.]],
      check = function() return bare:word(0x8C) & 0xFFFF == 0x11 and bare.psw.ia == FAULT end },
    { name = "The repair",
      text = [[
Press s: NI clears the bit; the entry was 0098 and is 0090. Press s again: LPSW loads the old PSW, translation is on, and the pane walk shows the way to 006000: frame 009000.]],
      check = function() return bare.psw.dat and bare:walk(0x6000).result == "ok" end },
    { name = "The same store again",
      text = [[
Press s: the store comes once more, as if nothing had been, and is done. HERE stands at real 009000 too.

r undoes it. Back across the fault and forward again is the same way.]],
      check = function() return bare:word(0x9000) == HERE and bare.psw.ia == AGAIN end },
    { name = "Why it is fast",
      text = [[
Two table entries for every access would be slow, so the CPU remembers what it has found. Press y: the pane TLB. It has the pages that were used, with their frames.]],
      check = function(now) return now.pane == "tlb" end },
    { name = "The same as a guest",
      text = [[
Press C: the scenario goes on, with the same program as a guest of a monitor. Press s until the upper line says DAT, and twice more; type :pane walk 5000.

The guest's tables lead to 008000 again; but what the guest calls real is not. The monitor has put its storage somewhere else in the host, and the CPU runs the guest under a shadow table that leads there at once.]],
      check = function(now)
        return guest.psw.dat and walked(now, "5000") and now.machine.name == "guest"
      end },
  },
  ending = [[
You have walked segment table and page table, seen a page fault and its repair, and the second translation below the first.

C lets it end. Next: demand paging with a disk, scenarios/paging.lua, and docs/shadow-paging.md.]],
  checks = { "the page was there the second time", "the guest found the same" },
}

bare:run()
check("the page was there the second time", 1, function()
  expect(bare.status).equals("disabled-wait")
  expect(bare:word(0x9000)).equals(HERE)
end)

guest:run()
check("the guest found the same", 1, function()
  expect(guest.status).equals("disabled-wait")
  expect(guest:word(0x9000)).equals(HERE)
end)
