-- Answers several questions as of one moment: the checkpoint, then for each its answer and its floor: the
-- lowest place in the list above which nothing was ever dropped, 0 if nothing was.
-- KEYS: the checkpoint, then for each question its rows (hash) and its list (sorted set), or twice its stream
-- ARGV: for each question: its name, and four arguments
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
  -- the topic, the position from which on, how many, how many entries a stream keeps at least. Nothing, if some of
  -- them were never written or are dropped, or if nothing is folded so far.
  since = function(stream, _, topic, position, limit, kept)
    local at = tonumber(position)
    local marks = redis.call('HMGET', KEYS[1], 'floor:' .. topic, topic)
    if at < tonumber(marks[1] or '0') or at > tonumber(marks[2] or '0') then return { false, '0' } end
    if redis.call('XLEN', stream) >= tonumber(kept) then
      local first = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1][1]
      if tonumber(string.match(first, '^%d+')) >= at then return { false, '0' } end
    end
    return { redis.call('XRANGE', stream, position .. '-0', '+', 'COUNT', limit), '0' }
  end,
}

local answers = { redis.call('HGETALL', KEYS[1]) }
for n = 1, (#KEYS - 1) / 2 do
  local at = 5 * n - 4
  answers[n + 1] = answer[ARGV[at]](
    KEYS[2 * n], KEYS[2 * n + 1], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4])
end
return answers
