-- Puts a user's record in the place of the one that was read before. ARGV: name, old record, new record.
-- Returns 1 where the old one still stood.
if redis.call('HGET', P .. 'users', ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HSET', P .. 'users', ARGV[1], ARGV[3])
return 1
