-- Notes the version of a host's agent. `args`: host, version, now.
local args = cjson.decode(ARGV[1])
local host = host_key(args.host)
if redis.call('EXISTS', host) == 0 then return 0 end
redis.call('HSET', host, 'version', args.version, 'updated', args.now)
return 1
