-- uses: moves
-- Records results and claims more, at once.
-- ARGV 1-13: task id, newest known version, step, its first seriesId, its size, 1 if it has hosts, 1 if it is the last,
--   number of subtasks of the task, worker's number, worker's name, now, ms to keep a finished task, ms to keep its
--   events.
-- ARGV 14: how many results; then for each result its seriesId, its token, its move, what was seen of the agent, its log.
-- After them: how many subtasks to claim at most, 1 if the whole step is wanted, and the token under which this caller
--   began to claim it, or '-'.
-- Returns {the step that was opened or -1, task status, {stale seriesIds}, verdict, {claims}, 1 where suspects were
--   withheld}.
local id, known, has_hosts, worker, name = ARGV[1], tonumber(ARGV[2]), ARGV[6] == '1', ARGV[9], ARGV[10]
local first, size, results = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[14])
local tail = 15 + 5 * results
local limit, whole, own = tonumber(ARGV[tail]), ARGV[tail + 1] == '1', ARGV[tail + 2]
local claims_of_worker = P .. 'claims:' .. worker

local function result(i)
  local at = 15 + 5 * i
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

local t = open_task({id = id, step = tonumber(ARGV[3]), first = first, size = size, last = ARGV[7] == '1',
  total = tonumber(ARGV[8]), now = tonumber(ARGV[11]), keep_ms = ARGV[12], events_ms = ARGV[13]})
if not t then
  local stale, tokens = {}, {}
  for i = 1, results do stale[i], tokens[i] = result(i - 1) end
  forget(stale, tokens)
  return {-1, 'RUNNING', stale, 'gone', {}, 0}
end
local records = {}

-- The move that a result makes; nothing where it does not fit what its run was there for. Whatever came of a run that was
-- asked to let go, it is cancelled.
local function move_of(r, wanted)
  if wanted ~= 'fail' and undoes(r.op) ~= (wanted == 'undo') then return nil end
  return r.status == S.CANCELING and 'cancel' or wanted
end

-- Writes one result, if its claim stands and its move is legal; says whether it did.
local function record(sid, r, token, wanted, seen, log)
  local made = r and r.token == token and move_of(r, wanted)
  if not made or not move(t, made, sid, r) then return false end
  push(t.logs, bucket_key(t.key, 'logs', sid), log_field(sid, r.run, r.op), log)
  r.finished, r.token, r.seen = ended(r, t.time - t.began), '-', seen_after(r.seen, seen)
  if made == 'cancel' then
    r.op = OP.CANCEL
    redis.call('SREM', P .. 'cancels:' .. worker, id .. ':' .. int(sid) .. ':' .. token)
  end
  return true
end

