local c = coroutine.wrap(function(...) local x <close> = setmetatable({}, {__close = function() error("e") end})
for i, v in ipairs{...} do coroutine.yield(i, pcall(error, v)) end end)
print(pcall(c, 1, 2), pcall(c), pcall(c), pcall(c)) print(xpcall(error, function(m) return m end, {}))
local d = coroutine.create(print) print(coroutine.resume(d), coroutine.close(d), coroutine.status(d))
