-- devices.lua: a deck of cards, a printer, a disk, and the LOAD key. The guest cards.s lists
-- a deck and keeps it on disk: on the bare machine, and under a monitor that gives it devices
-- of its own. Then hello.s is put on cards, and on disk, and is loaded from there.
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

-- The next deck goes into the same hopper.
bare.reader:load{ "ONE MORE", eof = true }
list(bare)
check("another deck is listed behind the first", 1, function()
  expect(bare.printer:text()).contains("NEITHER CAN TELL.\nONE MORE\n")
  expect(bare:word(image.symbols.COUNT)).equals(1)
end)

-- Initial program load. The LOAD key reads 24 bytes from a device to 0: a PSW and two channel
-- command words, with which the channel goes on; at the end the PSW is loaded.
local function ccw(command, address, flags, count)
  return string.pack(">I1I3I1I1I2", command, address, flags, 0, count)
end
local CHAIN, MORE = 0x40, 0x20 -- another CCW follows; the record may be longer or shorter
local READ, TIC = 0x02, 0x08
local PROGRAM = 0xC00 -- where the rest of the channel program goes, behind the guest

-- Cards, for an image of up to 800 bytes: the first one has the PSW, reads the second, and
-- goes on with the ten CCWs on that,
-- which read the image, 80 bytes a card.
local function deck_of(image)
  local psw = image.image:sub(1, 8) -- the image begins at 0, with its restart PSW
  local cards = { psw .. ccw(READ, PROGRAM, CHAIN, 80) .. ccw(TIC, PROGRAM, 0, 1), "" }
  for at = 0, #image.image - 1, 80 do
    local last = at + 80 >= #image.image
    cards[2] = cards[2] .. ccw(READ, at, last and 0 or CHAIN, 80)
    cards[#cards + 1] = image.image:sub(at + 1, at + 80)
  end
  for i, card in ipairs(cards) do
    cards[i] = card .. ("\0"):rep(80 - #card)
  end
  return table.concat(cards)
end

-- Disk: block 0 has the PSW, brings itself as a whole, and goes on inside: locate and read.
local function put_on_disk(disk, image)
  local blocks = (#image.image + 511) // 512
  local block = image.image:sub(1, 8) .. ccw(READ, PROGRAM, CHAIN | MORE, 512) .. ccw(TIC, PROGRAM + 24, 0, 1)
    .. ccw(0x43, PROGRAM + 40, CHAIN, 8) .. ccw(0x42, 0, MORE, 512 * blocks)
    .. string.pack(">I1I1I2I4", 6, 0, blocks, 1) -- what to locate: for reading, so many blocks, from block 1 on
  disk:write(0, block)
  disk:write(1, image.image)
end

local hello = assemble.file("guests/hello.s")
bare.reader:load{ bytes = deck_of(hello) }
put_on_disk(guest.disk, hello)
bare:ipl("00C", { clear = true })
guest:ipl("150", { clear = true })
for _, m in ipairs{ bare, guest } do
  local stop = m:run{ instructions = 1e6 }
  print(("%s: loaded, and %s at %s"):format(m.name, stop.status, hex(stop.address)))
  check(m.name .. " says hello after its load", 1, function()
    expect(stop.address).equals(0)
    expect(m.console:text()).equals("HELLO FROM SYSTEM/370\n")
  end)
end
