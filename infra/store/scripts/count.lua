-- Adds one to each counter and says for how long it stands. ARGV: ms, names. Returns the new counts.
local counts = {}
for at = 2, #ARGV do
  local key = P .. 'count:' .. ARGV[at]
  counts[at - 1] = redis.call('INCR', key)
  redis.call('PEXPIRE', key, ARGV[1])
end
return counts
