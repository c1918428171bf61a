-- uses: new_tasks
-- Adds hosts and stores a task for each: all of it or nothing. `args`: those of `store_task` and `known_request` in the
-- prelude, and hosts: for each the fields of its key, those that it has.
-- Returns {'made', {tasks}, {first subtasks}, {hosts}}; where the key holds already {'known', task} (the first one's) or
-- {'other'}; {'there', which host of the request, from 0, host that is it or has its alias, 'endpoint' or 'alias'}.
local args = cjson.decode(ARGV[1])
local known = known_request(args)
if known then return known end
local function endpoint(host) return host.ip .. ' ' .. host.port .. ' ' .. host.home end
for i, host in ipairs(args.hosts) do
  local same = redis.call('HGET', P .. 'endpoints', endpoint(host))
  if same then return {'there', i - 1, same, 'endpoint'} end
  local namesake = host.alias and redis.call('HGET', P .. 'aliases', host.alias)
  if namesake then return {'there', i - 1, namesake, 'alias'} end
end
unlist_expired(args.now, 20)
local tasks, firsts, ids = {}, {}, {}
for i, host in ipairs(args.hosts) do
  local id
  repeat id = int(redis.call('INCR', P .. 'seq:host')) until redis.call('EXISTS', host_key(id)) == 0
  local fields = {'status', 'NEW', 'agent', 'DELETED', 'created', args.now, 'updated', args.now}
  for name, value in pairs(host) do
    fields[#fields + 1] = name
    fields[#fields + 1] = value
  end
  redis.call('HSET', host_key(id), unpack(fields))
  redis.call('HSET', P .. 'endpoints', endpoint(host), id)
  if host.alias then redis.call('HSET', P .. 'aliases', host.alias, id) end
  redis.call('ZADD', P .. 'hosts', 0, string.rep('0', 19 - #id) .. id)
  ids[i] = id
  tasks[i], firsts[i] = store_task(args, {id})
end
keep_request(args, tasks)
return {'made', tasks, firsts, ids}
