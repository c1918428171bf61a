-- Adds one to each counter and says for how long it stands. `args`: lapses (ms), names. Returns the new counts.
local args, counts = cjson.decode(ARGV[1]), {}
for i, name in ipairs(args.names) do
  local key = P .. 'count:' .. name
  counts[i] = redis.call('INCR', key)
  redis.call('PEXPIRE', key, args.lapses)
end
return counts
