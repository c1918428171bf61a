-- Takes claims of a task from a worker that does not work on them any more: the subtasks are ready again, as the same run.
-- One that was being cancelled is failed, and so is one that was lost too often, as a suspect the last times.
-- ARGV: task id, newest known version, worker's number, now, the step that the task is at, its first seriesId, its size, 1
--   if it is the last, number of subtasks of the task, ms to keep a finished task, ms to keep its events, 1 if these are
--   losses, how many of them fail a subtask, the log of one that is failed; then for each claim its seriesId and its token.
-- Returns {'done', how many are ready again, how many are failed}, {'moved'} or {'gone'}.
local id, known, worker, now = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local step, first, size, last = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8] == '1'
local total, keep_ms, events_ms, lost = tonumber(ARGV[9]), ARGV[10], ARGV[11], ARGV[12] == '1'
local most, log = tonumber(ARGV[13]), ARGV[14]
local task, losses = task_key(id), task_key(id) .. ':losses'
local version, status, opened, began, back =
  unpack(redis.call('HMGET', task, 'version', 'status', 'opened', 'started', 'back'))
if not version or tonumber(version) > known then return {'gone'} end
if tonumber(back or opened) ~= step then return {'moved'} end
now = not_before(began, now)

local delta, changed, subtasks, again, failed, logs, let_go = {}, {}, {}, {}, {}, {}, {}

local function change(sid, r, to)
  bump(delta, r.status, -1)
  bump(delta, to, 1)
  r.status, r.token = to, '-'
  push(subtasks, bucket_key(task, 'subtasks', sid), sid, format(r))
  changed[to] = changed[to] or {}
  table.insert(changed[to], sid)
end

local function fail(sid, r)
  r.finished = ended(r, now - tonumber(began))
  change(sid, r, 'F')
  push(failed, task .. ':failed:' .. step, int(sid - first), int(sid - first))
end

local function reopen(sid, r)
  local count = lost and redis.call('HINCRBY', losses, sid, 1) or 0
  r.seen = TOUCHED[r.seen]  -- nobody knows what the run did
  if r.status == 'C' then
    r.op = 'C'
    fail(sid, r)
  elseif count >= most then
    push(logs, bucket_key(task, 'logs', sid), int(sid) .. ':' .. r.run .. (undoes(r.op) and ':M' or ':L'), log)
    fail(sid, r)
  else
    change(sid, r, 'Y')
    push(again, task .. ':again:' .. step, int(sid - first), int(sid - first))
  end
end

local sids, tokens = {}, {}
for at = 15, #ARGV, 2 do
  sids[#sids + 1], tokens[#tokens + 1] = tonumber(ARGV[at]), ARGV[at + 1]
end
local records = read(task, sids, {})
local suspect = redis.call('GET', P .. 'suspect:' .. worker)
for i, sid in ipairs(sids) do
  local claim, r = id .. ':' .. int(sid), records[sid]
  if redis.call('HGET', P .. 'claims:' .. worker, claim) == tokens[i] then
    redis.call('HDEL', P .. 'claims:' .. worker, claim)
    push(let_go, P .. 'cancels:' .. worker, claim .. ':' .. tokens[i])
    if suspect == claim then redis.call('DEL', P .. 'suspect:' .. worker) end
    local stands = r and r.token == tokens[i] and (r.status == 'R' or r.status == 'C')
    if stands and sid >= first and sid < first + size then reopen(sid, r) end
  end
end
flush('SREM', let_go)
flush('HSET', subtasks)
flush('HSET', logs)
flush('ZADD', again)
flush('ZADD', failed)
count(task, step, delta)
local _, after = barrier(task, id, step, size, last, now)
note_changes(task, ARGV[4], step, changed, after ~= status and {'task', after} or {})
if after ~= status then retire(task, id, total, now, keep_ms, events_ms) end
return {'done', #(changed.Y or {}), #(changed.F or {})}
