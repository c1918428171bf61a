-- Makes failed subtasks of a task's newest open step ready again: one of them, or as many as one call may.
-- ARGV: task id, newest known version, 'retry' or 'skip', seriesId or '-' for all, now, the step, its first seriesId, how
--   many at the most, number of subtasks of the task.
-- Returns {'changed', how many are left}, {'refused', status letter or task status}, {'moved'} or {'gone'}.
local id, known, skip, wanted, now = ARGV[1], tonumber(ARGV[2]), ARGV[3] == 'skip', ARGV[4], ARGV[5]
local step, first, most, total = ARGV[6], tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local task = task_key(id)
local failed, again = task .. ':failed:' .. step, task .. ':again:' .. step
local version, status, opened, turning = unpack(redis.call('HMGET', task, 'version', 'status', 'opened', 'turning'))
if not version or tonumber(version) > known then return {'gone'} end
if opened ~= step then return {'moved'} end

local sids = {}
if wanted ~= '-' then
  local r = read(task, {wanted}, {})[wanted]
  if not r or r.status ~= 'F' or turning then return {'refused', r and r.status or '-'} end
  sids[1] = tonumber(wanted)
else
  if status ~= 'FAILED' and not turning then return {'refused', status} end
  for i, offset in ipairs(redis.call('ZRANGE', failed, 0, most - 1)) do sids[i] = first + tonumber(offset) end
end

local records, subtasks = read(task, sids, {}), {}
for _, sid in ipairs(sids) do
  local r = records[sid]
  r.status = 'Y'
  if skip then
    r.op = 'K'
  else
    r.op, r.run = 'T', int(tonumber(r.run) + 1)
  end
  push(subtasks, bucket_key(task, 'subtasks', sid), sid, format(r))
  redis.call('ZREM', failed, int(sid - first))
  redis.call('ZADD', again, int(sid - first), int(sid - first))
end
flush('HSET', subtasks)
count(task, step, {F = -#sids, Y = #sids})
set_task_status(task, id, 'RUNNING')
redis.call('HDEL', task, 'cancelled')
if skip then redis.call('HSET', task, 'skipped', 1) end
-- A task of many failed hosts turns in several calls; until the last one nothing of it can be claimed.
local left = wanted == '-' and redis.call('ZCARD', failed) or 0
if wanted == '-' then redis.call('HSET', task, 'operation', 'RETRY') end
if left > 0 then redis.call('HSET', task, 'turning', 1) else redis.call('HDEL', task, 'turning') end
recall(task, id, total)
event(task, now, {'step', step, 'Y', ranges(sids), 'task', 'RUNNING'})
return {'changed', left}
