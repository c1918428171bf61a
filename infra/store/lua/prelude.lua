-- Shared by every script: keys, subtask records, counts. The keys' meanings stand in infra/store/redis/keys.py.
local P = 'ocpfleet:'
local BUCKET = 128

local function task_key(id) return P .. 'task:' .. id end

local function bucket_key(task, kind, sid) return task .. ':' .. kind .. ':' .. math.floor(sid / BUCKET) end

local function host_key(id) return P .. 'host:' .. id end

local function int(n) return string.format('%.0f', n) end

-- A subtask's record: status, operation, runTime, executor's number, start, end (ms after the task's start), token.
local function read(task, sid)
  local raw = redis.call('HGET', bucket_key(task, 'subtasks', sid), sid)
  if not raw then return nil end
  local status, op, run, executor, started, finished, token =
    string.match(raw, '^(%u) (%u) (%d+) (%S+) (%S+) (%S+) (%S+)$')
  return {status = status, op = op, run = run, executor = executor,
    started = started, finished = finished, token = token}
end

local function write(task, sid, r)
  redis.call('HSET', bucket_key(task, 'subtasks', sid), sid,
    table.concat({r.status, r.op, r.run, r.executor, r.started, r.finished, r.token}, ' '))
end

-- Whether a claim stands: its subtask is running under this very token.
local function stands(r, token) return r and r.status == 'R' and r.token == token end

-- Adds to the counts of a step: `delta` maps a status letter to a number.
local function count(task, step, delta)
  for status, n in pairs(delta) do
    if n ~= 0 then redis.call('HINCRBY', task, 'n:' .. step .. ':' .. status, n) end
  end
end

local function bump(delta, status, n) delta[status] = (delta[status] or 0) + n end

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

local function event(task, now, fields)
  redis.call('XADD', task .. ':events', 'MAXLEN', '~', 1000, '*', 'at', now, unpack(fields))
end

-- Lets a task go that is over and holds no host; its events go sooner.
local function retire(task, id, total, now, keep_ms, events_ms)
  if redis.call('HGET', task, 'status') == 'RUNNING' then return end
  redis.call('PEXPIRE', task .. ':events', events_ms)
  if tonumber(redis.call('HGET', task, 'held') or '0') > 0 then return end
  for _, key in ipairs({task, task .. ':hosts', task .. ':executors'}) do redis.call('PEXPIRE', key, keep_ms) end
  for step = 0, tonumber(redis.call('HGET', task, 'opened')) do
    redis.call('PEXPIRE', task .. ':again:' .. step, keep_ms)
  end
  for bucket = 0, math.floor((total - 1) / BUCKET) do
    redis.call('PEXPIRE', task .. ':subtasks:' .. bucket, keep_ms)
    redis.call('PEXPIRE', task .. ':logs:' .. bucket, keep_ms)
  end
  redis.call('ZADD', P .. 'expiring', now + keep_ms, id)
end
