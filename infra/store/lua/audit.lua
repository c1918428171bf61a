-- Keeps an entry of the audit. ARGV: how many are kept, the entry. Returns its number. Entries are numbered without
-- gaps, so that a page is found by number.
local number = int(redis.call('INCR', P .. 'seq:audit'))
redis.call('XADD', P .. 'audit', 'MAXLEN', ARGV[1], number .. '-0', 'e', ARGV[2])
return number
