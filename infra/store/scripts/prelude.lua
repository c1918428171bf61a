-- Shared by every script. The keys' meanings stand in infra/store/keys.py; letters, moves and limits in the head, which
-- is generated. A script off the hot path takes one JSON document as ARGV[1], which it calls `args`; what has no value is
-- left out. Ids of hosts, tasks and workers, and tokens are strings in it: Lua writes a large number as 1e+15.
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

-- Whether the record knows a worker; one that was called lost is not known any more, though still there.
local function is_known(worker)
  return redis.call('HEXISTS', P .. 'workers', worker) == 1 and redis.call('HGET', P .. 'beats', worker) ~= LOST
end

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
-- `args` says: version, type, creator_id, creator, executor, trace, now, total (subtasks), single_host. `hosts` has its
-- hosts' ids. Returns its id and that of its first subtask.
local function store_task(args, hosts)
  local id = redis.call('INCR', P .. 'seq:task')
  local first = redis.call('INCRBY', P .. 'seq:subtask', args.total) - args.total + 1
  local task = task_key(int(id))
  redis.call('HSET', task, 'version', args.version, 'type', args.type, 'creator_id', args.creator_id,
    'creator', args.creator, 'executor', args.executor, 'trace', args.trace, 'started', args.now, 'status', 'RUNNING',
    'operation', 'EXECUTE', 'opened', 0, 'token', 0, 'held', 0, 'hosts', #hosts, 'first', int(first))
  call_all('RPUSH', task .. ':hosts', hosts)
  redis.call('ZADD', P .. 'tasks', int(id), int(id))
  local entry = 'RUNNING ' .. args.type .. ' ' .. (args.single_host and hosts[1] or '-') .. ' ' .. args.creator
  index('ZADD', int(id), entry)
  redis.call('HSET', P .. 'tasks:indexed', int(id), entry)
  redis.call('SADD', P .. 'types', args.type)
  event(task, args.now, {'task', 'RUNNING', 'opened', 0})
  return id, first
end

-- The client's key for its request: `args` says key (if there is one), digest (of what it asks for), and keep_once, the ms
-- for which the key holds.
local function request_key(args) return P .. 'once:' .. args.creator_id .. ':' .. args.key end

-- What a request's key stands for: {'known', task}, {'other'} for another request's, nil where it does not hold.
local function known_request(args)
  local former = args.key and redis.call('GET', request_key(args))
  if not former then return nil end
  local known, digest = string.match(former, '^(%d+) (%x+)$')
  if redis.call('EXISTS', task_key(known)) == 0 then return nil end
  return digest == args.digest and {'known', tonumber(known)} or {'other'}
end

-- Lets the request's key stand for the tasks that it became, the first of which names it.
local function keep_request(args, tasks)
  if not args.key then return end
  redis.call('SET', request_key(args), int(tasks[1]) .. ' ' .. args.digest, 'PX', args.keep_once)
  for _, id in ipairs(tasks) do redis.call('HSET', task_key(int(id)), 'once', request_key(args)) end
end

-- Keeps an entry of the audit and returns its number. Entries are numbered without gaps, so that a page is found by
-- number; the newest `most` are kept.
local function keep_audit(most, entry)
  local number = int(redis.call('INCR', P .. 'seq:audit'))
  redis.call('XADD', P .. 'audit', 'MAXLEN', most, number .. '-0', 'e', entry)
  return tonumber(number)
end
