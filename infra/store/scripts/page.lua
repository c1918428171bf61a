-- uses: tasks
-- A page of the tasks that have one of several statuses and types. Every task stands in one cell (its status and type)
-- of each scope (all, a creator, a host), so the tasks asked for are those of some cells, and none is in two of them.
-- `args`: now, ascending (oldest first), offset, limit, scope, statuses, types (none for every type).
-- Returns {how many there are in all, {ids}}.
local args = cjson.decode(ARGV[1])
local ascending, offset, limit = args.ascending, args.offset, args.limit
unlist_expired(args.now, 500)

local types = args.types or redis.call('SMEMBERS', P .. 'types')
local cells, total = {}, 0
for _, status in ipairs(args.statuses) do
  for _, slug in ipairs(types) do
    local cell = P .. 'tasks:' .. status .. ':' .. slug .. args.scope
    local size = redis.call('ZCARD', cell)
    if size > 0 then cells[#cells + 1] = cell end
    total = total + size
  end
end
if offset >= total then return {total, {}} end

-- The id of which exactly `rank` are newer, by halving the range of ids.
local newest_of_all = tonumber(redis.call('GET', P .. 'seq:task'))
local function at_rank(rank)
  local low, high = 1, newest_of_all
  while low < high do
    local middle, from = math.ceil((low + high) / 2), 0
    for _, cell in ipairs(cells) do from = from + redis.call('ZCOUNT', cell, int(middle), '+inf') end
    if from > rank then low = middle else high = middle - 1 end
  end
  return int(low)
end

local upto = math.min(offset + limit, total) - 1
local newest, oldest
if ascending then
  newest, oldest = at_rank(total - 1 - upto), at_rank(total - 1 - offset)
else
  newest, oldest = at_rank(offset), at_rank(upto)
end
local ids = {}
for _, cell in ipairs(cells) do
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', cell, oldest, newest)) do ids[#ids + 1] = tonumber(id) end
end
if ascending then
  table.sort(ids)
else
  table.sort(ids, function(one, other) return one > other end)
end
return {total, ids}
