-- Notes the version of a host's agent. ARGV: host, version, now.
local key = host_key(ARGV[1])
if redis.call('EXISTS', key) == 0 then return 0 end
redis.call('HSET', key, 'version', ARGV[2], 'updated', ARGV[3])
return 1
