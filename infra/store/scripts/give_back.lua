-- Frees the hosts of the claims that their task holds.
-- ARGV: task id, now, agent's and host's status from now on or '' to restore both, then for each claim its seriesId, its
--   token and its host. Returns the hosts that were freed.
local id, now, agent, status = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local task, freed = task_key(id), {}
local records = read_claimed(task, 5)
for at = 5, #ARGV, 3 do
  local host = ARGV[at + 2]
  local key = host_key(host)
  if stands(records[ARGV[at]], ARGV[at + 1]) then
    local holder, former_agent, former_status =
      unpack(redis.call('HMGET', key, 'holder', 'former_agent', 'former_status'))
    if holder == id then
      if agent == '' then
        redis.call('HSET', key, 'agent', former_agent, 'status', former_status, 'updated', now)
      else
        local own = agent == former_agent and former_status or status  -- an idle host stays idle
        redis.call('HSET', key, 'agent', agent, 'status', own, 'updated', now,
          'past', id .. ' ' .. former_agent .. ' ' .. former_status)
      end
      redis.call('HDEL', key, 'holder', 'former_agent', 'former_status')
      freed[#freed + 1] = host
    end
  end
end
if #freed > 0 then redis.call('HINCRBY', task, 'held', -#freed) end
return freed
