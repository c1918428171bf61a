-- Raises a worker's counter and says for how long it counts as alive. ARGV: worker's number, ms.
-- Returns {1, {its cancelled claims}}, or {0, {}} where the record does not know the worker, or calls it lost.
if not is_known(ARGV[1]) then return {0, {}} end
redis.call('HINCRBY', P .. 'beats', ARGV[1], 1)
redis.call('SET', P .. 'alive:' .. ARGV[1], 1, 'PX', ARGV[2])
return {1, redis.call('SMEMBERS', P .. 'cancels:' .. ARGV[1])}
