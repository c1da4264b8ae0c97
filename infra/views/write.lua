-- Writes a batch, whole, if the checkpoint stands at its start. Answers 'written', 'moved' or 'sealed'.
-- KEYS: the checkpoint, then for each group of rows its rows (hash), its list and its open ones (sorted sets)
-- ARGV: topic, start, end, time, channel, message, then for each group: how many of the list stay (0: all),
--       the age below which rows go (''), the number of rows, and for each row: its id, the row ('' if it is
--       gone), its place in the list ('' if it has none), '1' if it is open
local CHUNK = 1000 -- Lua's stack takes no more at once

local function trim(rows, list, open, newest)
  local extra = redis.call('ZCARD', list) - newest
  if extra <= 0 then return end
  for _, id in ipairs(redis.call('ZRANGE', list, 0, extra - 1)) do
    redis.call('ZREM', list, id)
    if not redis.call('ZSCORE', open, id) then redis.call('HDEL', rows, id) end
  end
end

local function age(rows, list, cutoff)
  local old
  repeat
    old = redis.call('ZRANGEBYSCORE', list, '-inf', '(' .. cutoff, 'LIMIT', 0, CHUNK)
    if #old > 0 then
      redis.call('HDEL', rows, unpack(old))
      redis.call('ZREM', list, unpack(old))
    end
  until #old < CHUNK
end

local mark = redis.call('HMGET', KEYS[1], ARGV[1], 'sealed')
if (mark[1] or '0') ~= ARGV[2] then return 'moved' end
if mark[2] then
  local now = redis.call('TIME')
  if tonumber(mark[2]) > now[1] * 1000 + now[2] / 1000 then return 'sealed' end
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3], 'time:' .. ARGV[1], ARGV[4])

local at = 7
for key = 2, #KEYS, 3 do
  local rows, list, open = KEYS[key], KEYS[key + 1], KEYS[key + 2]
  local newest, cutoff, count = tonumber(ARGV[at]), ARGV[at + 1], tonumber(ARGV[at + 2])
  at = at + 3
  for _ = 1, count do
    local id, row, place, is_open = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
    at = at + 4
    if row == '' then
      redis.call('HDEL', rows, id)
      redis.call('ZREM', list, id)
      redis.call('ZREM', open, id)
    else
      redis.call('HSET', rows, id, row)
      if place ~= '' then redis.call('ZADD', list, place, id) end
      if is_open == '1' then
        redis.call('ZADD', open, place, id)
      elseif newest > 0 then
        redis.call('ZREM', open, id)
      end
    end
  end
  if newest > 0 and count > 0 then trim(rows, list, open, newest) end
  if cutoff ~= '' then age(rows, list, cutoff) end
end
if ARGV[6] ~= '' then redis.call('PUBLISH', ARGV[5], ARGV[6]) end
return 'written'
