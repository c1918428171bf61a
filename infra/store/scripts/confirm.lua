-- Touches tasks, so that whoever waits for replicas then waits for all that was stored of them before; and keeps them from
-- being withdrawn where somebody else is told that they are accepted. ARGV: 1 to keep them, 0 not to; task ids.
-- Returns how many of them are there.
local there = 0
for at = 2, #ARGV do
  local task = task_key(ARGV[at])
  if redis.call('EXISTS', task) == 1 then
    redis.call('HINCRBY', task, 'confirmed', ARGV[1])
    there = there + 1
  end
end
return there
