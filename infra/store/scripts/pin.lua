-- Pins a host's public key. `args`: host, key, now, replace (whether one that is pinned is replaced). Returns 1 where it
-- was pinned.
local args = cjson.decode(ARGV[1])
local host = host_key(args.host)
if redis.call('EXISTS', host) == 0 then return 0 end
if not args.replace and redis.call('HEXISTS', host, 'key') == 1 then return 0 end
redis.call('HSET', host, 'key', args.key, 'updated', args.now)
return 1
