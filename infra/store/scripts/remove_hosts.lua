-- Takes hosts out of the inventory: those that no task holds, that are not protected and that this lease stands on, or none where none is given.
-- ARGV: lease or '', then for each host its id and its index member. Returns the hosts that are gone.
local gone = {}
for at = 2, #ARGV, 2 do
  local id = ARGV[at]
  local key = host_key(id)
  local ip, port, home, holder, alias = unpack(redis.call('HMGET', key, 'ip', 'port', 'home', 'holder', 'alias'))
  if ip and not holder and not protected(id) and (leased(id) or '') == ARGV[1] then
    disown('aliases', alias, id)
    disown('endpoints', ip .. ' ' .. port .. ' ' .. home, id)
    redis.call('ZREM', P .. 'hosts', ARGV[at + 1])
    redis.call('DEL', key, busy_key(id))
    gone[#gone + 1] = id
  end
end
return gone
