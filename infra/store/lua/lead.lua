-- Makes a worker the one that reconciles, unless another one is. ARGV: worker's number, ms, the newest version of a record
-- that it knows: there is one for each. Returns 1 where it is.
local key = P .. 'reconciler:' .. ARGV[3]
local holder = redis.call('GET', key)
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', key, ARGV[1], 'PX', ARGV[2])
return 1
