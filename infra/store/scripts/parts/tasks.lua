-- Tasks as the lists show them, and how long they are kept.

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
