-- The hosts among the next ones in id order that fulfil some conditions. `args`: after (the last index member that was
-- looked at, if there is one), limit (how many to look at), keyword (a text that must be found in them, if there is one),
-- with_agent (whether they must have an agent, if that matters), statuses.
-- Returns {the last member that was looked at or '' at the end, hosts...}.
local args = cjson.decode(ARGV[1])
local first = args.after and '(' .. args.after or '-'
local members = redis.call('ZRANGEBYLEX', P .. 'hosts', first, '+', 'LIMIT', 0, args.limit)
local statuses, fields = {}, {'status', 'agent'}
for _, status in ipairs(args.statuses) do statuses[status] = true end
if args.keyword then fields = {'status', 'agent', 'alias', 'ip', 'description', 'serial'} end

local function fits(host)
  if not statuses[host[1]] then return false end
  if args.with_agent ~= nil and (host[2] ~= 'DELETED') ~= args.with_agent then return false end
  for at = 3, #fields do
    if host[at] and string.find(string.lower(host[at]), args.keyword, 1, true) then return true end
  end
  return not args.keyword
end

local found = {#members < args.limit and '' or members[#members]}
for _, member in ipairs(members) do
  local id = string.match(member, '[^0].*')
  if fits(redis.call('HMGET', host_key(id), unpack(fields))) then found[#found + 1] = id end
end
return found
