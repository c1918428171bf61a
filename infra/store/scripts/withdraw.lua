-- Removes a task that nobody has claimed anything of, and nobody cancelled or confirmed. ARGV: task id. Returns 1 where
-- it is gone.
local task = task_key(ARGV[1])
if redis.call('EXISTS', task) == 0 then return 1 end
local token, confirmed, once = unpack(redis.call('HMGET', task, 'token', 'confirmed', 'once'))
if token ~= '0' or tonumber(confirmed or '0') > 0 or redis.call('HEXISTS', task, 'n:0:F') == 1 then return 0 end
if once then redis.call('DEL', once) end
redis.call('DEL', task, task .. ':hosts', task .. ':events')
unlist(ARGV[1])
return 1
