/**
 * A number that grows with each use, even if Redis lost its data: the time in microseconds, or one more.
 * Lua numbers hold it exactly until the year 2255; `%.0f` writes it without an exponent.
 */
const NEXT = `
local function next_number(key)
  local time = redis.call('TIME')
  local now = time[1] * 1000000 + time[2]
  local last = tonumber(redis.call('GET', key) or '0') or 0
  if now <= last then now = last + 1 end
  local text = string.format('%.0f', now)
  redis.call('SET', key, text)
  return text
end
local function expiry(ttl)
  local time = redis.call('TIME')
  return string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000) + ttl)
end
`

/** The version of a record that is none of this store's. */
export const FOREIGN_VERSION = -1

/** A record is stored as `version:expiry:json`; expiry is empty for one that stays. */
export const SCRIPTS = {
  /**
   * KEYS: record, index, sequence. ARGV: key, wanted version or '', json, ttl or '', prefix of records. Gives the
   * version, or ''.
   */
  castorSet: {
    numberOfKeys: 3,
    lua: `${NEXT}
if ARGV[2] ~= '' then
  local found = redis.call('GET', KEYS[1])
  local version = found and (string.match(found, '^%d+:') or '${FOREIGN_VERSION}:') or '0:'
  if version ~= ARGV[2] .. ':' then return '' end
end
local version = next_number(KEYS[3])
if ARGV[4] == '' then
  redis.call('SET', KEYS[1], version .. '::' .. ARGV[3])
else
  redis.call('SET', KEYS[1], version .. ':' .. expiry(tonumber(ARGV[4])) .. ':' .. ARGV[3], 'PX', ARGV[4])
  -- Records that expire leave their names behind; two of them at random are looked at for each new one.
  for _, name in ipairs(redis.call('ZRANDMEMBER', KEYS[2], 2)) do
    if redis.call('EXISTS', ARGV[5] .. name) == 0 then redis.call('ZREM', KEYS[2], name) end
  end
end
redis.call('ZADD', KEYS[2], 0, ARGV[1])
return version`,
  },
  /** KEYS: record, index. ARGV: key, wanted version or ''. Gives 1 or 0. */
  castorDelete: {
    numberOfKeys: 2,
    lua: `
local found = redis.call('GET', KEYS[1])
if not found then
  redis.call('ZREM', KEYS[2], ARGV[1])
  return 0
end
if ARGV[2] ~= '' and (string.match(found, '^%d+:') or '${FOREIGN_VERSION}:') ~= ARGV[2] .. ':' then return 0 end
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[1])
return 1`,
  },
  /**
   * KEYS: index. ARGV: prefix of the records' names, lower bound, upper bound, how many. Gives name, record, name,
   * record and so on; names whose record has expired are dropped from the index and come with ''. What is no text is no
   * record of ours.
   */
  castorList: {
    numberOfKeys: 1,
    lua: `
local names = redis.call('ZRANGEBYLEX', KEYS[1], ARGV[2], ARGV[3], 'LIMIT', 0, ARGV[4])
local answer = {}
for _, name in ipairs(names) do
  local found = redis.pcall('GET', ARGV[1] .. name)
  if type(found) == 'table' then
    if not string.find(found.err, '^WRONGTYPE') then return found end
    found = 'foreign'
  end
  if not found then redis.call('ZREM', KEYS[1], name) end
  answer[#answer + 1] = name
  answer[#answer + 1] = found or ''
end
return answer`,
  },
  /** KEYS: counter. ARGV: by, ttl or '', max or ''. Gives counted (1 or 0), value, ms to live (-1: stays), now. */
  castorCount: {
    numberOfKeys: 1,
    lua: `
local found = redis.call('GET', KEYS[1])
local value = tonumber(found or '0')
local by = tonumber(ARGV[1])
local counted = 1
if ARGV[3] ~= '' and by ~= 0 and value + by > tonumber(ARGV[3]) then
  counted = 0
elseif by ~= 0 then
  value = redis.call('INCRBY', KEYS[1], ARGV[1])
  if not found and ARGV[2] ~= '' then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
end
local ttl = redis.call('PTTL', KEYS[1])
local time = redis.call('TIME')
return {counted, value, ttl, time[1] * 1000 + math.floor(time[2] / 1000)}`,
  },
  /** KEYS: lock, sequence. ARGV: ttl. Gives token and expiry, or nothing. */
  castorLock: {
    numberOfKeys: 2,
    lua: `${NEXT}
if redis.call('EXISTS', KEYS[1]) == 1 then return {} end
local token = next_number(KEYS[2])
redis.call('SET', KEYS[1], token, 'PX', ARGV[1])
return {token, expiry(tonumber(ARGV[1]))}`,
  },
  /** KEYS: lock. ARGV: token, ttl. Gives the expiry, or ''. */
  castorRenew: {
    numberOfKeys: 1,
    lua: `${NEXT}
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return '' end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return expiry(tonumber(ARGV[2]))`,
  },
  /** KEYS: lock. ARGV: token. Gives 1 or 0. */
  castorUnlock: {
    numberOfKeys: 1,
    lua: `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`,
  },
} as const

export type ScriptName = keyof typeof SCRIPTS
