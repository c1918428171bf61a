-- Keeps an entry of the audit. `args`: keep (how many), entry. Returns its number.
local args = cjson.decode(ARGV[1])
return keep_audit(args.keep, args.entry)
