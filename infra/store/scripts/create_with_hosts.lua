-- Adds hosts and stores a task for each: all of it or nothing. ARGV: those of `store_task` and `known_request` in the
-- prelude, then for each host ip, port, user, home, prefix, sudo, alias, kind, idc, model, ports, serial number and
-- description ('' where there is none).
-- Returns {'made', {tasks}, {first subtasks}, {hosts}}; where the key holds already {'known', task} (the first one's) or
-- {'other'}; {'there', which host of the request, from 0, host that is it or has its alias, 'endpoint' or 'alias'}.
local known = known_request()
if known then return known end
local WORDS = 13
for at = 13, #ARGV, WORDS do
  local alias = ARGV[at + 6]
  local same = redis.call('HGET', P .. 'endpoints', ARGV[at] .. ' ' .. ARGV[at + 1] .. ' ' .. ARGV[at + 3])
  if same then return {'there', (at - 13) / WORDS, same, 'endpoint'} end
  local namesake = alias ~= '' and redis.call('HGET', P .. 'aliases', alias)
  if namesake then return {'there', (at - 13) / WORDS, namesake, 'alias'} end
end
unlist_expired(ARGV[7], 20)
local names = {'ip', 'port', 'user', 'home', 'prefix', 'sudo', 'alias', 'kind', 'idc', 'model', 'ports', 'serial',
  'description'}
local tasks, firsts, hosts = {}, {}, {}
for at = 13, #ARGV, WORDS do
  local id
  repeat id = int(redis.call('INCR', P .. 'seq:host')) until redis.call('EXISTS', host_key(id)) == 0
  local fields = {'status', 'NEW', 'agent', 'DELETED', 'created', ARGV[7], 'updated', ARGV[7]}
  for word, name in ipairs(names) do
    if ARGV[at + word - 1] ~= '' then
      fields[#fields + 1] = name
      fields[#fields + 1] = ARGV[at + word - 1]
    end
  end
  redis.call('HSET', host_key(id), unpack(fields))
  redis.call('HSET', P .. 'endpoints', ARGV[at] .. ' ' .. ARGV[at + 1] .. ' ' .. ARGV[at + 3], id)
  if ARGV[at + 6] ~= '' then redis.call('HSET', P .. 'aliases', ARGV[at + 6], id) end
  redis.call('ZADD', P .. 'hosts', 0, string.rep('0', 19 - #id) .. id)
  hosts[#hosts + 1] = id
  tasks[#tasks + 1], firsts[#firsts + 1] = store_task({id}, 1)
end
keep_request(tasks)
return {'made', tasks, firsts, hosts}
