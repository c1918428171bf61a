-- Shared by every script: keys, subtask records, counts. The keys' meanings stand in infra/store/keys.py.
local P = 'ocpfleet:'
local BUCKET = 128

local function task_key(id) return P .. 'task:' .. id end

local bucket_keys = {subtasks = {}, logs = {}}

-- A script speaks of one task only, so the names of its buckets are built once each.
local function bucket_key(task, kind, sid)
  local names, n = bucket_keys[kind], math.floor(sid / BUCKET)
  if not names[n] then names[n] = task .. ':' .. kind .. ':' .. n end
  return names[n]
end

local function host_key(id) return P .. 'host:' .. id end

local function int(n) return string.format('%.0f', n) end

-- One command with many words after its key, in pieces that Lua can unpack; pairs of words stay together.
local function call_all(command, key, words)
  for from = 1, #words, 4000 do
    redis.call(command, key, unpack(words, from, math.min(from + 3999, #words)))
  end
end

-- Collects words by key: `push` adds one or two to a key's pile, `flush` sends each key's in one command.
local function push(piles, key, word, another)
  local words = piles[key]
  if not words then
    words = {}
    piles[key] = words
  end
  words[#words + 1] = word
  words[#words + 1] = another
end

local function flush(command, piles)
  for key, words in pairs(piles) do call_all(command, key, words) end
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

-- Where the counter of a worker stands that was called lost. From then on it is not known any more, though still there.
local LOST = '-1'
local function is_known(worker)
  return redis.call('HEXISTS', P .. 'workers', worker) == 1 and redis.call('HGET', P .. 'beats', worker) ~= LOST
end

-- So many losses of its worker make a subtask a suspect.
local SUSPECT = 2

local TOUCHED = {a = 'A', g = 'G', ['-'] = '+', A = 'A', G = 'G', ['+'] = '+'}

-- What is known of the agent after one more run: what that run saw, else what was seen before; touched stays touched.
local function seen_after(before, run)
  local latest = (run == '-' or run == '+') and before or run
  return (TOUCHED[before] == before or TOUCHED[run] == run) and TOUCHED[latest] or latest
end

-- Whether a run under this operation undoes what was done.
local function undoes(op) return op == 'B' or op == 'Q' end

-- The field of a run's log: the skip of a run, its undoing and the skip of that stand beside the run itself.
local LOG_SUFFIX = {K = ':K', B = ':B', Q = ':Q'}
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
local function stands(r, token) return r and r.status == 'R' and r.token == token end

-- The records of the claims in ARGV from `at` on (seriesId, token, host each), by the seriesId as it stands there.
local function read_claimed(task, at)
  local sids = {}
  for i = at, #ARGV, 3 do sids[#sids + 1] = ARGV[i] end
  return read(task, sids, {})
end

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

-- Notes a batch of changes, and that the task is not what it was: `changes` counts its events.
local function event(task, now, fields)
  redis.call('HINCRBY', task, 'changes', 1)
  redis.call('XADD', task .. ':events', 'MAXLEN', '~', 1000, '*', 'at', now, unpack(fields))
end

-- Notes what a batch changed in a step, if anything: `changed` has the subtasks by the letter of their new status, `more`
-- what else there is to say, names and values in turn.
local function note_changes(task, now, step, changed, more)
  if not next(changed) then return end
  local fields = {'step', step}
  for to, sids in pairs(changed) do
    table.sort(sids)
    fields[#fields + 1] = to
    fields[#fields + 1] = ranges(sids)
  end
  for _, word in ipairs(more) do fields[#fields + 1] = word end
  event(task, now, fields)
end

-- Puts a task into every index that shows it ('ZADD'), or takes it out ('ZREM'). `entry` says which: "status type host
-- creator", the host '-' where the task is not about a single one.
local function index(command, id, entry)
  local status, slug, host, creator = string.match(entry, '^(%u+) (%S+) (%S+) (.*)$')
  local cell, scopes = P .. 'tasks:' .. status .. ':' .. slug, {'', ':creator:' .. creator}
  if host ~= '-' then
    scopes[3] = ':host:' .. host
    scopes[4] = scopes[3] .. scopes[2]
  end
  for _, scope in ipairs(scopes) do
    if command == 'ZADD' then redis.call('ZADD', cell .. scope, id, id) else redis.call('ZREM', cell .. scope, id) end
  end
end

-- Sets a task's status and keeps the indexes right. Whoever changes the status of a task does it by this.
local function set_task_status(task, id, status)
  redis.call('HSET', task, 'status', status)
  local entry = redis.call('HGET', P .. 'tasks:indexed', id)
  if not entry then return end
  local now = string.gsub(entry, '^%u+', status)
  if now == entry then return end
  index('ZREM', id, entry)
  index('ZADD', id, now)
  redis.call('HSET', P .. 'tasks:indexed', id, now)
end

-- Takes a task that is gone out of everything that lists it.
local function unlist(id)
  local entry = redis.call('HGET', P .. 'tasks:indexed', id)
  if entry then index('ZREM', id, entry) end
  redis.call('HDEL', P .. 'tasks:indexed', id)
  redis.call('ZREM', P .. 'tasks', id)
  redis.call('ZREM', P .. 'expiring', id)
end

-- Unlists tasks whose keys have expired: at most `limit` of those that are due.
local function unlist_expired(now, limit)
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', P .. 'expiring', '-inf', now, 'LIMIT', 0, limit)) do
    local left = redis.call('PTTL', task_key(id))
    if left == -2 then
      unlist(id)
    elseif left == -1 then  -- it does not expire any more
      redis.call('ZREM', P .. 'expiring', id)
    end
  end
end

-- The keys of a task that came with what happened to its subtasks.
local function grown_keys(task, total)
  local found = {task .. ':losses'}
  for step = 0, tonumber(redis.call('HGET', task, 'opened')) do
    found[#found + 1] = task .. ':again:' .. step
    found[#found + 1] = task .. ':failed:' .. step
  end
  for bucket = 0, math.floor((total - 1) / BUCKET) do
    found[#found + 1] = task .. ':subtasks:' .. bucket
    found[#found + 1] = task .. ':logs:' .. bucket
  end
  return found
end

-- The barrier: all successful opens the next step; some open changes nothing; some failed and none open ends the task.
-- On the way back it is the step before that all undone opens. Returns the step that was opened, or false, and where the
-- task stands.
local function barrier(task, id, step, size, last, now)
  local status, opened, back = unpack(redis.call('HMGET', task, 'status', 'opened', 'back'))
  local counts = redis.call('HMGET', task, 'n:' .. step .. (back and ':P' or ':S'), 'n:' .. step .. ':F')
  local well, badly = tonumber(counts[1] or '0'), tonumber(counts[2] or '0')
  if status ~= 'RUNNING' or step ~= tonumber(back or opened) or well + badly < size then return false, status end
  if badly == 0 and back and step > 0 then
    redis.call('HSET', task, 'back', step - 1)
    return step - 1, status
  end
  if badly == 0 and not back and not last then
    redis.call('HSET', task, 'opened', step + 1)
    return step + 1, status
  end
  status = badly == 0 and 'SUCCESSFUL' or 'FAILED'
  set_task_status(task, id, status)
  redis.call('HSET', task, 'finished', int(now))
  return false, status
end

-- Lets a task go that is over and holds no host; its events go sooner.
local function retire(task, id, total, now, keep_ms, events_ms)
  if redis.call('HGET', task, 'status') == 'RUNNING' then return end
  redis.call('PEXPIRE', task .. ':events', events_ms)
  if tonumber(redis.call('HGET', task, 'held') or '0') > 0 then return end
  for _, key in ipairs({task, task .. ':hosts', task .. ':executors'}) do redis.call('PEXPIRE', key, keep_ms) end
  for _, key in ipairs(grown_keys(task, total)) do redis.call('PEXPIRE', key, keep_ms) end
  redis.call('ZADD', P .. 'expiring', now + keep_ms, id)
end

-- Takes a task back that was on its way out.
local function recall(task, id, total)
  redis.call('PERSIST', task .. ':events')
  if redis.call('PERSIST', task) == 0 then return end
  for _, key in ipairs({task .. ':hosts', task .. ':executors'}) do redis.call('PERSIST', key) end
  for _, key in ipairs(grown_keys(task, total)) do redis.call('PERSIST', key) end
  redis.call('ZREM', P .. 'expiring', id)
end

local function busy_key(host) return P .. 'busy:' .. host end

-- The lease that stands on a host, what it is for, and the ms that are left of it; nothing where there is none.
local function leased(host)
  local value = redis.call('GET', busy_key(host))
  if not value then return nil end
  local lease, purpose = string.match(value, '^(%S+) (.*)$')
  return lease, purpose, redis.call('PTTL', busy_key(host))
end

local function protected(host) return redis.call('SISMEMBER', P .. 'protected', host) == 1 end

-- Takes a name out of a table of names, where it is this host's.
local function disown(table, name, id)
  if name and redis.call('HGET', P .. table, name) == id then redis.call('HDEL', P .. table, name) end
end

-- Stores a task: head, host list, index entries, first event. Nothing of its subtasks: nothing happened to them yet.
-- ARGV: version, type, creator's id, creator's name, executor, trace id, now, number of subtasks, 1 if it is about a
--   single host. `hosts` has its hosts' ids from `from` on. Returns its id and that of its first subtask.
local function store_task(hosts, from)
  local total = tonumber(ARGV[8])
  local id = redis.call('INCR', P .. 'seq:task')
  local first = redis.call('INCRBY', P .. 'seq:subtask', total) - total + 1
  local task = task_key(int(id))
  redis.call('HSET', task, 'version', ARGV[1], 'type', ARGV[2], 'creator_id', ARGV[3], 'creator', ARGV[4],
    'executor', ARGV[5], 'trace', ARGV[6], 'started', ARGV[7], 'status', 'RUNNING', 'operation', 'EXECUTE',
    'opened', 0, 'token', 0, 'held', 0, 'hosts', #hosts - from + 1, 'first', int(first))
  for at = from, #hosts, 4000 do
    redis.call('RPUSH', task .. ':hosts', unpack(hosts, at, math.min(at + 3999, #hosts)))
  end
  redis.call('ZADD', P .. 'tasks', int(id), int(id))
  local entry = 'RUNNING ' .. ARGV[2] .. ' ' .. (ARGV[9] == '1' and hosts[from] or '-') .. ' ' .. ARGV[4]
  index('ZADD', int(id), entry)
  redis.call('HSET', P .. 'tasks:indexed', int(id), entry)
  redis.call('SADD', P .. 'types', ARGV[2])
  event(task, ARGV[7], {'task', 'RUNNING', 'opened', 0})
  return id, first
end

-- ARGV, further: the client's key for its request or '', a digest of what it asks for, ms for which the key holds.
local function request_key() return P .. 'once:' .. ARGV[3] .. ':' .. ARGV[10] end

-- What a request's key stands for: {'known', task}, {'other'} for another request's, nil where it does not hold.
local function known_request()
  local former = ARGV[10] ~= '' and redis.call('GET', request_key())
  if not former then return nil end
  local known, digest = string.match(former, '^(%d+) (%x+)$')
  if redis.call('EXISTS', task_key(known)) == 0 then return nil end
  return digest == ARGV[11] and {'known', tonumber(known)} or {'other'}
end

-- Lets the request's key stand for the tasks that it became, the first of which names it.
local function keep_request(tasks)
  if ARGV[10] == '' then return end
  redis.call('SET', request_key(), int(tasks[1]) .. ' ' .. ARGV[11], 'PX', ARGV[12])
  for _, id in ipairs(tasks) do redis.call('HSET', task_key(int(id)), 'once', request_key()) end
end

-- Keeps an entry of the audit and returns its number. Entries are numbered without gaps, so that a page is found by
-- number; the newest `most` are kept.
local function keep_audit(most, entry)
  local number = int(redis.call('INCR', P .. 'seq:audit'))
  redis.call('XADD', P .. 'audit', 'MAXLEN', most, number .. '-0', 'e', entry)
  return tonumber(number)
end
