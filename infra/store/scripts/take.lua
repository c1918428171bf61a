-- Gives hosts to the task of the claims: all of them or none.
-- ARGV: task id, now, agent's new status, host's new status, then for each claim its seriesId, its token and its host.
-- Returns {'taken'}, {'held', host, holder}, {'protected', host}, {'busy', host, purpose, ms left}, {'missing', host} or
--   {'stale', seriesId}.
local id, now, agent, status = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local task = task_key(id)
local records, free, leases = read_claimed(task, 5), {}, {}
for at = 5, #ARGV, 3 do leases[#leases + 1] = busy_key(ARGV[at + 2]) end
leases = redis.call('MGET', unpack(leases))
for at = 5, #ARGV, 3 do
  local host = ARGV[at + 2]
  if not stands(records[ARGV[at]], ARGV[at + 1]) then return {'stale', ARGV[at]} end
  local ip, holder, former_agent, former_status =
    unpack(redis.call('HMGET', host_key(host), 'ip', 'holder', 'agent', 'status'))
  if not ip then return {'missing', host} end
  if holder and holder ~= id then return {'held', host, holder} end
  if not holder and protected(host) then return {'protected', host} end
  if not holder and leases[(at - 2) / 3] then
    local _, purpose, left = leased(host)
    return {'busy', host, purpose, left}
  end
  if not holder then free[host] = {former_agent, former_status} end
end
local taken = 0
for host, former in pairs(free) do
  redis.call('HSET', host_key(host), 'holder', id, 'former_agent', former[1], 'former_status', former[2],
    'agent', agent, 'status', status, 'updated', now)
  redis.call('HDEL', host_key(host), 'past')
  taken = taken + 1
end
if taken > 0 then redis.call('HINCRBY', task, 'held', taken) end
return {'taken'}
