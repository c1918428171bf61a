-- Records results and claims more, at once. The only script that changes a subtask's status.
-- ARGV 1-13: task id, newest known version, step, its first seriesId, its size, 1 if it has hosts, 1 if it is the last,
--   number of subtasks of the task, worker's number, worker's name, now, ms to keep a finished task, ms to keep its
--   events.
-- ARGV 14-15: letters of the statuses that a result may start from, how many results; then
--   for each result its seriesId, its token, the letter of its new status, what was seen of the agent and its log.
-- After them: letters of the statuses that a claim may start from, at most how many, 1 if the whole step is wanted, and
--   the token under which this caller began to claim it, or '-'.
-- Returns {the step that was opened or -1, task status, {stale seriesIds}, verdict, {claims}, 1 where suspects were
--   withheld}.
local id, known, step, first, size = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local has_hosts, last, total = ARGV[6] == '1', ARGV[7] == '1', tonumber(ARGV[8])
local worker, name, now, keep_ms, events_ms = ARGV[9], ARGV[10], tonumber(ARGV[11]), ARGV[12], ARGV[13]
local settle_from, results = ARGV[14], tonumber(ARGV[15])
local tail = 16 + 5 * results
local claim_from, limit, whole, own = ARGV[tail], tonumber(ARGV[tail + 1]), ARGV[tail + 2] == '1', ARGV[tail + 3]
local task = task_key(id)
local claims_of_worker = P .. 'claims:' .. worker

local records, writes, logs, failed = {}, {}, {}, {}
local delta, changed = {}, {}

local function result(i)
  local at = 16 + 5 * i
  return tonumber(ARGV[at]), ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]
end

-- Where one of these claims was the suspect of the worker, it may have another one.
local function no_suspect(claims)
  local suspect = redis.call('GET', P .. 'suspect:' .. worker)
  for _, claim in ipairs(suspect and claims or {}) do
    if claim == suspect then redis.call('DEL', P .. 'suspect:' .. worker) end
  end
end

