-- uses: tasks
-- How tasks are stored, and how a client's key for its request stands for them.

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
