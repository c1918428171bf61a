-- The hosts among the next ones in id order that fulfil some conditions. ARGV: the last index member that was looked at
-- or '', how many to look at, a text that must be found in them or '', 'with', 'without' or '' (an agent), then the
-- statuses. Returns {the last member that was looked at or '' at the end, hosts...}.
local first = ARGV[1] == '' and '-' or '(' .. ARGV[1]
local members = redis.call('ZRANGEBYLEX', P .. 'hosts', first, '+', 'LIMIT', 0, ARGV[2])
local keyword, agent, statuses = ARGV[3], ARGV[4], {}
for at = 5, #ARGV do statuses[ARGV[at]] = true end
local fields = {'status', 'agent'}
if keyword ~= '' then fields = {'status', 'agent', 'alias', 'ip', 'description', 'serial'} end

local function fits(host)
  if not statuses[host[1]] or (agent ~= '' and (host[2] ~= 'DELETED') ~= (agent == 'with')) then return false end
  for at = 3, #fields do
    if host[at] and string.find(string.lower(host[at]), keyword, 1, true) then return true end
  end
  return keyword == ''
end

local found = {#members < tonumber(ARGV[2]) and '' or members[#members]}
for _, member in ipairs(members) do
  local id = string.match(member, '[^0].*')
  if fits(redis.call('HMGET', host_key(id), unpack(fields))) then found[#found + 1] = id end
end
return found
