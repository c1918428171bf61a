-- uses: tasks
-- Removes a task that nobody has claimed anything of, and nobody cancelled or confirmed. `args`: id. Returns 1 where it is
-- gone.
local args = cjson.decode(ARGV[1])
local task = task_key(args.id)
if redis.call('EXISTS', task) == 0 then return 1 end
local token, confirmed, once = unpack(redis.call('HMGET', task, 'token', 'confirmed', 'once'))
if token ~= '0' or tonumber(confirmed or '0') > 0 or redis.call('HEXISTS', task, 'n:0:' .. S.FAILED) == 1 then return 0 end
if once then redis.call('DEL', once) end
redis.call('DEL', task, task .. ':hosts', task .. ':events')
unlist(args.id)
return 1
