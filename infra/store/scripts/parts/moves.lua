-- uses: records, tasks
-- What one call changes in a step of a task: it opens the task, makes moves, and concludes.

-- "3-7,9" from {3,4,5,6,7,9}; the batch's events stay small however many subtasks they speak of.
local function ranges(sids)
  local parts, first, last = {}, nil, nil
  local function close() parts[#parts + 1] = first == last and int(first) or (int(first) .. '-' .. int(last)) end
  for _, sid in ipairs(sids) do
    if last and sid == last + 1 then
      last = sid
    else
      if first then close() end
      first, last = sid, sid
    end
  end
  if first then close() end
  return table.concat(parts, ',')
end

-- Reads the head of a task into `t`, which says what the caller knows of it: id, step, first (seriesId of the step), size,
-- last, total, now, keep_ms, events_ms. `t` then collects what the call changes in that step. Nothing where the task is
-- gone.
local function open_task(t)
  t.key = task_key(t.id)
  local version, status, opened, began, back, turning, cancelled = unpack(redis.call('HMGET', t.key, 'version', 'status',
    'opened', 'started', 'back', 'turning', 'cancelled'))
  if not version then return nil end
  t.version, t.status, t.before, t.turning, t.cancelled = tonumber(version), status, status, turning, cancelled
  t.opened, t.began, t.back = tonumber(opened), tonumber(began), tonumber(back)
  t.time = not_before(began, t.now)
  t.counts, t.changed, t.records, t.logs, t.failed, t.mended, t.again = {}, {}, {}, {}, {}, {}, {}
  return t
end

-- The same for a caller that must know the task and where it is: a word that says why not is returned besides.
local function open_known_task(t)
  if not open_task(t) or t.version > t.known then return nil, {'gone'} end
  if (t.back or t.opened) ~= t.step then return nil, {'moved'} end
  return t
end

local function is_legal(name, status) return string.find(MOVE_FROM[name], status, 1, true) ~= nil end

-- Where a subtask of the step that a task is at stands: one that nothing happened to is ready, since its step is open, and
-- so is one that is done and is to be undone.
local function standing(t, r)
  if not r or not r.status then return S.READY end
  if t.back and r.status == S.SUCCESSFUL and is_legal('ask_rollback', r.status) then return S.READY end
  return r.status
end

-- Makes a move of a subtask, unless it must not start from where the subtask stands; says whether it is made. The only
-- place where the status of a subtask changes. `conclude` writes it.
local function move(t, name, sid, r)
  local from, to = r.status, MOVE_TO[name]
  if not is_legal(name, standing(t, r)) then return false end
  if from then t.counts[from] = (t.counts[from] or 0) - 1 end
  t.counts[to] = (t.counts[to] or 0) + 1
  r.status, t.records[sid] = to, r
  t.changed[to] = t.changed[to] or {}
  table.insert(t.changed[to], sid)
  if from ~= S.FAILED and to ~= S.FAILED and to ~= S.READY then return true end
  local offset = int(sid - t.first)
  if from == S.FAILED then t.mended[#t.mended + 1] = offset end
  local pile = to == S.FAILED and t.failed or to == S.READY and t.again or {}
  pile[#pile + 1] = offset
  pile[#pile + 1] = offset
  return true
end

local function write_counts(t)
  for status, n in pairs(t.counts) do
    if n ~= 0 then redis.call('HINCRBY', t.key, 'n:' .. t.step .. ':' .. status, n) end
  end
  t.counts = {}
end

-- The barrier: all successful opens the next step; some open changes nothing; some failed and none open ends the task.
-- On the way back it is the step before that all undone opens. Notes which step was opened, and where the task stands.
local function pass_barrier(t)
  write_counts(t)
  if t.status ~= 'RUNNING' or t.step ~= (t.back or t.opened) then return end
  local n = 'n:' .. t.step .. ':'
  local well, badly = unpack(redis.call('HMGET', t.key, n .. (t.back and S.PENDING or S.SUCCESSFUL), n .. S.FAILED))
  well, badly = tonumber(well or '0'), tonumber(badly or '0')
  if well + badly < t.size then return end
  if badly == 0 and t.back and t.step > 0 then
    t.back, t.opened_now = t.step - 1, t.step - 1
    redis.call('HSET', t.key, 'back', t.back)
  elseif badly == 0 and not t.back and not t.last then
    t.opened, t.opened_now = t.step + 1, t.step + 1
    redis.call('HSET', t.key, 'opened', t.opened)
  else
    t.status = badly == 0 and 'SUCCESSFUL' or 'FAILED'
    set_task_status(t.key, t.id, t.status)
    redis.call('HSET', t.key, 'finished', int(t.time))
  end
end

-- Ends a call that changed a step: writes the subtasks and their counts, and notes what changed as one event. A task that
-- is over now may go. `more` is what else there is to say of it, names and values in turn.
local function conclude(t, more)
  local subtasks = {}
  for sid, r in pairs(t.records) do push(subtasks, bucket_key(t.key, 'subtasks', sid), sid, format(r)) end
  flush('HSET', subtasks)
  flush('HSET', t.logs)
  call_all('ZREM', t.key .. ':failed:' .. t.step, t.mended)
  call_all('ZADD', t.key .. ':failed:' .. t.step, t.failed)
  call_all('ZADD', t.key .. ':again:' .. t.step, t.again)
  write_counts(t)
  if not next(t.changed) and not more and t.status == t.before then return end
  local fields = {'step', t.step, unpack(more or {})}
  local function say(word, value)
    fields[#fields + 1] = word
    fields[#fields + 1] = value
  end
  for to, sids in pairs(t.changed) do
    table.sort(sids)
    say(to, ranges(sids))
  end
  if t.opened_now then say(t.back and 'back' or 'opened', t.opened_now) end
  if t.status ~= t.before then say('task', t.status) end
  event(t.key, t.now, fields)
  if t.status ~= t.before then retire(t.key, t.id, t.total, t.time, t.keep_ms, t.events_ms) end
end
