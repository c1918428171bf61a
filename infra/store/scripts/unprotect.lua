-- Lifts the protection of hosts. `args`: now, hosts. Returns those that were protected.
local args, lifted = cjson.decode(ARGV[1]), {}
for _, host in ipairs(args.hosts) do
  if redis.call('SREM', P .. 'protected', host) == 1 then
    redis.call('HSET', host_key(host), 'updated', args.now)
    lifted[#lifted + 1] = host
  end
end
return lifted
