-- Takes an errand, so that nobody else gets it. ARGV: its id. Returns {errand, ms that are left of it}, or nothing.
local key = P .. 'errand:' .. ARGV[1]
local errand, left = redis.call('GET', key), redis.call('PTTL', key)
if not errand or left <= 0 then return {} end
redis.call('DEL', key)
return {errand, left}
