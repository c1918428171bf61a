-- uses: moves
-- Has the run of a subtask abandoned, or stops a whole task: what runs is cancelled, what was ready counts as failed.
-- `args`: id, known (newest version), sid (the subtask; none for the whole task), now, the step that the task is at (step,
--   first, size, last), total (subtasks), keep_ms, events_ms.
-- Returns {'done', how many are left}, {'refused', status letter or '-', or task status}, {'moved'} or {'gone'}.
local args = cjson.decode(ARGV[1])
local t, why = open_known_task(args)
if not t then return why end
local first, size = t.first, t.size

-- Nobody is at the subtask any more, or ever was.
local function end_run(name, sid, r)
  if not move(t, name, sid, r) then return end
  r.op, r.token, r.finished = OP.CANCEL, '-', ended(r, t.time - t.began)
end

-- Asks the worker that holds a running subtask to let go. Where it is not alive the run is over, and nobody knows what it
-- did.
local function cancel(sid, r, worker)
  local claim = t.id .. ':' .. int(sid)
  if worker and redis.call('EXISTS', P .. 'alive:' .. worker) == 1 then
    if move(t, 'ask_cancel', sid, r) then redis.call('SADD', P .. 'cancels:' .. worker, claim .. ':' .. r.token) end
  else
    if worker then redis.call('HDEL', P .. 'claims:' .. worker, claim) end
    r.seen = TOUCHED[r.seen]
    end_run('fail', sid, r)
  end
end

-- The claims of the task that workers of the record hold: each token's worker, and the subtasks of the step.
local function held()
  local workers, sids, pattern = {}, {}, '^' .. t.id .. ':(%d+)$'
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
  local r = read(t.key, {sid}, {})[sid]
  if not r or not is_legal('ask_cancel', r.status) then return {'refused', r and r.status or '-'} end
  cancel(sid, r, held()[r.token])
end

-- The running subtasks of the step. All are held by somebody, but for those of workers that are gone.
local function running(sids)
  local found, count = {}, 0
  local function look(among)
    for sid, r in pairs(read(t.key, among, {})) do
      if r.status == S.RUNNING and not found[sid] then found[sid], count = r, count + 1 end
    end
  end
  look(sids)
  if count < tonumber(redis.call('HGET', t.key, 'n:' .. t.step .. ':' .. S.RUNNING) or '0') then
    local all = {}
    for sid = first, first + size - 1 do all[#all + 1] = sid end
    look(all)
  end
  return found
end

-- What was ready: what became so again, then what nothing happened to, or what was done and is to be undone.
local function ready()
  local sids, again, cursor = {}, t.key .. ':again:' .. t.step, (t.back and 'undone:' or 'cursor:') .. t.step
  local popped = redis.call('ZPOPMIN', again, CHUNK)
  for i = 1, #popped, 2 do sids[#sids + 1] = first + tonumber(popped[i]) end
  local from = tonumber(redis.call('HGET', t.key, cursor) or '0')
  local upto = math.min(size, from + CHUNK - #sids)
  for index = from, upto - 1 do sids[#sids + 1] = first + index end
  if upto > from then redis.call('HSET', t.key, cursor, int(upto)) end
  return sids, size - math.max(from, upto) + redis.call('ZCARD', again)
end

local function all()
  if t.status ~= 'RUNNING' then return 0, {'refused', t.status} end
  redis.call('HSET', t.key, 'cancelled', 1)
  local workers, sids = held()
  for sid, r in pairs(running(sids)) do cancel(sid, r, workers[r.token]) end
  local waiting, left = ready()
  local records = read(t.key, waiting, {})
  for _, sid in ipairs(waiting) do end_run('call_off', sid, records[sid] or new_record()) end
  return left
end

local left, refusal = 0, nil
if args.sid then refusal = one(args.sid) else left, refusal = all() end
if refusal then return refusal end
pass_barrier(t)
conclude(t)
return {'done', left}
