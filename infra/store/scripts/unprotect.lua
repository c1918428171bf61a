-- Lifts the protection of hosts. ARGV: now, then the hosts. Returns those that were protected.
local lifted = {}
for at = 2, #ARGV do
  if redis.call('SREM', P .. 'protected', ARGV[at]) == 1 then
    redis.call('HSET', host_key(ARGV[at]), 'updated', ARGV[1])
    lifted[#lifted + 1] = ARGV[at]
  end
end
return lifted
