-- Takes a worker out of the record, and what is left of it, unless it has claims left. `args`: worker (its number).
-- Claims of tasks that are gone do not count: nobody can open them again. Returns 1 where it is out of the record.
local worker = cjson.decode(ARGV[1]).worker
local claims, there, gone = P .. 'claims:' .. worker, {}, {}
for _, claim in ipairs(redis.call('HKEYS', claims)) do
  local id = string.match(claim, '^(%d+):')
  if there[id] == nil then there[id] = redis.call('EXISTS', task_key(id)) == 1 end
  if not there[id] then gone[#gone + 1] = claim end
end
call_all('HDEL', claims, gone)
if redis.call('EXISTS', claims) == 1 then return 0 end
redis.call('HDEL', P .. 'workers', worker)
redis.call('HDEL', P .. 'beats', worker)
redis.call('DEL', P .. 'alive:' .. worker, P .. 'cancels:' .. worker, P .. 'suspect:' .. worker)
return 1
