-- uses: hosts, records
-- Gives hosts to the task of the claims again that it gave back, as far as no other task has had them since.
-- `args`: id (of the task), now, agent and status (of the hosts from now on), claims (seriesId, token and host of each).
-- Returns for each claim 0 where the task holds the host, the id of the task that holds it, {purpose, ms left} of the
-- lease that stands on it, 'protected', or -1 where it is not to be had: another task had it meanwhile, it is not in the
-- inventory any more, or the claim no longer stands.
local args = cjson.decode(ARGV[1])
local id, task, answers, taken = args.id, task_key(args.id), {}, 0
local records = read_claimed(task, args.claims)

local function retake(host)
  local key = host_key(host)
  local holder, past = unpack(redis.call('HMGET', key, 'holder', 'past'))
  if holder then return holder == id and 0 or tonumber(holder) end
  local whose, former_agent, former_status = string.match(past or '', '^(%d+) (%S+) (%S+)$')
  if whose ~= id then return -1 end
  if protected(host) then return 'protected' end
  local lease, purpose, left = leased(host)
  if lease then return {purpose, left} end
  redis.call('HSET', key, 'holder', id, 'former_agent', former_agent, 'former_status', former_status,
    'agent', args.agent, 'status', args.status, 'updated', args.now)
  redis.call('HDEL', key, 'past')
  taken = taken + 1
  return 0
end

for i, claim in ipairs(args.claims) do
  local sid, token, host = unpack(claim)
  answers[i] = stands(records[sid], token) and retake(host) or -1
end
if taken > 0 then redis.call('HINCRBY', task, 'held', taken) end
return answers
