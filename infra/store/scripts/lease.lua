-- Leases hosts: all of them or none. ARGV: lease, purpose, ms for which it lasts, then the hosts.
-- Returns {'leased'}, {'held', host, holder}, {'protected', host}, {'missing', host} or {'busy', host, purpose, ms left}.
for at = 4, #ARGV do
  local ip, holder = unpack(redis.call('HMGET', host_key(ARGV[at]), 'ip', 'holder'))
  if not ip then return {'missing', ARGV[at]} end
  if holder then return {'held', ARGV[at], holder} end
  if protected(ARGV[at]) then return {'protected', ARGV[at]} end
  local lease, purpose, left = leased(ARGV[at])
  if lease and lease ~= ARGV[1] then return {'busy', ARGV[at], purpose, left} end
end
for at = 4, #ARGV do
  redis.call('SET', busy_key(ARGV[at]), ARGV[1] .. ' ' .. ARGV[2], 'PX', ARGV[3])
end
return {'leased'}
