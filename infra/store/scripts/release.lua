-- uses: records, tasks
-- Frees a host from the task that holds it, on a person's word.
-- `args`: host, id (of the task that is said to hold it), now, agent and status (of the host from now on; none restore
--   both), step (that the task is at; none where there is no such task), sid (the host's subtask in that step, if it has
--   one), total (subtasks of the task), keep_ms, events_ms.
-- Returns 'freed'; 'busy' where a run works on the host; 'moved' where host or task are not as they are said to be.
local args = cjson.decode(ARGV[1])
local key, task = host_key(args.host), task_key(args.id)
local holder, former_agent, former_status = unpack(redis.call('HMGET', key, 'holder', 'former_agent', 'former_status'))
if holder ~= args.id then return 'moved' end
local opened, back = unpack(redis.call('HMGET', task, 'opened', 'back'))
if opened and tonumber(back or opened) ~= args.step then return 'moved' end
local r = args.sid and read(task, {args.sid}, {})[args.sid]
if r and string.find(GOING_ON, r.status, 1, true) then return 'busy' end
local same = not args.agent or args.agent == former_agent
redis.call('HSET', key, 'agent', same and former_agent or args.agent, 'status', same and former_status or args.status,
  'updated', args.now)
redis.call('HDEL', key, 'holder', 'former_agent', 'former_status')
if opened then
  redis.call('HINCRBY', task, 'held', -1)
  retire(task, args.id, args.total, args.now, args.keep_ms, args.events_ms)
end
return 'freed'
