-- Puts a user's record in the place of the one that was read before, or takes it away.
-- ARGV: name, old record, new record or '', 1 where another user must have the role that follows, the role.
-- Returns 1 where the old one still stood, and where another has that role.
local name, old, new, wanted, role = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local users = P .. 'users'
if redis.call('HGET', users, name) ~= old then return 0 end

local function another()
  local all = redis.call('HGETALL', users)
  for i = 1, #all, 2 do
    for _, has in ipairs(all[i] ~= name and cjson.decode(all[i + 1]).roles or {}) do
      if has == role then return true end
    end
  end
  return false
end

if wanted == '1' and not another() then return 0 end
if new == '' then redis.call('HDEL', users, name) else redis.call('HSET', users, name, new) end
return 1
