-- uses: records
-- Keeps what runs have done so far, each log under the field that the last log of that run will replace.
-- ARGV: for each task its id and how many of its runs follow, and for each of these its seriesId, its token and its log. A
--   run whose claim no longer stands is passed over.
local at = 1
while at < #ARGV do
  local task, runs = task_key(ARGV[at]), tonumber(ARGV[at + 1])
  local from, sids, logs = at + 2, {}, {}
  at = from + 3 * runs
  bucket_keys = {subtasks = {}, logs = {}}
  for i = from, at - 1, 3 do sids[#sids + 1] = ARGV[i] end
  local records = read(task, sids, {})
  for i = from, at - 1, 3 do
    local sid, r = ARGV[i], records[ARGV[i]]
    if r and r.token == ARGV[i + 1] and string.find(GOING_ON, r.status, 1, true) then
      push(logs, bucket_key(task, 'logs', sid), log_field(sid, r.run, r.op), ARGV[i + 2])
    end
  end
  flush('HSET', logs)
end
