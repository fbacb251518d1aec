/**
 * The state of a pool as one Lua script: every operation is one round trip and whole in itself. It does what
 * `memory-state.ts` does, by the same tests; read that first. `ARGV` is the operation, the time in milliseconds
 * (empty: Redis's own clock), the input as JSON, and leases that were given back since the last step; the answer is
 * JSON. All keys begin with `KEYS[1]`, which is a hash tag, so that a cluster keeps them together:
 *
 * - For each of `:groups`: `:all:<group>` every account by its place in the line; `:line:<group>` those that could serve
 *   now. `:parked` those that rest or are at their ceiling, by the time they return. Full and paused accounts are in
 *   neither of the two. `:told` when a process last spoke of an account.
 * - `:a:<id>` limits and counts of an account; `:act:<id>` its leases; `:leases` every lease by its end, `:held` its
 *   account.
 * - `:r:<scope>` a failure on record, `:rests` their names; `:e:<egress>` the bucket of an egress,
 *   as the time at which it is full again (`pace.ts`).
 * - `:no:<model>` the last refusal. It holds until its own time is over or `:rev` moved, which every
 *   change does. So a thousand requests that wait cost no more than one.
 */
export const POOL_SCRIPT = `
local P, op, input = KEYS[1], ARGV[1], cjson.decode(ARGV[3])
local call = redis.call
local now
if ARGV[2] == '' then
  local time = call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
else
  now = tonumber(ARGV[2])
end

local HOUR, DAY, MINUTE, ROUNDING = 3600000, 86400000, 60000, 0.01
local JITTER, MAX_HINT = 0.2, DAY
local KEEP_REST = 7 * DAY

local function changed() call('INCR', P .. ':rev') end

local function modelKey(account, model) return 'm' .. #account .. ':' .. account .. model end

local function scopeKey(scope)
  if scope.type == 'egress' then return 'e' .. scope.egress end
  if scope.type == 'account' then return 'a' .. scope.account end
  return modelKey(scope.account, scope.model)
end

local function restOf(key)
  local f = call('HMGET', P .. ':r:' .. key, 'ends', 'strikes', 'since', 'kind', 'trial')
  if not f[1] then return nil end
  return { key = key, ends = tonumber(f[1]), strikes = tonumber(f[2]), since = tonumber(f[3]), kind = f[4], trial = f[5] }
end

local function onTrial(rest) return rest ~= nil and rest.ends > 0 and rest.ends <= now end

local function tried(rest) return rest.trial and rest.trial ~= '' and call('ZSCORE', P .. ':leases', rest.trial) ~= false end

local function ceilingUntil(f)
  local ends = 0
  local hourEnds, dayEnds = tonumber(f[2]), tonumber(f[5])
  if tonumber(f[1]) > 0 and hourEnds > now and tonumber(f[3]) >= tonumber(f[1]) then ends = hourEnds end
  if tonumber(f[4]) > 0 and dayEnds > now and tonumber(f[6]) >= tonumber(f[4]) then ends = math.max(ends, dayEnds) end
  return ends
end

local function ceilingOf(id)
  return ceilingUntil(call('HMGET', P .. ':a:' .. id, 'perHour', 'hourEnds', 'hourCount', 'perDay', 'dayEnds', 'dayCount'))
end

-- Puts an account where it belongs now: into the line, aside until a time, or nowhere.
local function place(id)
  local f = call('HMGET', P .. ':a:' .. id, 'max', 'paused', 'group')
  call('ZREM', P .. ':parked', id)
  if not f[3] then return end
  local line = P .. ':line:' .. f[3]
  call('ZREM', line, id)
  if f[2] == '1' then return end
  if call('SCARD', P .. ':act:' .. id) >= tonumber(f[1]) then return end
  local ends = ceilingOf(id)
  local rest = restOf('a' .. id)
  if rest then ends = math.max(ends, rest.ends) end
  if ends > now then call('ZADD', P .. ':parked', ends, id)
  else call('ZADD', line, call('ZSCORE', P .. ':all:' .. f[3], id), id) end
end

local function drop(lease)
  local account = call('HGET', P .. ':held', lease)
  if not account then return end
  call('HDEL', P .. ':held', lease)
  call('ZREM', P .. ':leases', lease)
  call('SREM', P .. ':act:' .. account, lease)
  place(account)
  changed()
end

-- Leases of dead processes end here, and accounts whose time has come return to the line.
local function catchUp()
  for _, lease in ipairs(call('ZRANGEBYSCORE', P .. ':leases', '-inf', now, 'LIMIT', 0, 100)) do drop(lease) end
  for _, id in ipairs(call('ZRANGEBYSCORE', P .. ':parked', '-inf', now, 'LIMIT', 0, 1000)) do place(id) end
end

local function pacedUntil(egress, perMinute)
  if perMinute == 0 then return 0 end
  local fullAt = tonumber(call('HGET', P .. ':e:' .. egress, 'fullAt') or 0)
  local burst = math.max(1, perMinute)
  local ends = math.ceil(fullAt - (burst - 1) * MINUTE / perMinute - ROUNDING)
  if ends <= now then return 0 end
  return ends
end

local function record(order)
  local scope = order.scope
  local key = scopeKey(scope)
  local known = restOf(key)
  if known and math.max(known.ends, known.since) + KEEP_REST <= now then known = nil end
  local resting = known ~= nil and known.ends > now
  local strikes = known and known.strikes or 0
  if not resting then strikes = strikes + 1 end
  local first = order.hintMs and math.min(order.hintMs, MAX_HINT) or order.baseMs
  local longest = order.hintMs and math.max(order.maxMs, first) or order.maxMs
  local length = math.min(longest, first * 2 ^ math.min(strikes - order.after, 30))
  local ends = 0
  if strikes >= order.after then ends = now + math.ceil(length * (1 + JITTER * order.roll)) end
  if resting then ends = math.max(known.ends, ends) end
  local since = resting and known.since or now
  local rest = {
    scope = scope, kind = order.kind, reason = order.reason, link = order.link,
    strikes = strikes, since = since, ['until'] = ends,
  }
  if scope.type == 'egress' or call('EXISTS', P .. ':a:' .. scope.account) == 1 then
    local name = P .. ':r:' .. key
    call('DEL', name)
    call('HSET', name, 'scope', cjson.encode(scope), 'kind', order.kind, 'reason', order.reason, 'link', order.link or '',
      'strikes', strikes, 'since', since, 'ends', ends, 'trial', '')
    call('PEXPIRE', name, math.max(ends - now, 0) + KEEP_REST)
    call('SADD', P .. ':rests', key)
    if scope.type == 'egress' then call('SADD', P .. ':egresses', scope.egress) end
    if scope.type == 'account' then place(scope.account) end
    changed()
  end
  return rest
end

local function clear(key)
  call('DEL', P .. ':r:' .. key)
  call('SREM', P .. ':rests', key)
end

local ops = {}

local function forget(id)
  local f = call('HMGET', P .. ':a:' .. id, 'weight', 'group')
  if not f[2] then return end
  call('INCRBYFLOAT', P .. ':weight', -f[1])
  for _, lease in ipairs(call('SMEMBERS', P .. ':act:' .. id)) do
    call('HDEL', P .. ':held', lease)
    call('ZREM', P .. ':leases', lease)
  end
  local own = 'm' .. #id .. ':' .. id
  for _, key in ipairs(call('SMEMBERS', P .. ':rests')) do
    if key == 'a' .. id or string.sub(key, 1, #own) == own then clear(key) end
  end
  call('DEL', P .. ':a:' .. id, P .. ':act:' .. id)
  call('ZREM', P .. ':all:' .. f[2], id)
  call('ZREM', P .. ':line:' .. f[2], id)
  call('ZREM', P .. ':parked', id)
  call('ZREM', P .. ':told', id)
  changed()
end

function ops.put()
  -- Nobody has spoken of these for so long that nobody has them any more.
  local old = call('ZRANGEBYSCORE', P .. ':told', '-inf', now - input.forgetMs, 'LIMIT', 0, 100)
  for _, account in ipairs(input.accounts) do
    local name = P .. ':a:' .. account.id
    local f = call('HMGET', name, 'weight', 'group')
    local due
    if not f[2] then
      call('HSET', name, 'paused', '0', 'lastUsedAt', 0, 'hourEnds', 0, 'hourCount', 0, 'dayEnds', 0, 'dayCount', 0)
      due = call('INCR', P .. ':added') * 1e-9
    elseif f[2] ~= account.group then
      due = call('ZSCORE', P .. ':all:' .. f[2], account.id)
      call('ZREM', P .. ':all:' .. f[2], account.id)
      call('ZREM', P .. ':line:' .. f[2], account.id)
    end
    if due then
      call('ZADD', P .. ':all:' .. account.group, due, account.id)
      call('SADD', P .. ':groups', account.group)
    end
    call('INCRBYFLOAT', P .. ':weight', account.weight - (f[1] or 0))
    call('HSET', name, 'egress', account.egress, 'weight', account.weight, 'max', account.maxConcurrent,
      'perHour', account.perHour, 'perDay', account.perDay, 'group', account.group)
    call('ZADD', P .. ':told', now, account.id)
    if account.paused ~= nil then call('HSET', name, 'paused', account.paused and '1' or '0') end
    call('SADD', P .. ':egresses', account.egress)
    place(account.id)
  end
  for _, id in ipairs(old) do
    if tonumber(call('ZSCORE', P .. ':told', id)) <= now - input.forgetMs then forget(id) end
  end
  changed()
end

function ops.remove() forget(input.account) end

function ops.pause()
  local name = P .. ':a:' .. input.account
  if call('EXISTS', name) == 0 then return end
  call('HSET', name, 'paused', input.paused and '1' or '0')
  place(input.account)
  changed()
end

local light = input.lease == ''
local excluded = {}
for _, id in ipairs(input.exclude or {}) do excluded[id] = true end
local egressSeen = {}

local function egressVerdict(egress)
  local seen = egressSeen[egress]
  if seen then return seen end
  seen = { rest = restOf('e' .. egress), free = true }
  if seen.rest and seen.rest.ends > now then seen.free = false
  elseif not light then
    if onTrial(seen.rest) and tried(seen.rest) then seen.free = false
    elseif pacedUntil(egress, input.perMinute) > now then seen.free = false end
  end
  egressSeen[egress] = seen
  return seen
end

-- Whether an account that stands in the line may be taken, and what it has on record.
local function look(id)
  local egress = call('HGET', P .. ':a:' .. id, 'egress')
  local behind = egressVerdict(egress)
  if not behind.free then return nil end
  local records = { behind.rest }
  records[#records + 1] = restOf('a' .. id)
  if input.model ~= '' then records[#records + 1] = restOf(modelKey(id, input.model)) end
  local trial = false
  for _, rest in pairs(records) do
    if rest.ends > now then return nil end
    if onTrial(rest) then
      trial = true
      if not light and tried(rest) then return nil end
    end
  end
  return { id = id, egress = egress, records = records, trial = trial }
end

local function choose()
  local line = P .. (light and ':all:' or ':line:') .. input.group
  local wanted = { input.prefer }
  if input.affinity ~= '' and not input.begins then
    local known = call('GET', P .. ':c:' .. input.affinity) or ''
    local ends, id = string.match(known, '^(%d+) (.*)$')
    if ends and tonumber(ends) > now then wanted[2] = id end
  end
  for _, id in ipairs(wanted) do
    if id ~= '' and not excluded[id] and call('ZSCORE', line, id) then
      if not light or call('HGET', P .. ':a:' .. id, 'paused') ~= '1' then
        local found = look(id)
        if found then return found end
      end
    end
  end
  local spare
  local from, size = 0, 8
  while true do
    local page = call('ZRANGE', line, from, from + size - 1)
    for _, id in ipairs(page) do
      if not excluded[id] and not (light and call('HGET', P .. ':a:' .. id, 'paused') == '1') then
        local found = look(id)
        if found then
          if not (input.avoidTrials and found.trial) then return found end
          spare = spare or found
        end
      end
    end
    if #page < size then return spare end
    from, size = from + size, 64
  end
end

local function charge(id, egress, count, perMinute)
  local name = P .. ':a:' .. id
  local f = call('HMGET', name, 'hourEnds', 'dayEnds')
  if tonumber(f[1]) <= now then call('HSET', name, 'hourEnds', now + HOUR, 'hourCount', 0) end
  if tonumber(f[2]) <= now then call('HSET', name, 'dayEnds', now + DAY, 'dayCount', 0) end
  call('HINCRBY', name, 'hourCount', count)
  call('HINCRBY', name, 'dayCount', count)
  if perMinute > 0 then
    local bucket = P .. ':e:' .. egress
    local fullAt = math.max(tonumber(call('HGET', bucket, 'fullAt') or 0), now) + count * MINUTE / perMinute
    call('HSET', bucket, 'fullAt', string.format('%.17g', fullAt), 'perMinute', string.format('%.17g', perMinute))
    call('PEXPIRE', bucket, math.ceil(fullAt - now) + MINUTE)
  end
end

local function take(found)
  local id = found.id
  local name = P .. ':a:' .. id
  local turn = call('INCR', P .. ':turn')
  local f = call('HMGET', name, 'weight')
  local due = turn + tonumber(call('GET', P .. ':weight')) / tonumber(f[1])
  call('ZADD', P .. ':all:' .. input.group, due, id)
  if light then
    local line = P .. ':line:' .. input.group
    if call('ZSCORE', line, id) then call('ZADD', line, due, id) end
  else
    for _, rest in pairs(found.records) do
      if onTrial(rest) then call('HSET', P .. ':r:' .. rest.key, 'trial', input.lease) end
    end
    call('ZADD', P .. ':leases', now + input.ttlMs, input.lease)
    call('HSET', P .. ':held', input.lease, id)
    call('SADD', P .. ':act:' .. id, input.lease)
    call('HSET', name, 'lastUsedAt', now)
    charge(id, found.egress, 1, input.perMinute)
    if input.affinity ~= '' and input.affinityMs > 0 then
      local known = string.format('%.0f %s', now + input.affinityMs, id)
      call('SET', P .. ':c:' .. input.affinity, known, 'PX', input.affinityMs)
    end
    place(id)
    changed()
  end
  local marked = next(found.records) ~= nil
  return { ok = true, account = id, egress = found.egress, marked = marked, trial = found.trial, at = now }
end

-- What keeps an account from serving, weightiest first, and until when; no time when the clock alone does not end it.
local function obstruction(id)
  local f = call('HMGET', P .. ':a:' .. id, 'paused', 'egress', 'max')
  if f[1] == '1' then return 'disabled', nil end
  local by, ends
  local function see(what, till)
    if not by then by, ends = what, till
    else ends = math.max(ends, till) end
  end
  local records = { restOf('a' .. id), false, restOf('e' .. f[2]) }
  if input.model ~= '' then records[2] = restOf(modelKey(id, input.model)) end
  local trial = false
  for index = 1, 3 do
    local rest = records[index]
    if rest then
      if rest.ends > now then see(rest.kind, rest.ends) end
      if onTrial(rest) and tried(rest) then trial = true end
    end
  end
  if light then return by, ends end
  local ceiling = ceilingOf(id)
  if ceiling > now then see('ceiling', ceiling) end
  local paced = pacedUntil(f[2], input.perMinute)
  if paced > now then see('paced', paced) end
  if not by and (trial or call('SCARD', P .. ':act:' .. id) >= tonumber(f[3])) then return 'busy', nil end
  return by, ends
end

local function refuse()
  local obstacles, retryAt, freeAt = {}, nil, nil
  for _, id in ipairs(call('ZRANGE', P .. ':all:' .. input.group, 0, -1)) do
    local by, ends = obstruction(id)
    local gone = not by or excluded[id]
    if gone then by = 'tried' end
    obstacles[by] = (obstacles[by] or 0) + 1
    if ends then
      retryAt = math.min(retryAt or ends, ends)
      if not gone then freeAt = math.min(freeAt or ends, ends) end
    end
  end
  return { ok = false, obstacles = obstacles, retryAt = retryAt, freeAt = freeAt, at = now }
end

function ops.acquire()
  catchUp()
  local rev = call('GET', P .. ':rev') or '0'
  local cache = P .. ':no:' .. (light and 'light:' or 'full:') .. #input.group .. ':' .. input.group .. input.model
  if next(excluded) == nil then
    local f = call('HMGET', cache, 'rev', 'till', 'answer')
    if f[1] == rev and tonumber(f[2]) > now then
      local answer = cjson.decode(f[3])
      answer.at = now
      return answer
    end
  end
  local found = choose()
  if found and input.look then
    return { ok = true, account = found.id, egress = found.egress, marked = false, trial = false, at = now }
  end
  if found then return take(found) end
  local answer = refuse()
  if next(excluded) == nil then
    local till = math.min(answer.freeAt or now + MINUTE, now + MINUTE)
    local first = call('ZRANGE', P .. ':leases', 0, 0, 'WITHSCORES')
    if first[2] then till = math.min(till, tonumber(first[2])) end
    call('HSET', cache, 'rev', rev, 'till', till, 'answer', cjson.encode(answer))
    call('PEXPIRE', cache, MINUTE)
  end
  return answer
end

function ops.renew()
  for _, lease in ipairs(input.leases) do
    if call('EXISTS', P .. ':a:' .. lease.account) == 1 then
      local account = call('HGET', P .. ':held', lease.id)
      call('ZADD', P .. ':leases', now + input.ttlMs, lease.id)
      if account ~= lease.account then
        -- A process that heard too late that it had one took it alone, where it chose.
        if account then
          call('SREM', P .. ':act:' .. account, lease.id)
          place(account)
          changed()
        end
        call('HSET', P .. ':held', lease.id, lease.account)
        call('SADD', P .. ':act:' .. lease.account, lease.id)
        place(lease.account)
      end
    end
  end
end

function ops.release()
  if input.order then return record(input.order) end
end

function ops.charge()
  for _, use in ipairs(input) do
    if call('EXISTS', P .. ':a:' .. use.account) == 1 then
      charge(use.account, use.egress, use.count, use.perMinute)
      place(use.account)
    end
  end
  changed()
end

function ops.rest() return record(input) end

function ops.succeed()
  local keys = { 'a' .. input.account, 'e' .. input.egress }
  if input.model ~= '' then keys[3] = modelKey(input.account, input.model) end
  for _, key in ipairs(keys) do
    local rest = restOf(key)
    -- A failure that came after the lease began is news that this success does not undo.
    if rest and rest.since <= input.at then
      clear(key)
      changed()
    end
  end
  place(input.account)
end

function ops.clear()
  for _, scope in ipairs(input) do
    clear(scopeKey(scope))
    if scope.type == 'account' then place(scope.account) end
  end
  changed()
end

function ops.read()
  catchUp()
  local accounts, egresses, rests, used = {}, {}, {}, {}
  for _, group in ipairs(call('SMEMBERS', P .. ':groups')) do
    for _, id in ipairs(call('ZRANGE', P .. ':all:' .. group, 0, -1)) do
      local f = call('HMGET', P .. ':a:' .. id, 'egress', 'weight', 'max', 'perHour', 'perDay', 'paused', 'lastUsedAt',
        'hourEnds', 'hourCount', 'dayEnds', 'dayCount')
      local function window(ends, count)
        if tonumber(ends) <= now then return { endsAt = 0, count = 0 } end
        return { endsAt = tonumber(ends), count = tonumber(count) }
      end
      used[f[1]] = true
      accounts[#accounts + 1] = {
        limits = {
          id = id, group = group, egress = f[1], weight = tonumber(f[2]), maxConcurrent = tonumber(f[3]),
          perHour = tonumber(f[4]), perDay = tonumber(f[5]),
        },
        paused = f[6] == '1',
        active = call('SCARD', P .. ':act:' .. id),
        lastUsedAt = tonumber(f[7]),
        ceilingUntil = ceilingOf(id),
        hour = window(f[8], f[9]),
        day = window(f[10], f[11]),
      }
    end
  end
  for _, egress in ipairs(call('SMEMBERS', P .. ':egresses')) do
    local f = call('HMGET', P .. ':e:' .. egress, 'perMinute', 'fullAt')
    local fullAt = math.ceil(tonumber(f[2] or 0))
    if fullAt <= now then fullAt = 0 end
    if not used[egress] and fullAt == 0 and call('EXISTS', P .. ':r:e' .. egress) == 0 then
      call('SREM', P .. ':egresses', egress)
    else
      egresses[#egresses + 1] =
        { egress = egress, pacedUntil = pacedUntil(egress, tonumber(f[1] or 0)), fullAt = fullAt }
    end
  end
  for _, key in ipairs(call('SMEMBERS', P .. ':rests')) do
    local name = P .. ':r:' .. key
    local f = call('HMGET', name, 'scope', 'kind', 'reason', 'link', 'strikes', 'since', 'ends', 'trial')
    if not f[1] then call('SREM', P .. ':rests', key)
    else
      local trial = f[8]
      if trial ~= '' and not call('ZSCORE', P .. ':leases', trial) then trial = '' end
      rests[#rests + 1] = {
        scope = cjson.decode(f[1]), kind = f[2], reason = f[3], link = f[4], strikes = tonumber(f[5]),
        since = tonumber(f[6]), ['until'] = tonumber(f[7]), trial = trial,
      }
    end
  end
  return { at = now, accounts = accounts, egresses = egresses, rests = rests }
end

for index = 4, #ARGV do drop(ARGV[index]) end
local answer = ops[op]()
if answer == nil then return '' end
return cjson.encode(answer)
`
