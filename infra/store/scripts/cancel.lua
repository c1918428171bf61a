-- Has the run of a subtask abandoned, or stops a whole task: what runs is cancelled, what was ready counts as failed.
-- ARGV: task id, newest known version, seriesId or '-' for the task, now, the step that it is at, its first seriesId, its
--   size, 1 if it is the last, how many subtasks at the most, number of subtasks of the task, ms to keep a finished task,
--   ms to keep its events.
-- Returns {'done', how many are left}, {'refused', status letter or task status}, {'moved'} or {'gone'}.
local id, known, wanted, now = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local step, first, size, last = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8] == '1'
local most, total, keep_ms, events_ms = tonumber(ARGV[9]), tonumber(ARGV[10]), ARGV[11], ARGV[12]
local task = task_key(id)
local version, status, opened, began, back =
  unpack(redis.call('HMGET', task, 'version', 'status', 'opened', 'started', 'back'))
if not version or tonumber(version) > known then return {'gone'} end
if tonumber(back or opened) ~= step then return {'moved'} end
now = not_before(began, now)

local delta, changed, subtasks, failed = {}, {}, {}, {}

local function change(sid, r, to)
  if r.status ~= '-' then bump(delta, r.status, -1) end
  bump(delta, to, 1)
  r.status = to
  push(subtasks, bucket_key(task, 'subtasks', sid), sid, format(r))
  changed[to] = changed[to] or {}
  table.insert(changed[to], sid)
end

-- Of a run whose worker is gone nobody knows what it did.
local function fail(sid, r)
  if r.status == 'R' then r.seen = TOUCHED[r.seen] end
  r.op, r.token, r.finished = 'C', '-', ended(r, now - tonumber(began))
  change(sid, r, 'F')
  push(failed, task .. ':failed:' .. step, int(sid - first), int(sid - first))
end

-- Asks the worker that holds a running subtask to let go; where it is not alive, the run is over.
local function cancel(sid, r, worker)
  local claim = id .. ':' .. int(sid)
  if worker and redis.call('EXISTS', P .. 'alive:' .. worker) == 1 then
    redis.call('SADD', P .. 'cancels:' .. worker, claim .. ':' .. r.token)
    change(sid, r, 'C')
  else
    if worker then redis.call('HDEL', P .. 'claims:' .. worker, claim) end
    fail(sid, r)
  end
end

-- The claims of the task that workers of the record hold: each token's worker, and the subtasks of the step.
local function held()
  local workers, sids, pattern = {}, {}, '^' .. id .. ':(%d+)$'
  for _, worker in ipairs(redis.call('HKEYS', P .. 'workers')) do
    local claims = redis.call('HGETALL', P .. 'claims:' .. worker)
    for i = 1, #claims, 2 do
      local sid = tonumber(string.match(claims[i], pattern))
      if sid then workers[claims[i + 1]] = worker end
      if sid and sid >= first and sid < first + size then sids[#sids + 1] = sid end
    end
  end
  return workers, sids
end

local function one(sid)
  local r = read(task, {sid}, {})[sid]
  if not r or r.status ~= 'R' then return {'refused', r and r.status or '-'} end
  cancel(sid, r, held()[r.token])
end

-- The running subtasks of the step. All are held by somebody, but for those of workers that are gone.
local function running(sids)
  local found, count = {}, 0
  local function look(among)
    for sid, r in pairs(read(task, among, {})) do
      if r.status == 'R' and not found[sid] then found[sid], count = r, count + 1 end
    end
  end
  look(sids)
  if count < tonumber(redis.call('HGET', task, 'n:' .. step .. ':R') or '0') then
    local all = {}
    for sid = first, first + size - 1 do all[#all + 1] = sid end
    look(all)
  end
  return found
end

-- What was ready: what became so again, then what nothing happened to, or what was done and is to be undone.
local function ready()
  local sids, again, cursor = {}, task .. ':again:' .. step, (back and 'undone:' or 'cursor:') .. step
  local popped = redis.call('ZPOPMIN', again, most)
  for i = 1, #popped, 2 do sids[#sids + 1] = first + tonumber(popped[i]) end
  local from = tonumber(redis.call('HGET', task, cursor) or '0')
  local upto = math.min(size, from + most - #sids)
  for index = from, upto - 1 do sids[#sids + 1] = first + index end
  if upto > from then redis.call('HSET', task, cursor, int(upto)) end
  return sids, size - math.max(from, upto) + redis.call('ZCARD', again)
end

local function all()
  if status ~= 'RUNNING' then return 0, {'refused', status} end
  redis.call('HSET', task, 'cancelled', 1)
  local workers, sids = held()
  for sid, r in pairs(running(sids)) do cancel(sid, r, workers[r.token]) end
  local waiting, left = ready()
  local records = read(task, waiting, {})
  for _, sid in ipairs(waiting) do
    local r = records[sid]
      or {status = '-', op = 'E', run = '1', executor = '-', started = '-', finished = '-', token = '-', seen = '-'}
    if r.status == '-' or r.status == 'Y' or back and r.status == 'S' then fail(sid, r) end
  end
  return left
end

local left, refusal = 0, nil
if wanted == '-' then left, refusal = all() else refusal = one(tonumber(wanted)) end
if refusal then return refusal end
flush('HSET', subtasks)
flush('ZADD', failed)
count(task, step, delta)
local _, after = barrier(task, id, step, size, last, now)
note_changes(task, ARGV[4], step, changed, after ~= status and {'task', after} or {})
if after ~= status then retire(task, id, total, now, keep_ms, events_ms) end
return {'done', left}
