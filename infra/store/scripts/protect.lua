-- Protects hosts, so that nobody works on them: all of them or none. ARGV: now, then the hosts.
-- Returns {'protected', the last host}, {'held', host, holder}, {'missing', host} or {'busy', host, purpose, ms left}.
for at = 2, #ARGV do
  local ip, holder = unpack(redis.call('HMGET', host_key(ARGV[at]), 'ip', 'holder'))
  if not ip then return {'missing', ARGV[at]} end
  if holder then return {'held', ARGV[at], holder} end
  local lease, purpose, left = leased(ARGV[at])
  if lease then return {'busy', ARGV[at], purpose, left} end
end
for at = 2, #ARGV do
  if redis.call('SADD', P .. 'protected', ARGV[at]) == 1 then
    redis.call('HSET', host_key(ARGV[at]), 'updated', ARGV[1])
  end
end
return {'protected', ARGV[#ARGV]}
