-- Calls a worker lost, unless it has beaten meanwhile: from now on it is given nothing, and its next beat tells it so.
-- `args`: worker (its number), counter (as it was seen last). Returns 1 where it is lost.
local args = cjson.decode(ARGV[1])
local beats, worker = P .. 'beats', args.worker
if redis.call('HEXISTS', P .. 'workers', worker) == 0 then return 0 end
if tonumber(redis.call('HGET', beats, worker) or '0') ~= args.counter then return 0 end
redis.call('HSET', beats, worker, LOST)
redis.call('DEL', P .. 'alive:' .. worker)
return 1
