-- uses: hosts
-- Leases hosts: all of them or none. `args`: lease, purpose, lasts (ms), hosts.
-- Returns {'leased'}, {'held', host, holder}, {'protected', host}, {'missing', host} or {'busy', host, purpose, ms left}.
local args = cjson.decode(ARGV[1])
for _, host in ipairs(args.hosts) do
  local ip, holder = unpack(redis.call('HMGET', host_key(host), 'ip', 'holder'))
  if not ip then return {'missing', host} end
  if holder then return {'held', host, holder} end
  if protected(host) then return {'protected', host} end
  local lease, purpose, left = leased(host)
  if lease and lease ~= args.lease then return {'busy', host, purpose, left} end
end
for _, host in ipairs(args.hosts) do
  redis.call('SET', busy_key(host), args.lease .. ' ' .. args.purpose, 'PX', args.lasts)
end
return {'leased'}
