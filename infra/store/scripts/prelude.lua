-- Stands before every script, after the head, which is generated and has the letters, moves and limits. What the keys mean
-- stands in infra/store/keys.py. A script names the parts that it uses besides (parts/*.lua), and so does a part.
--
-- A script off the hot path takes one JSON document as ARGV[1], which it calls `args`. What has no value is left out. Ids of
-- hosts, tasks and workers, and tokens are strings in it: Lua writes a large number as 1e+15.
local function task_key(id) return P .. 'task:' .. id end

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

-- Whether the record knows a worker; one that was called lost is not known any more, though still there.
local function is_known(worker)
  return redis.call('HEXISTS', P .. 'workers', worker) == 1 and redis.call('HGET', P .. 'beats', worker) ~= LOST
end

-- Notes a batch of changes, and that the task is not what it was: `changes` counts its events.
local function event(task, now, fields)
  redis.call('HINCRBY', task, 'changes', 1)
  redis.call('XADD', task .. ':events', 'MAXLEN', '~', 1000, '*', 'at', now, unpack(fields))
end

-- Keeps an entry of the audit and returns its number. Entries are numbered without gaps, so that a page is found by
-- number; the newest `most` are kept.
local function keep_audit(most, entry)
  local number = int(redis.call('INCR', P .. 'seq:audit'))
  redis.call('XADD', P .. 'audit', 'MAXLEN', most, number .. '-0', 'e', entry)
  return tonumber(number)
end