-- The worker does not hold these claims any more, whatever became of their results.
local function forget(sids, tokens)
  if #sids == 0 then return end
  local fields, over = {}, {}
  for i, sid in ipairs(sids) do fields[i] = id .. ':' .. int(sid) end
  for i, token in ipairs(redis.call('HMGET', claims_of_worker, unpack(fields))) do
    if token == tokens[i] then over[#over + 1] = fields[i] end  -- else it has a newer claim of the same subtask
  end
  call_all('HDEL', claims_of_worker, over)
  no_suspect(fields)
end

local version, status, opened, began, back =
  unpack(redis.call('HMGET', task, 'version', 'status', 'opened', 'started', 'back'))
if not version then
  local stale, tokens = {}, {}
  for i = 1, results do stale[i], tokens[i] = result(i - 1) end
  forget(stale, tokens)
  return {-1, 'RUNNING', stale, 'gone', {}, 0}
end
opened, began, back = tonumber(opened), tonumber(began), tonumber(back)
now = not_before(began, now)

local function change(sid, r, from, to)
  if from ~= '-' then bump(delta, from, -1) end
  bump(delta, to, 1)
  r.status = to
  records[sid], writes[sid] = r, true
  changed[to] = changed[to] or {}
  table.insert(changed[to], sid)
end

-- Writes what was changed, a bucket at a time.
local function write()
  local subtasks = {}
  for sid in pairs(writes) do push(subtasks, bucket_key(task, 'subtasks', sid), sid, format(records[sid])) end
  flush('HSET', subtasks)
  flush('HSET', logs)
  flush('ZADD', failed)
end

local function settle()
  local stale, tokens, sids, over, let_go = {}, {}, {}, {}, {}
  for i = 1, results do sids[i] = (result(i - 1)) end
  read(task, sids, records)
  for i = 0, results - 1 do
    local sid, token, to, seen, log = result(i)
    local r = sid >= first and sid < first + size and records[sid]
    if r and r.token == token and string.find(settle_from, r.status, 1, true)
      and (to == 'F' or undoes(r.op) == (to == 'P')) then
      local number, field = int(sid), log_field(sid, r.run, r.op)
      r.finished, r.token = ended(r, now - began), '-'
      if r.status == 'C' then
        to, r.op = 'F', 'C'
        push(let_go, P .. 'cancels:' .. worker, id .. ':' .. number .. ':' .. token)
      end
      r.seen = seen_after(r.seen, seen)
      if to == 'F' then push(failed, task .. ':failed:' .. step, int(sid - first), int(sid - first)) end
      change(sid, r, r.status, to)
      push(logs, bucket_key(task, 'logs', sid), field, log)
      push(over, claims_of_worker, id .. ':' .. number)
    else
      stale[#stale + 1], tokens[#tokens + 1] = sid, token
    end
  end
  flush('HDEL', over)
  flush('SREM', let_go)
  no_suspect(over[claims_of_worker] or {})
  forget(stale, tokens)
  return stale
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

-- Adds subtasks that nothing happened to, by a cursor, up to `limit`; on the way back those that were done and that no
-- run was there to undo yet, among which are others that were passed over already.
local function add_next(sids)
  local cursor = (back and 'undone:' or 'cursor:') .. step
  local from = tonumber(redis.call('HGET', task, cursor) or '0')
  local left = back and tonumber(redis.call('HGET', task, 'n:' .. step .. ':S') or '0') or size
  local index = from
  while index < size and #sids < limit and left > 0 do
    local block, upto = {}, math.min(size, index + limit - #sids)
    for i = index, upto - 1 do block[#block + 1] = first + i end
    local found = back and read(task, block, {})
    for _, sid in ipairs(block) do
      local r = found and found[sid]
      if r and r.status == 'S' then records[sid] = r end
      if not back or r and r.status == 'S' then
        sids[#sids + 1], left = sid, left - 1
      end
    end
    index = upto
  end
  if index > from then redis.call('HSET', task, cursor, int(index)) end
end

local suspect_taken, withheld = nil, 0

-- Without the suspects, subtasks whose workers died so often that they may be why: a worker has one of these at a time.
-- The others wait on.
local function without_suspects(sids)
  local left, key = {}, P .. 'suspect:' .. worker
  local losses = redis.call('HMGET', task .. ':losses', unpack(sids))
  for i, sid in ipairs(sids) do
    local suspect = tonumber(losses[i] or '0') >= SUSPECT
    if not suspect then
      left[#left + 1] = sid
    elseif redis.call('SET', key, id .. ':' .. int(sid), 'NX') then
      left[#left + 1], suspect_taken = sid, sid
    else
      withheld = 1
      redis.call('ZADD', task .. ':again:' .. step, int(sid - first), int(sid - first))
    end
  end
  return left
end

-- The next subtasks to claim: those that became ready again, then the others.
local function candidates()
  local sids, again = {}, task .. ':again:' .. step
  if redis.call('EXISTS', again) == 1 then
    local popped = redis.call('ZPOPMIN', again, limit)
    for i = 1, #popped, 2 do sids[#sids + 1] = first + tonumber(popped[i]) end
    if #sids > 0 and redis.call('EXISTS', task .. ':losses') == 1 then sids = without_suspects(sids) end
    read(task, sids, records)
  end
  add_next(sids)
  return sids
end

-- The hosts of ascending subtasks; neighbours are read together.
local function hosts_of(sids)
  local ids, from = {}, 1
  while has_hosts and from <= #sids do
    local upto = from
    while sids[upto + 1] == sids[upto] + 1 do upto = upto + 1 end
    for i, host in ipairs(redis.call('LRANGE', task .. ':hosts', sids[from] - first, sids[upto] - first)) do
      ids[sids[from] + i - 1] = host
    end
    from = upto + 1
  end
  return ids
end

-- The candidates that may be claimed; one that nothing happened to is ready, since its step is open, and so is one that
-- was done and is to be undone.
local function claimable()
  local sids = {}
  for _, sid in ipairs(candidates()) do
    local r = records[sid]
    local status = (not r or back and r.status == 'S') and 'Y' or r.status
    if string.find(claim_from, status, 1, true) then sids[#sids + 1] = sid end
  end
  if back then table.sort(sids) end
  return sids
end

-- Whoever begins finds nobody at work; whoever goes on must still be the one who began last.
local function whole_step_is_free()
  if own ~= '-' then return redis.call('HGET', task, 'own:' .. step) == own end
  return tonumber(redis.call('HGET', task, 'n:' .. step .. ':R') or '0') == 0
end

-- A worker that was called lost or was buried, and does not know it yet: what it claimed would be in no living worker's
-- hand, and never be opened again.
local function buried()
  return not is_known(worker) and tonumber(worker) <= tonumber(redis.call('GET', P .. 'seq:worker') or '0')
end

local function claim()
  if limit == 0 or buried() then return 'granted', {} end
  if tonumber(version) > known then return 'newer', {} end
  if back and step ~= back or step > opened then return 'early', {} end
  if redis.call('HEXISTS', task, 'turning') == 1 then return 'busy', {} end
  if redis.call('HEXISTS', task, 'cancelled') == 1 then return 'closed', {} end
  if not (whole and own ~= '-') and redis.call('EXISTS', P .. 'brake') == 1 then return 'braked', {} end
  if whole and not whole_step_is_free() then return 'busy', {} end
  local granted, sids, held = {}, claimable(), {}
  if #sids == 0 then return 'granted', granted end
  local ids, executor = hosts_of(sids), executor_number()
  local token = redis.call('HINCRBY', task, 'token', #sids) - #sids
  if whole and own == '-' then redis.call('HSET', task, 'own:' .. step, int(token + 1)) end
  for _, sid in ipairs(sids) do
    local r = records[sid]
    local from = r and r.status or '-'
    r = r or {op = 'E', run = '1', started = '-', seen = '-'}
    token = token + 1
    if from == 'S' then r.op = 'B' end
    r.executor, r.finished, r.token = executor, '-', int(token)
    if r.started == '-' then r.started = int(now - began) end
    change(sid, r, from, 'R')
    push(held, claims_of_worker, id .. ':' .. int(sid), r.token)
    local host = ids[sid] or false
    granted[#granted + 1] = {sid, r.op, r.run, r.token, r.seen, sid == suspect_taken and 1 or 0, host,
      host and redis.call('HMGET', host_key(host), 'holder', 'ip', 'port', 'user', 'home', 'prefix', 'sudo', 'key')}
  end
  flush('HSET', held)
  return 'granted', granted
end

local stale = settle()
local before = status
local opened_now = false
if results > 0 then
  count(task, step, delta)
  delta = {}
  opened_now, status = barrier(task, id, step, size, last, now)
  if opened_now and back then back = opened_now elseif opened_now then opened = opened_now end
end
local verdict, granted = claim()
count(task, step, delta)
write()
local more = {}
if opened_now then more = {back and 'back' or 'opened', opened_now} end
if status ~= before then more = {'task', status} end  -- a call opens a step or ends the task, never both
note_changes(task, ARGV[11], step, changed, more)
if status ~= before then retire(task, id, total, now, keep_ms, events_ms) end
return {opened_now or -1, status, stale, verdict, granted, withheld}
