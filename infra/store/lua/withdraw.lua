-- Removes a task that nobody has claimed anything of, and nobody cancelled. ARGV: task id. Returns 1 where it is gone.
local task = task_key(ARGV[1])
if redis.call('EXISTS', task) == 0 then return 1 end
if redis.call('HGET', task, 'token') ~= '0' or redis.call('HEXISTS', task, 'n:0:F') == 1 then return 0 end
local once = redis.call('HGET', task, 'once')
if once then redis.call('DEL', once) end
redis.call('DEL', task, task .. ':hosts', task .. ':events')
unlist(ARGV[1])
return 1
