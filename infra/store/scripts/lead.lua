-- Makes a worker the one that reconciles, unless another one is that the record knows and the caller does not count as
-- lost. ARGV: worker's number, ms, the newest version of a record that it knows: there is one for each; the numbers of
-- lost workers. Returns 1 where it is.
local key = P .. 'reconciler:' .. ARGV[3]
local holder = redis.call('GET', key)

local function leads()
  for at = 4, #ARGV do
    if ARGV[at] == holder then return false end
  end
  return redis.call('HEXISTS', P .. 'workers', holder) == 1
end

if holder and holder ~= ARGV[1] and leads() then return 0 end
redis.call('SET', key, ARGV[1], 'PX', ARGV[2])
return 1
