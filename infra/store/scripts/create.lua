-- uses: new_tasks
-- Stores a task, and what the audit keeps of its request. `args`: those of `store_task` and `known_request` in the
-- prelude, hosts (their ids), keep_audit (how many entries), and the audit's entry without its task, if there is one.
-- Returns {'made', task, first subtask}, or where the key holds already {'known', task} or {'other'}, another request's.
local args = cjson.decode(ARGV[1])
local known = known_request(args)
if known then return known end
unlist_expired(args.now, 20)
local id, first = store_task(args, args.hosts)
keep_request(args, {id})
if args.entry then keep_audit(args.keep_audit, string.sub(args.entry, 1, -2) .. ',"task_id":' .. int(id) .. '}') end
return {'made', id, first}
