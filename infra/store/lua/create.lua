-- Stores a task: head, host list, index entries, first event. Nothing of its subtasks: nothing happened to them yet.
-- ARGV: version, type, creator's id, creator's name, executor, trace id, now, number of subtasks, 1 if it is about a single
--   host, then the host ids.
-- Returns the task's id and its first subtask's id.
unlist_expired(ARGV[7], 20)
local total = tonumber(ARGV[8])
local id = redis.call('INCR', P .. 'seq:task')
local first = redis.call('INCRBY', P .. 'seq:subtask', total) - total + 1
local task = task_key(int(id))
redis.call('HSET', task, 'version', ARGV[1], 'type', ARGV[2], 'creator_id', ARGV[3], 'creator', ARGV[4],
  'executor', ARGV[5], 'trace', ARGV[6], 'started', ARGV[7], 'status', 'RUNNING', 'operation', 'EXECUTE',
  'opened', 0, 'token', 0, 'held', 0, 'hosts', #ARGV - 9, 'first', int(first))
for from = 10, #ARGV, 4000 do
  redis.call('RPUSH', task .. ':hosts', unpack(ARGV, from, math.min(from + 3999, #ARGV)))
end
redis.call('ZADD', P .. 'tasks', int(id), int(id))
local entry = 'RUNNING ' .. ARGV[2] .. ' ' .. (ARGV[9] == '1' and ARGV[10] or '-') .. ' ' .. ARGV[4]
index('ZADD', int(id), entry)
redis.call('HSET', P .. 'tasks:indexed', int(id), entry)
redis.call('SADD', P .. 'types', ARGV[2])
event(task, ARGV[7], {'task', 'RUNNING', 'opened', 0})
return {id, first}
