-- uses: hosts
-- Gives up a lease on hosts, as far as it still stands. `args`: lease, hosts.
local args = cjson.decode(ARGV[1])
for _, host in ipairs(args.hosts) do
  if leased(host) == args.lease then redis.call('DEL', busy_key(host)) end
end
return 1
