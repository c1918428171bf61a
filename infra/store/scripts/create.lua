-- Stores a task, and what the audit keeps of its request. ARGV: those of `store_task` and `known_request` in the prelude,
-- then how many entries the audit keeps, the entry without its task ('' for none), then the host ids.
-- Returns {'made', task, first subtask}, or where the key holds already {'known', task} or {'other'}, another request's.
local known = known_request()
if known then return known end
unlist_expired(ARGV[7], 20)
local id, first = store_task(ARGV, 15)
keep_request({id})
if ARGV[14] ~= '' then keep_audit(ARGV[13], string.sub(ARGV[14], 1, -2) .. ',"task_id":' .. int(id) .. '}') end
return {'made', id, first}
