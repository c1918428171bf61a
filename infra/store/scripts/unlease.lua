-- Gives up a lease on hosts, as far as it still stands. ARGV: lease, then the hosts.
for at = 2, #ARGV do
  if leased(ARGV[at]) == ARGV[1] then redis.call('DEL', busy_key(ARGV[at])) end
end
return 1
