-- Records results and claims more, at once. The only script that changes a subtask's status.
-- ARGV 1-13: task id, newest known version, step, its first seriesId, its size, 1 if it has hosts, 1 if it is the last,
--   number of subtasks of the task, worker's number, worker's name, now, ms to keep a finished task, ms to keep its
--   events.
-- ARGV 14-15: letters of the statuses that a result may start from, how many results; then
--   for each result its seriesId, its token, the letter of its new status and its log.
-- After them: letters of the statuses that a claim may start from, at most how many, 1 if the whole step is wanted, and
--   the token under which this caller began to claim it, or '-'.
-- Returns {opened, task status, {stale seriesIds}, verdict, {claims}}.
local id, known, step, first, size = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local has_hosts, last, total = ARGV[6] == '1', ARGV[7] == '1', tonumber(ARGV[8])
local worker, name, now, keep_ms, events_ms = ARGV[9], ARGV[10], tonumber(ARGV[11]), ARGV[12], ARGV[13]
local settle_from, results = ARGV[14], tonumber(ARGV[15])
local tail = 16 + 4 * results
local claim_from, limit, whole, own = ARGV[tail], tonumber(ARGV[tail + 1]), ARGV[tail + 2] == '1', ARGV[tail + 3]
local task = task_key(id)
local claims_of_worker = P .. 'claims:' .. worker

-- The worker does not hold this claim any more; a newer one of the same subtask stays.
local function forget(sid, token)
  local field = id .. ':' .. int(sid)
  if redis.call('HGET', claims_of_worker, field) == token then redis.call('HDEL', claims_of_worker, field) end
end

local version, status, opened, began = unpack(redis.call('HMGET', task, 'version', 'status', 'opened', 'started'))
if not version then
  local stale = {}
  for i = 0, results - 1 do
    local sid = tonumber(ARGV[16 + 4 * i])
    stale[#stale + 1] = sid
    forget(sid, ARGV[17 + 4 * i])
  end
  return {0, 'RUNNING', stale, 'gone', {}}
end
opened, began = tonumber(opened), tonumber(began)
local delta, changed = {}, {}

local function change(sid, r, from, to)
  if from ~= '-' then bump(delta, from, -1) end
  bump(delta, to, 1)
  r.status = to
  write(task, sid, r)
  changed[to] = changed[to] or {}
  table.insert(changed[to], sid)
end

local function settle()
  local stale = {}
  for i = 0, results - 1 do
    local at = 16 + 4 * i
    local sid, token, to, log = tonumber(ARGV[at]), ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
    local r = read(task, sid)
    local ours = r and sid >= first and sid < first + size
    if ours and r.token == token and string.find(settle_from, r.status, 1, true) then
      local from = r.status
      r.finished, r.token = int(now - began), '-'
      change(sid, r, from, to)
      redis.call('HSET', bucket_key(task, 'logs', sid), int(sid) .. ':' .. r.run, log)
    else
      stale[#stale + 1] = sid
    end
    forget(sid, token)
  end
  return stale
end

-- The barrier: all successful opens the next step; some open changes nothing; some failed and none open ends the task.
local function barrier()
  local counts = redis.call('HMGET', task, 'n:' .. step .. ':S', 'n:' .. step .. ':F')
  local well, badly = tonumber(counts[1] or '0'), tonumber(counts[2] or '0')
  if status ~= 'RUNNING' or step ~= opened or well + badly < size then return 0 end
  if badly == 0 and not last then
    opened = step + 1
    redis.call('HSET', task, 'opened', opened)
    return 1
  end
  status = badly == 0 and 'SUCCESSFUL' or 'FAILED'
  redis.call('HSET', task, 'status', status, 'finished', int(now))
  return 0
end

local function executor_number()
  local key = task .. ':executors'
  local number = redis.call('HGET', key, name)
  if not number then
    number = int(redis.call('HLEN', key))
    redis.call('HSET', key, name, number)
  end
  return number
end

-- The next subtasks to claim: those that became ready again, then those that nothing happened to, by a cursor.
local function candidates()
  local sids, again, cursor = {}, task .. ':again:' .. step, 'cursor:' .. step
  if redis.call('EXISTS', again) == 1 then
    local popped = redis.call('ZPOPMIN', again, limit)
    for i = 1, #popped, 2 do sids[#sids + 1] = first + tonumber(popped[i]) end
  end
  local from = tonumber(redis.call('HGET', task, cursor) or '0')
  local upto = math.min(size, from + limit - #sids)
  if upto > from then
    redis.call('HSET', task, cursor, int(upto))
    for index = from, upto - 1 do sids[#sids + 1] = first + index end
  end
  return sids
end

local function hosts_of(sids)
  local ids = {}
  if not has_hosts or #sids == 0 then return ids end
  local low, high = sids[1] - first, sids[#sids] - first
  if high - low == #sids - 1 then
    for i, host in ipairs(redis.call('LRANGE', task .. ':hosts', low, high)) do ids[sids[i]] = host end
  else
    for _, sid in ipairs(sids) do ids[sid] = redis.call('LINDEX', task .. ':hosts', sid - first) end
  end
  return ids
end

-- Whoever begins finds nobody at work; whoever goes on must still be the one who began last.
local function whole_step_is_free()
  if own ~= '-' then return redis.call('HGET', task, 'own:' .. step) == own end
  return tonumber(redis.call('HGET', task, 'n:' .. step .. ':R') or '0') == 0
end

local function claim()
  if limit == 0 then return 'granted', {} end
  if tonumber(version) > known then return 'newer', {} end
  if step > opened then return 'early', {} end
  if whole and not whole_step_is_free() then return 'busy', {} end
  local granted, sids = {}, candidates()
  local ids, executor = hosts_of(sids), #sids > 0 and executor_number()
  for _, sid in ipairs(sids) do
    local r = read(task, sid)
    local from = r and r.status or '-'
    r = r or {status = 'Y', op = 'E', run = '1', started = '-'}
    if string.find(claim_from, r.status, 1, true) then
      local token = int(redis.call('HINCRBY', task, 'token', 1))
      if whole and own == '-' then
        own = token
        redis.call('HSET', task, 'own:' .. step, own)
      end
      r.executor, r.finished, r.token = executor, '-', token
      if r.started == '-' then r.started = int(now - began) end
      change(sid, r, from, 'R')
      redis.call('HSET', claims_of_worker, id .. ':' .. int(sid), token)
      local host = ids[sid] or false
      granted[#granted + 1] = {sid, r.op, r.run, token, host,
        host and redis.call('HMGET', host_key(host), 'holder', 'ip', 'port', 'user', 'home', 'prefix', 'sudo', 'key')}
    end
  end
  return 'granted', granted
end

local stale = settle()
local before = status
local opened_now = 0
if results > 0 then
  count(task, step, delta)
  delta = {}
  opened_now = barrier()
end
local verdict, granted = claim()
count(task, step, delta)
if next(changed) then
  local fields = {'step', step}
  for to, sids in pairs(changed) do
    table.sort(sids)
    fields[#fields + 1] = to
    fields[#fields + 1] = ranges(sids)
  end
  if opened_now == 1 then
    fields[#fields + 1] = 'opened'
    fields[#fields + 1] = opened
  end
  if status ~= before then
    fields[#fields + 1] = 'task'
    fields[#fields + 1] = status
  end
  event(task, ARGV[11], fields)
end
if status ~= before then retire(task, id, total, now, keep_ms, events_ms) end
return {opened_now, status, stale, verdict, granted}
