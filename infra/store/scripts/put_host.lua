-- Adds hosts or changes how they are reached. ARGV: now, then for each host its id, the id's index member, ip, port,
-- user, home, prefix, sudo, key ('' keeps the one that is pinned) and alias ('' for none).
local newest = tonumber(redis.call('GET', P .. 'seq:host') or '0')
for at = 2, #ARGV, 10 do
  local id, member, alias = ARGV[at], ARGV[at + 1], ARGV[at + 9]
  local key = host_key(id)
  local old, ip, port, home = unpack(redis.call('HMGET', key, 'alias', 'ip', 'port', 'home'))
  if old and old ~= alias then redis.call('HDEL', P .. 'aliases', old) end
  if ip then disown('endpoints', ip .. ' ' .. port .. ' ' .. home, id) end
  redis.call('HSET', P .. 'endpoints', ARGV[at + 2] .. ' ' .. ARGV[at + 3] .. ' ' .. ARGV[at + 5], id)
  if #id <= 15 and tonumber(id) > newest then newest = tonumber(id) end
  redis.call('HSET', key, 'ip', ARGV[at + 2], 'port', ARGV[at + 3], 'user', ARGV[at + 4], 'home', ARGV[at + 5],
    'prefix', ARGV[at + 6], 'sudo', ARGV[at + 7], 'updated', ARGV[1])
  if ARGV[at + 8] ~= '' then redis.call('HSET', key, 'key', ARGV[at + 8]) end
  if alias ~= '' then
    local loser = redis.call('HGET', P .. 'aliases', alias)
    if loser and loser ~= id then redis.call('HDEL', host_key(loser), 'alias') end
    redis.call('HSET', key, 'alias', alias)
    redis.call('HSET', P .. 'aliases', alias, id)
  else
    redis.call('HDEL', key, 'alias')
  end
  redis.call('HSETNX', key, 'status', 'ONLINE')
  redis.call('HSETNX', key, 'agent', 'AVAILABLE')
  redis.call('HSETNX', key, 'created', ARGV[1])
  redis.call('ZADD', P .. 'hosts', 0, member)
end
redis.call('SET', P .. 'seq:host', int(newest))
return 1
