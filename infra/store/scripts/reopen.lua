-- uses: moves
-- Takes claims of a task from a worker that does not work on them any more: the subtasks are ready again, as the same run.
-- One that was being cancelled is failed, and so is one that was lost too often, as a suspect the last times.
-- `args`: id, known (newest version), worker (its number), now, the step that the task is at (step, first, size, last),
--   total (subtasks), keep_ms, events_ms, lost (whether these are losses), claims (seriesId and token of each).
-- ARGV[2]: the log of a subtask that is failed.
-- Returns {'done', how many are ready again, how many are failed}, {'moved'} or {'gone'}.
local args = cjson.decode(ARGV[1])
local t, why = open_known_task(args)
if not t then return why end
local losses, suspect_key = t.key .. ':losses', P .. 'suspect:' .. args.worker
local claims_of_worker, cancels = P .. 'claims:' .. args.worker, P .. 'cancels:' .. args.worker

local function reopen(sid, r)
  local count = args.lost and redis.call('HINCRBY', losses, sid, 1) or 0
  local cancelled, too_many = r.status == S.CANCELING, count >= TOO_MANY_LOSSES
  if not move(t, cancelled and 'cancel' or too_many and 'fail' or 'lose', sid, r) then return end
  r.seen, r.token = TOUCHED[r.seen], '-'  -- nobody knows what the run did
  if cancelled then
    r.op = OP.CANCEL
  elseif too_many then
    local suffix = undoes(r.op) and LOST_UNDOING_SUFFIX or LOST_SUFFIX
    push(t.logs, bucket_key(t.key, 'logs', sid), int(sid) .. ':' .. r.run .. suffix, ARGV[2])
  end
  if cancelled or too_many then r.finished = ended(r, t.time - t.began) end
end

local sids = {}
for i, claim in ipairs(args.claims) do sids[i] = claim[1] end
local records = read(t.key, sids, {})
local suspect = redis.call('GET', suspect_key)
for _, one in ipairs(args.claims) do
  local sid, token = unpack(one)
  local claim, r = t.id .. ':' .. int(sid), records[sid]
  if redis.call('HGET', claims_of_worker, claim) == token then
    redis.call('HDEL', claims_of_worker, claim)
    redis.call('SREM', cancels, claim .. ':' .. token)
    if suspect == claim then redis.call('DEL', suspect_key) end
    local in_step = sid >= t.first and sid < t.first + t.size
    if in_step and r and r.token == token then reopen(sid, r) end
  end
end
pass_barrier(t)
conclude(t)
return {'done', #(t.changed[S.READY] or {}), #(t.changed[S.FAILED] or {})}
