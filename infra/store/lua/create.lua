-- Stores a task. ARGV: those of `store_task` and `known_request` in the prelude, then the host ids.
-- Returns {'made', task, first subtask}, or where the key holds already {'known', task} or {'other'}, another request's.
local known = known_request()
if known then return known end
unlist_expired(ARGV[7], 20)
local id, first = store_task(ARGV, 13)
keep_request({id})
return {'made', id, first}
