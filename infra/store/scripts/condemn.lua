-- Calls a worker lost, unless it has beaten meanwhile: from now on it is given nothing, and its next beat tells it so.
-- ARGV: worker's number, its counter as it was seen last. Returns 1 where it is lost.
local beats, worker = P .. 'beats', ARGV[1]
if redis.call('HEXISTS', P .. 'workers', worker) == 0 then return 0 end
local counter = redis.call('HGET', beats, worker) or '0'
if counter ~= ARGV[2] then return 0 end
redis.call('HSET', beats, worker, LOST)
redis.call('DEL', P .. 'alive:' .. worker)
return 1
