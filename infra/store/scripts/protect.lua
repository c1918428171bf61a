-- uses: hosts
-- Protects hosts, so that nobody works on them: all of them or none. `args`: now, hosts.
-- Returns {'protected', the last host}, {'held', host, holder}, {'missing', host} or {'busy', host, purpose, ms left}.
local args = cjson.decode(ARGV[1])
for _, host in ipairs(args.hosts) do
  local ip, holder = unpack(redis.call('HMGET', host_key(host), 'ip', 'holder'))
  if not ip then return {'missing', host} end
  if holder then return {'held', host, holder} end
  local lease, purpose, left = leased(host)
  if lease then return {'busy', host, purpose, left} end
end
for _, host in ipairs(args.hosts) do
  if redis.call('SADD', P .. 'protected', host) == 1 then redis.call('HSET', host_key(host), 'updated', args.now) end
end
return {'protected', args.hosts[#args.hosts]}
