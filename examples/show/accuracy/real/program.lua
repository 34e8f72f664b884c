-- Coroutines that hand work to each other: numbers are drawn, sorted and summed up. All numbers are whole.
local drawn, sorted = {}, {}

local function draw()
  local state, round = 7, 0
  while round < 40 do
    round = round + 1
    local batch = {}
    for at = 1, 6 do
      state = (state * 48271) % 2147483647
      batch[at] = state % 1000
    end
    drawn[#drawn + 1] = batch
    coroutine.yield()
  end
end

local function sort()
  while true do
    local batch = table.remove(drawn, 1)
    if batch then
      for at = 2, #batch do
        local value, place = batch[at], at
        while place > 1 and batch[place - 1] > value do
          batch[place] = batch[place - 1]
          place = place - 1
        end
        batch[place] = value
      end
      sorted[#sorted + 1] = batch
    end
    coroutine.yield()
  end
end

local function sum()
  local digest = 1
  while true do
    local batch = table.remove(sorted, 1)
    if batch then
      for at = 1, #batch do
        digest = (digest * 31 + batch[at]) % 281474976710656
        local weight = digest * 9
      end
    end
    coroutine.yield()
  end
end

local threads = { spawn("draw", draw), spawn("sort", sort), spawn("sum", sum) }
for turn = 1, 90 do
  for at = 1, #threads do
    if coroutine.status(threads[at]) ~= "dead" then
      assert(coroutine.resume(threads[at]))
    end
  end
end
