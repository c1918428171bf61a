-- Makes failed subtasks of the step that a task is at ready again: one of them, or as many as one call may. A rollback
-- turns the task onto the way back besides: what was done in the step is then ready to be undone without being written.
-- ARGV: task id, newest known version, 'retry', 'skip' or 'rollback', seriesId or '-' for all, now, the step, its first
--   seriesId, how many at the most, number of subtasks of the task.
-- Returns {'changed', how many are left, 1 if the task goes back}, {'refused', status letter or task status}, {'moved'} or {'gone'}.
local id, known, course, wanted, now = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5]
local step, first, most, total = ARGV[6], tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local task = task_key(id)
local failed, again = task .. ':failed:' .. step, task .. ':again:' .. step
local version, status, opened, turning, back =
  unpack(redis.call('HMGET', task, 'version', 'status', 'opened', 'turning', 'back'))
if not version or tonumber(version) > known then return {'gone'} end
if (back or opened) ~= step then return {'moved'} end
-- What goes on in several calls is finished as it began, whoever goes on with it.
local kind = turning or (course == 'rollback' and back and 'retry') or course

local sids = {}
if wanted ~= '-' then
  local r = read(task, {wanted}, {})[wanted]
  if not r or r.status ~= 'F' or turning then return {'refused', r and r.status or '-'} end
  sids[1] = tonumber(wanted)
else
  if status ~= 'FAILED' and (not turning or course == 'rollback' and turning == 'retry' and not back) then
    return {'refused', status}
  end
  for i, offset in ipairs(redis.call('ZRANGE', failed, 0, most - 1)) do sids[i] = first + tonumber(offset) end
end

local records, subtasks = read(task, sids, {}), {}
for _, sid in ipairs(sids) do
  local r = records[sid]
  r.status = 'Y'
  if kind == 'skip' then
    r.op = back and 'Q' or 'K'
  elseif kind == 'rollback' then
    r.op = 'B'
  else
    r.op, r.run = back and 'B' or 'T', int(tonumber(r.run) + 1)
  end
  push(subtasks, bucket_key(task, 'subtasks', sid), sid, format(r))
  redis.call('HDEL', task .. ':losses', sid)
  redis.call('ZREM', failed, int(sid - first))
  redis.call('ZADD', again, int(sid - first), int(sid - first))
end
flush('HSET', subtasks)
count(task, step, {F = -#sids, Y = #sids})
set_task_status(task, id, 'RUNNING')
redis.call('HDEL', task, 'cancelled')
if kind == 'skip' then redis.call('HSET', task, 'skipped', 1) end
-- A task of many failed hosts turns in several calls; until the last one nothing of it can be claimed.
local left = wanted == '-' and redis.call('ZCARD', failed) or 0
local began = kind == 'rollback' and not back
if began then redis.call('HSET', task, 'back', step, 'operation', 'ROLLBACK') end
if wanted == '-' and kind == 'retry' and not back then redis.call('HSET', task, 'operation', 'RETRY') end
if left > 0 then redis.call('HSET', task, 'turning', kind) else redis.call('HDEL', task, 'turning') end
recall(task, id, total)
local fields = {'step', step, 'task', 'RUNNING'}
if #sids > 0 then
  fields[#fields + 1] = 'Y'
  fields[#fields + 1] = ranges(sids)
end
if began then
  fields[#fields + 1] = 'back'
  fields[#fields + 1] = step
end
event(task, now, fields)
return {'changed', left, (back or began) and 1 or 0}
