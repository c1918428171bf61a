-- Puts a user's record in the place of the one that was read before, or takes it away.
-- `args`: name, old (record), new (record, none to take it away), role (that another user must have, if there is one).
-- Returns 1 where the old one still stood, and where another has that role.
local args = cjson.decode(ARGV[1])
local users = P .. 'users'
if redis.call('HGET', users, args.name) ~= args.old then return 0 end

local function another()
  local all = redis.call('HGETALL', users)
  for i = 1, #all, 2 do
    for _, has in ipairs(all[i] ~= args.name and cjson.decode(all[i + 1]).roles or {}) do
      if has == args.role then return true end
    end
  end
  return false
end

if args.role and not another() then return 0 end
if args.new then redis.call('HSET', users, args.name, args.new) else redis.call('HDEL', users, args.name) end
return 1
