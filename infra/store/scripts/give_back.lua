-- uses: records
-- Frees the hosts of the claims that their task holds.
-- `args`: id (of the task), now, agent and status (of the hosts from now on; none restore what was before), claims
--   (seriesId, token and host of each). Returns the hosts that were freed.
local args = cjson.decode(ARGV[1])
local id, task, freed = args.id, task_key(args.id), {}
local records = read_claimed(task, args.claims)
for _, claim in ipairs(args.claims) do
  local sid, token, host = unpack(claim)
  local key = host_key(host)
  local holder, former_agent, former_status =
    unpack(redis.call('HMGET', key, 'holder', 'former_agent', 'former_status'))
  if stands(records[sid], token) and holder == id then
    if args.agent then
      local own = args.agent == former_agent and former_status or args.status  -- an idle host stays idle
      redis.call('HSET', key, 'agent', args.agent, 'status', own, 'updated', args.now,
        'past', id .. ' ' .. former_agent .. ' ' .. former_status)
    else
      redis.call('HSET', key, 'agent', former_agent, 'status', former_status, 'updated', args.now)
    end
    redis.call('HDEL', key, 'holder', 'former_agent', 'former_status')
    freed[#freed + 1] = host
  end
end
if #freed > 0 then redis.call('HINCRBY', task, 'held', -#freed) end
return freed