local function settle()
  local stale, tokens, sids, over = {}, {}, {}, {}
  for i = 1, results do sids[i] = (result(i - 1)) end
  read(t.key, sids, records)
  for i = 0, results - 1 do
    local sid, token, wanted, seen, log = result(i)
    local r = sid >= first and sid < first + size and records[sid]
    if record(sid, r, token, wanted, seen, log) then
      over[#over + 1] = id .. ':' .. int(sid)
    else
      stale[#stale + 1], tokens[#tokens + 1] = sid, token
    end
  end
  call_all('HDEL', claims_of_worker, over)
  no_suspect(over)
  forget(stale, tokens)
  return stale
end

local function executor_number()
  local key = t.key .. ':executors'
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
  local cursor = (t.back and 'undone:' or 'cursor:') .. t.step
  local from = tonumber(redis.call('HGET', t.key, cursor) or '0')
  local left = size
  if t.back then left = tonumber(redis.call('HGET', t.key, 'n:' .. t.step .. ':' .. S.SUCCESSFUL) or '0') end
  local index = from
  while index < size and #sids < limit and left > 0 do
    local block, upto = {}, math.min(size, index + limit - #sids)
    for i = index, upto - 1 do block[#block + 1] = first + i end
    local found = t.back and read(t.key, block, {})
    for _, sid in ipairs(block) do
      local r = found and found[sid]
      local done = r and r.status == S.SUCCESSFUL
      if done then records[sid] = r end
      if not t.back or done then
        sids[#sids + 1], left = sid, left - 1
      end
    end
    index = upto
  end
  if index > from then redis.call('HSET', t.key, cursor, int(index)) end
end

local suspect_taken, withheld = nil, 0

-- Without the suspects, subtasks whose workers died so often that they may be why: a worker has one of these at a time.
-- The others wait on.
local function without_suspects(sids)
  local left, key = {}, P .. 'suspect:' .. worker
  local losses = redis.call('HMGET', t.key .. ':losses', unpack(sids))
  for i, sid in ipairs(sids) do
    local suspect = tonumber(losses[i] or '0') >= SUSPECT
    if not suspect then
      left[#left + 1] = sid
    elseif redis.call('SET', key, id .. ':' .. int(sid), 'NX') then
      left[#left + 1], suspect_taken = sid, sid
    else
      withheld = 1
      redis.call('ZADD', t.key .. ':again:' .. t.step, int(sid - first), int(sid - first))
    end
  end
  return left
end

-- The next subtasks to claim: those that became ready again, then the others.
local function candidates()
  local sids, again = {}, t.key .. ':again:' .. t.step
  if redis.call('EXISTS', again) == 1 then
    local popped = redis.call('ZPOPMIN', again, limit)
    for i = 1, #popped, 2 do sids[#sids + 1] = first + tonumber(popped[i]) end
    if #sids > 0 and redis.call('EXISTS', t.key .. ':losses') == 1 then sids = without_suspects(sids) end
    read(t.key, sids, records)
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
    for i, host in ipairs(redis.call('LRANGE', t.key .. ':hosts', sids[from] - first, sids[upto] - first)) do
      ids[sids[from] + i - 1] = host
    end
    from = upto + 1
  end
  return ids
end

-- The candidates that may be claimed.
local function claimable()
  local sids = {}
  for _, sid in ipairs(candidates()) do
    if is_legal('claim', standing(t, records[sid])) then sids[#sids + 1] = sid end
  end
  if t.back then table.sort(sids) end
  return sids
end

-- Whoever begins finds nobody at work; whoever goes on must still be the one who began last.
local function whole_step_is_free()
  if own ~= '-' then return redis.call('HGET', t.key, 'own:' .. t.step) == own end
  return tonumber(redis.call('HGET', t.key, 'n:' .. t.step .. ':' .. S.RUNNING) or '0') == 0
end

-- A worker that was called lost or was buried, and does not know it yet: what it claimed would be in no living worker's
-- hand, and never be opened again.
local function buried()
  return not is_known(worker) and tonumber(worker) <= tonumber(redis.call('GET', P .. 'seq:worker') or '0')
end

local function claim()
  if limit == 0 or buried() then return 'granted', {} end
  if t.version > known then return 'newer', {} end
  if t.back and t.step ~= t.back or t.step > t.opened then return 'early', {} end
  if t.turning then return 'busy', {} end
  if t.cancelled then return 'closed', {} end
  if not (whole and own ~= '-') and redis.call('EXISTS', P .. 'brake') == 1 then return 'braked', {} end
  if whole and not whole_step_is_free() then return 'busy', {} end
  local granted, sids, held = {}, claimable(), {}
  if #sids == 0 then return 'granted', granted end
  local ids, executor = hosts_of(sids), executor_number()
  local token = redis.call('HINCRBY', t.key, 'token', #sids) - #sids
  if whole and own == '-' then redis.call('HSET', t.key, 'own:' .. t.step, int(token + 1)) end
  for _, sid in ipairs(sids) do
    local r = records[sid] or new_record()
    token = token + 1
    if r.status == S.SUCCESSFUL then r.op = OP.ROLLBACK end
    r.executor, r.finished, r.token = executor, '-', int(token)
    if r.started == '-' then r.started = int(t.time - t.began) end
    move(t, 'claim', sid, r)
    push(held, claims_of_worker, id .. ':' .. int(sid), r.token)
    local host = ids[sid] or false
    granted[#granted + 1] = {sid, r.op, r.run, r.token, r.seen, sid == suspect_taken and 1 or 0, host,
      host and redis.call('HMGET', host_key(host), 'holder', 'ip', 'port', 'user', 'home', 'prefix', 'sudo', 'key')}
  end
  flush('HSET', held)
  return 'granted', granted
end

local stale = settle()
if results > 0 then pass_barrier(t) end
local verdict, granted = claim()
conclude(t)
return {t.opened_now or -1, t.status, stale, verdict, granted, withheld}
