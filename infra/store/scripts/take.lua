-- uses: hosts, records
-- Gives hosts to the task of the claims: all of them or none.
-- `args`: id (of the task), now, agent and status (of the hosts from now on), claims (seriesId, token and host of each).
-- Returns {'taken'}, {'held', host, holder}, {'protected', host}, {'busy', host, purpose, ms left}, {'missing', host} or
--   {'stale', seriesId}.
local args = cjson.decode(ARGV[1])
local id, task = args.id, task_key(args.id)
local records, free, leases = read_claimed(task, args.claims), {}, {}
for i, claim in ipairs(args.claims) do leases[i] = busy_key(claim[3]) end
leases = redis.call('MGET', unpack(leases))
for i, claim in ipairs(args.claims) do
  local sid, token, host = unpack(claim)
  if not stands(records[sid], token) then return {'stale', sid} end
  local ip, holder, former_agent, former_status =
    unpack(redis.call('HMGET', host_key(host), 'ip', 'holder', 'agent', 'status'))
  if not ip then return {'missing', host} end
  if holder and holder ~= id then return {'held', host, holder} end
  if not holder and protected(host) then return {'protected', host} end
  if not holder and leases[i] then
    local _, purpose, left = leased(host)
    return {'busy', host, purpose, left}
  end
  if not holder then free[host] = {former_agent, former_status} end
end
local taken = 0
for host, former in pairs(free) do
  redis.call('HSET', host_key(host), 'holder', id, 'former_agent', former[1], 'former_status', former[2],
    'agent', args.agent, 'status', args.status, 'updated', args.now)
  redis.call('HDEL', host_key(host), 'past')
  taken = taken + 1
end
if taken > 0 then redis.call('HINCRBY', task, 'held', taken) end
return {'taken'}
