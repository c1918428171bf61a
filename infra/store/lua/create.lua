-- Stores a task: head, host list, index entries, first event. Nothing of its subtasks: nothing happened to them yet.
-- ARGV: version, type, creator's id, creator's name, executor, trace id, now, number of subtasks, 1 if it is about a single
--   host, the client's key for this request or '', a digest of what it asks for, ms for which the key holds, then the host
--   ids.
-- Returns {'made', task, first subtask}, or where the key holds already {'known', task} or {'other'}, another request's.
local once = ARGV[10] ~= '' and P .. 'once:' .. ARGV[3] .. ':' .. ARGV[10]
local former = once and redis.call('GET', once)
if former then
  local known, digest = string.match(former, '^(%d+) (%x+)$')
  if redis.call('EXISTS', task_key(known)) == 1 then
    return digest == ARGV[11] and {'known', tonumber(known)} or {'other'}
  end
end
unlist_expired(ARGV[7], 20)
local total = tonumber(ARGV[8])
local id = redis.call('INCR', P .. 'seq:task')
local first = redis.call('INCRBY', P .. 'seq:subtask', total) - total + 1
local task = task_key(int(id))
redis.call('HSET', task, 'version', ARGV[1], 'type', ARGV[2], 'creator_id', ARGV[3], 'creator', ARGV[4],
  'executor', ARGV[5], 'trace', ARGV[6], 'started', ARGV[7], 'status', 'RUNNING', 'operation', 'EXECUTE',
  'opened', 0, 'token', 0, 'held', 0, 'hosts', #ARGV - 12, 'first', int(first))
for from = 13, #ARGV, 4000 do
  redis.call('RPUSH', task .. ':hosts', unpack(ARGV, from, math.min(from + 3999, #ARGV)))
end
redis.call('ZADD', P .. 'tasks', int(id), int(id))
local entry = 'RUNNING ' .. ARGV[2] .. ' ' .. (ARGV[9] == '1' and ARGV[13] or '-') .. ' ' .. ARGV[4]
index('ZADD', int(id), entry)
redis.call('HSET', P .. 'tasks:indexed', int(id), entry)
redis.call('SADD', P .. 'types', ARGV[2])
event(task, ARGV[7], {'task', 'RUNNING', 'opened', 0})
if once then
  redis.call('SET', once, int(id) .. ' ' .. ARGV[11], 'PX', ARGV[12])
  redis.call('HSET', task, 'once', once)
end
return {'made', id, first}
