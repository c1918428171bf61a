-- Makes a worker the one that reconciles, unless another one is that the record knows and the caller does not count as
-- lost. `args`: worker (its number), lapses (ms), version (the newest of a record that it knows: there is one worker for
-- each), lost (the numbers of lost workers). Returns 1 where it is.
local args = cjson.decode(ARGV[1])
local key = P .. 'reconciler:' .. args.version
local holder = redis.call('GET', key)

local function leads()
  for _, worker in ipairs(args.lost) do
    if worker == holder then return false end
  end
  return redis.call('HEXISTS', P .. 'workers', holder) == 1
end

if holder and holder ~= args.worker and leads() then return 0 end
redis.call('SET', key, args.worker, 'PX', args.lapses)
return 1
