-- uses: moves
-- Makes failed subtasks of the step that a task is at ready again: one of them, or as many as one call may. A rollback
-- turns the task onto the way back besides: what was done in the step is then ready to be undone without being written.
-- `args`: id, known (newest version), course ('retry', 'skip' or 'rollback'), sid (the subtask; none for all), now, step,
--   first (its first seriesId), total (subtasks of the task).
-- Returns {'changed', how many are left, 1 if the task goes back}, {'refused', status letter or '-', or task status},
--   {'moved'} or {'gone'}.
local args = cjson.decode(ARGV[1])
local t, why = open_known_task(args)
if not t then return why end
local failed, course, back, turning = t.key .. ':failed:' .. t.step, args.course, t.back, t.turning
-- What goes on in several calls is finished as it began, whoever goes on with it.
local kind = turning or (course == 'rollback' and back and 'retry') or course
local name = kind == 'rollback' and 'ask_rollback' or kind

local sids = {}
if args.sid then
  local r = read(t.key, {args.sid}, {})[args.sid]
  if turning or not r or r.status ~= S.FAILED or not is_legal(name, r.status) then
    return {'refused', r and r.status or '-'}
  end
  sids[1] = args.sid
else
  if t.status ~= 'FAILED' and (not turning or course == 'rollback' and turning == 'retry' and not back) then
    return {'refused', t.status}
  end
  for i, offset in ipairs(redis.call('ZRANGE', failed, 0, CHUNK - 1)) do sids[i] = t.first + tonumber(offset) end
end

for sid, r in pairs(read(t.key, sids, {})) do
  if move(t, name, sid, r) then
    if kind == 'skip' then
      r.op = back and OP.ROLLBACK_SKIP or OP.SKIP
    elseif kind == 'rollback' then
      r.op = OP.ROLLBACK
    else
      r.op, r.run = back and OP.ROLLBACK or OP.RETRY, int(tonumber(r.run) + 1)
    end
    redis.call('HDEL', t.key .. ':losses', sid)
  end
end
if #sids > 0 and not next(t.records) then return {'refused', t.status} end
set_task_status(t.key, t.id, 'RUNNING')
t.status, t.before = 'RUNNING', 'RUNNING'
redis.call('HDEL', t.key, 'cancelled')
if kind == 'skip' then redis.call('HSET', t.key, 'skipped', 1) end
-- A task of many failed hosts turns in several calls; until the last one nothing of it can be claimed.
local left = args.sid and 0 or redis.call('ZCARD', failed) - #t.mended
local said = {'task', 'RUNNING'}
local began = kind == 'rollback' and not back
if began then
  redis.call('HSET', t.key, 'back', t.step, 'operation', 'ROLLBACK')
  said = {'task', 'RUNNING', 'back', t.step}
end
if not args.sid and kind == 'retry' and not back then redis.call('HSET', t.key, 'operation', 'RETRY') end
if left > 0 then redis.call('HSET', t.key, 'turning', kind) else redis.call('HDEL', t.key, 'turning') end
conclude(t, said)
recall(t.key, t.id, t.total)
return {'changed', left, (back or began) and 1 or 0}
