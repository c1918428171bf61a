-- uses: hosts
-- Adds hosts or changes how they are reached. `args`: now, and hosts: for each its id, the id's index member, ip, port,
-- user, home, prefix, sudo, key (where none is given, one that is pinned stays) and alias, if it has one.
local args = cjson.decode(ARGV[1])
local newest = tonumber(redis.call('GET', P .. 'seq:host') or '0')
for _, host in ipairs(args.hosts) do
  local id, alias = host.id, host.alias
  local key = host_key(id)
  local old, ip, port, home = unpack(redis.call('HMGET', key, 'alias', 'ip', 'port', 'home'))
  if old and old ~= alias then redis.call('HDEL', P .. 'aliases', old) end
  if ip then disown('endpoints', ip .. ' ' .. port .. ' ' .. home, id) end
  redis.call('HSET', P .. 'endpoints', host.ip .. ' ' .. host.port .. ' ' .. host.home, id)
  if #id <= 15 and tonumber(id) > newest then newest = tonumber(id) end
  local fields = {'ip', host.ip, 'port', host.port, 'user', host.user, 'home', host.home, 'prefix', host.prefix,
    'sudo', host.sudo, 'updated', args.now}
  local function set(name, value)
    fields[#fields + 1] = name
    fields[#fields + 1] = value
  end
  if not ip then
    set('status', 'ONLINE')
    set('agent', 'AVAILABLE')
    set('created', args.now)
  end
  if host.key then set('key', host.key) end
  if alias then
    local loser = redis.call('HGET', P .. 'aliases', alias)
    if loser and loser ~= id then redis.call('HDEL', host_key(loser), 'alias') end
    redis.call('HSET', P .. 'aliases', alias, id)
    set('alias', alias)
  elseif old then
    redis.call('HDEL', key, 'alias')
  end
  redis.call('HSET', key, unpack(fields))
  redis.call('ZADD', P .. 'hosts', 0, host.member)
end
redis.call('SET', P .. 'seq:host', int(newest))
return 1
