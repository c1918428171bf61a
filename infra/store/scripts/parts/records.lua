-- The records of subtasks: how they read, and what a run adds to one.

local bucket_keys = {subtasks = {}, logs = {}}

-- A script speaks of one task only, so the names of its buckets are built once each.
local function bucket_key(task, kind, sid)
  local names, n = bucket_keys[kind], math.floor(sid / BUCKET)
  if not names[n] then names[n] = task .. ':' .. kind .. ':' .. n end
  return names[n]
end

-- A subtask's record: status, operation, runTime, executor's number, start, end (ms after the task's start), token, and
-- what the last look at its host said of the agent: a(live), g(one) or -; A, G or + where a run of it changed the agent,
-- or may have.
local function parse(raw)
  local status, op, run, executor, started, finished, token, seen =
    string.match(raw, '^(%u) (%u) (%d+) (%S+) (%S+) (%S+) (%S+) (%S)$')
  return {status = status, op = op, run = run, executor = executor,
    started = started, finished = finished, token = token, seen = seen}
end

local function format(r)
  return r.status .. ' ' .. r.op .. ' ' .. r.run .. ' ' .. r.executor .. ' ' .. r.started .. ' ' .. r.finished .. ' '
    .. r.token .. ' ' .. r.seen
end

-- Clocks of those who call can be set back: nothing of a task happens before the task begins, and no run ends before it
-- does. `ended` is the end of a run at `now`, both from the start of the task.
local function not_before(began, now) return math.max(now, tonumber(began)) end

local function ended(r, now) return int(math.max(now, tonumber(r.started) or 0)) end

-- What is known of the agent after one more run: what that run saw, else what was seen before; touched stays touched.
local function seen_after(before, run)
  local latest = (run == '-' or run == '+') and before or run
  return (TOUCHED[before] == before or TOUCHED[run] == run) and TOUCHED[latest] or latest
end

-- Whether a run under this operation undoes what was done.
local function undoes(op) return string.find(UNDOES, op, 1, true) ~= nil end

-- The field of a run's log: the skip of a run, its undoing and the skip of that stand beside the run itself.
local function log_field(sid, run, op) return int(sid) .. ':' .. run .. (LOG_SUFFIX[op] or '') end

-- Adds the records of subtasks to `records`, by seriesId; none for those that nothing happened to.
local function read(task, sids, records)
  local buckets = {}
  for _, sid in ipairs(sids) do push(buckets, bucket_key(task, 'subtasks', sid), sid) end
  for key, fields in pairs(buckets) do
    local found = redis.call('HMGET', key, unpack(fields))
    for i, sid in ipairs(fields) do
      if found[i] then records[sid] = parse(found[i]) end
    end
  end
  return records
end

-- Whether a claim stands: its subtask is running under this very token.
local function stands(r, token) return r and r.status == S.RUNNING and r.token == token end

-- The record of a subtask that nothing happened to yet. It has no status.
local function new_record()
  return {op = OP.EXECUTE, run = '1', executor = '-', started = '-', finished = '-', token = '-', seen = '-'}
end

-- The records of claims (seriesId, token and host each), by seriesId.
local function read_claimed(task, claims)
  local sids = {}
  for i, claim in ipairs(claims) do sids[i] = claim[1] end
  return read(task, sids, {})
end
