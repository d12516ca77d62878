-- devices.lua: a deck of cards, a printer, a disk. The guest cards.s lists a deck and keeps
-- it on disk: on the bare machine, and under a monitor that gives it devices of its own.
--
--     cloud370 run scenarios/devices.lua

local deck = {
  "THE DEVICES OF A MACHINE ARE ITS OWN,",
  "AND SO ARE THOSE OF A VIRTUAL MACHINE:",
  "NEITHER CAN TELL.",
  eof = true, -- without it, the reader waits for more cards
}
local image = assemble.file("guests/cards.s")

-- The same three devices twice.
local bare = machine.new{ memory = "64K", disk = { blocks = 1000 }, cards = deck, nominal = true, name = "real" }
local host = machine.new{ memory = "1M", nominal = true, name = "host" }
local guest = vmm.new{ on = host }:guest{ memory = "64K", disk = { blocks = 1000 }, cards = deck, name = "guest" }

local function list(m)
  m:load(image)
  m:restart()
  return m:run{ instructions = 1e6 }
end

for _, m in ipairs{ bare, guest } do
  print(("%s: %d cards in the hopper"):format(m.name, m.reader.cards))
  local stop = list(m)
  local count = m:word(image.symbols.COUNT)
  print(("%s: %s at %s, %d cards listed"):format(m.name, stop.status, hex(stop.address), count))
  print(m.printer:text())

  check(m.name .. " lists every card", 1, function()
    expect(stop.status).equals("disabled-wait")
    expect(stop.address).equals(0)
    expect(count).equals(#deck)
    expect(m.reader.cards).equals(0)
    expect(m.printer:text()).equals(table.concat(deck, "\n") .. "\n")
  end)
end

check("both disks have the same blocks", 1, function()
  for block = 0, #deck do
    expect(guest.disk:read(block)).equals(bare.disk:read(block))
  end
  expect(bare.disk:read(#deck)).equals(("\0"):rep(512)) -- the first one that was not written
end)

-- An operator who forgot the last card, and puts it in while the program is stopped.
bare.reader:load{ "ONE MORE", eof = true }
list(bare)
check("the next deck is read from the same hopper", 1, function()
  expect(bare.printer:text()).contains("NEITHER CAN TELL.\nONE MORE\n")
  expect(bare:word(image.symbols.COUNT)).equals(1)
end)
