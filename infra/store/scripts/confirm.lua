-- Touches tasks, so that whoever waits for replicas then waits for all that was stored of them before; and keeps them from
-- being withdrawn where somebody else is told that they are accepted. `args`: keep (whether to keep them), ids.
-- Returns how many of them are there.
local args, there = cjson.decode(ARGV[1]), 0
for _, id in ipairs(args.ids) do
  local task = task_key(id)
  if redis.call('EXISTS', task) == 1 then
    redis.call('HINCRBY', task, 'confirmed', args.keep and 1 or 0)
    there = there + 1
  end
end
return there
