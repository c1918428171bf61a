-- Gives hosts to the task of the claims: all of them or none.
-- ARGV: task id, now, agent's new status, host's new status, then for each claim its seriesId, its token and its host.
-- Returns {'taken'}, {'held', host, holder}, {'missing', host} or {'stale', seriesId}.
local id, now, agent, status = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local task = task_key(id)
for at = 5, #ARGV, 3 do
  if not stands(read(task, ARGV[at]), ARGV[at + 1]) then return {'stale', ARGV[at]} end
  local found = redis.call('HMGET', host_key(ARGV[at + 2]), 'ip', 'holder')
  if not found[1] then return {'missing', ARGV[at + 2]} end
  if found[2] and found[2] ~= id then return {'held', ARGV[at + 2], found[2]} end
end
local taken = 0
for at = 5, #ARGV, 3 do
  local key = host_key(ARGV[at + 2])
  if not redis.call('HGET', key, 'holder') then
    local former = redis.call('HMGET', key, 'agent', 'status')
    redis.call('HSET', key, 'holder', id, 'former_agent', former[1], 'former_status', former[2],
      'agent', agent, 'status', status, 'updated', now)
    taken = taken + 1
  end
end
if taken > 0 then redis.call('HINCRBY', task, 'held', taken) end
return {'taken'}
