-- Pins a host's public key. ARGV: host, key, now, 1 to replace one that is pinned. Returns 1 where it was pinned.
local key = host_key(ARGV[1])
if redis.call('EXISTS', key) == 0 then return 0 end
if ARGV[4] ~= '1' and redis.call('HEXISTS', key, 'key') == 1 then return 0 end
redis.call('HSET', key, 'key', ARGV[2], 'updated', ARGV[3])
return 1
