-- Takes an errand, so that nobody else gets it; one that changes something stays while the fleet's brake is on.
-- `args`: id. Returns {errand, ms that are left of it}, or nothing.
local key = P .. 'errand:' .. cjson.decode(ARGV[1]).id
local errand, left = redis.call('GET', key), redis.call('PTTL', key)
if not errand or left <= 0 then return {} end
if cjson.decode(errand).kind ~= 'look' and redis.call('EXISTS', P .. 'brake') == 1 then return {} end
redis.call('DEL', key)
return {errand, left}
