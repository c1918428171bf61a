-- uses: hosts
-- Takes hosts out of the inventory: those that no task holds, that are not protected, and that this lease stands on; where
-- no lease is given, those that none stands on. `args`: lease (if there is one), hosts (id and index member of each).
-- Returns the hosts that are gone.
local args, gone = cjson.decode(ARGV[1]), {}
for _, host in ipairs(args.hosts) do
  local id, member = unpack(host)
  local key = host_key(id)
  local ip, port, home, holder, alias = unpack(redis.call('HMGET', key, 'ip', 'port', 'home', 'holder', 'alias'))
  if ip and not holder and not protected(id) and leased(id) == args.lease then
    disown('aliases', alias, id)
    disown('endpoints', ip .. ' ' .. port .. ' ' .. home, id)
    redis.call('ZREM', P .. 'hosts', member)
    redis.call('DEL', key, busy_key(id))
    gone[#gone + 1] = id
  end
end
return gone
