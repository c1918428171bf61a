-- What stands on a host: leases, protection, and the names that it has.

local function busy_key(host) return P .. 'busy:' .. host end

-- The lease that stands on a host, what it is for, and the ms that are left of it; nothing where there is none.
local function leased(host)
  local value = redis.call('GET', busy_key(host))
  if not value then return nil end
  local lease, purpose = string.match(value, '^(%S+) (.*)$')
  return lease, purpose, redis.call('PTTL', busy_key(host))
end

local function protected(host) return redis.call('SISMEMBER', P .. 'protected', host) == 1 end

-- Takes a name out of a table of names, where it is this host's.
local function disown(table, name, id)
  if name and redis.call('HGET', P .. table, name) == id then redis.call('HDEL', P .. table, name) end
end
