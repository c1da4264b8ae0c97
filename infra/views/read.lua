-- Answers several questions as of one moment: the checkpoint, then for each its answer and its floor: the
-- lowest place in the list above which nothing was ever dropped, 0 if nothing was.
-- KEYS: the checkpoint, then for each question its rows (hash) and its list (sorted set)
-- ARGV: for each question: its name, and three arguments
local function floor_of(list, newest)
  if newest == 0 or redis.call('ZCARD', list) < newest then return '0' end
  return redis.call('ZRANGE', list, 0, 0, 'WITHSCORES')[2]
end

local answer = {
  -- id, how many of the list stay
  one = function(rows, list, id, newest)
    return { redis.call('HGET', rows, id), floor_of(list, tonumber(newest)) }
  end,
  all = function(rows)
    return { redis.call('HGETALL', rows), '0' }
  end,
  -- the place below which to begin ('': at the top), how many, how many of the list stay
  page = function(rows, list, before, limit, newest)
    local top = before == '' and '+inf' or '(' .. before
    local ids = redis.call('ZREVRANGEBYSCORE', list, top, '-inf', 'LIMIT', 0, limit)
    local found = #ids > 0 and redis.call('HMGET', rows, unpack(ids)) or {}
    return { found, floor_of(list, tonumber(newest)) }
  end,
}

local answers = { redis.call('HGETALL', KEYS[1]) }
for n = 1, (#KEYS - 1) / 2 do
  local at = 4 * n - 3
  answers[n + 1] = answer[ARGV[at]](
    KEYS[2 * n], KEYS[2 * n + 1], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3])
end
return answers
