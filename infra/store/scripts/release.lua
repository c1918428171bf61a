-- Frees a host from the task that holds it, on a person's word.
-- ARGV: host, the task that is said to hold it, now, agent's and host's status from now on or '' to restore both, the step
--   that the task is at, the host's subtask in it or '-', number of subtasks of the task, ms to keep a finished task, ms to
--   keep its events.
-- Returns 'freed'; 'busy' where a run works on the host; 'moved' where host or task are not as they are said to be.
local host, id, now, agent, status = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local step, sid, total, keep_ms, events_ms = ARGV[6], ARGV[7], tonumber(ARGV[8]), ARGV[9], ARGV[10]
local key, task = host_key(host), task_key(id)
local holder, former_agent, former_status = unpack(redis.call('HMGET', key, 'holder', 'former_agent', 'former_status'))
if holder ~= id then return 'moved' end
local opened, back = unpack(redis.call('HMGET', task, 'opened', 'back'))
if opened and (back or opened) ~= step then return 'moved' end
local r = sid ~= '-' and read(task, {sid}, {})[sid]
if r and (r.status == 'R' or r.status == 'C') then return 'busy' end
local same = agent == '' or agent == former_agent
redis.call('HSET', key, 'agent', same and former_agent or agent, 'status', same and former_status or status,
  'updated', now)
redis.call('HDEL', key, 'holder', 'former_agent', 'former_status')
if opened then
  redis.call('HINCRBY', task, 'held', -1)
  retire(task, id, total, tonumber(now), keep_ms, events_ms)
end
return 'freed'
