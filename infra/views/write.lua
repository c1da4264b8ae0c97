-- Writes a batch, whole, if the checkpoint stands at its start. Answers 'written', 'moved' or 'sealed'.
-- KEYS: the checkpoint. All other keys share its hash tag, and are made here from the prefix: packing some
--       thousand of them costs the writer more than all else.
-- ARGV: prefix, topic, start, end, time, channel, message, and lines of fields between tabs. For each group of
--       rows a line: kind, owner, how many of the list stay (0: all), the age below which rows go (''), the
--       number of rows; then a line for each row: its id, its place in the list ('' if it has none), '1' if it
--       is open, '0' if not ('' if none of its kind ever is), the row ('' if it is gone);
--       then a line for each entry: account, offset, kind, row; and how many an account's stream keeps at least,
--       '' if no entry is told of this batch: whoever follows from before its end has missed some
local CHUNK = 1000 -- Lua's stack takes no more at once
local prefix = ARGV[1]

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

local function put(rows, list, open, id, place, is_open, row)
  redis.call('HSET', rows, id, row)
  if place ~= '' then redis.call('ZADD', list, place, id) end
  if is_open == '1' then
    redis.call('ZADD', open, place, id)
  elseif is_open == '0' then
    redis.call('ZREM', open, id)
  end
end

local function remove(rows, list, open, id)
  redis.call('HDEL', rows, id)
  redis.call('ZREM', list, id)
  redis.call('ZREM', open, id)
end

local mark = redis.call('HMGET', KEYS[1], ARGV[2], 'sealed')
if (mark[1] or '0') ~= ARGV[3] then return 'moved' end
if mark[2] then
  local now = redis.call('TIME')
  if tonumber(mark[2]) > now[1] * 1000 + now[2] / 1000 then return 'sealed' end
end
redis.call('HSET', KEYS[1], ARGV[2], ARGV[4], 'time:' .. ARGV[2], ARGV[5])

local line = string.gmatch(ARGV[8], '[^\n]+')
for group in line do
  local kind, owner, newest, cutoff, count =
    string.match(group, '^([^\t]*)\t([^\t]*)\t([^\t]*)\t([^\t]*)\t(.*)$')
  local name = kind .. ':' .. owner
  local rows, list, open = prefix .. 'rows:' .. name, prefix .. 'list:' .. name, prefix .. 'open:' .. name
  newest = tonumber(newest)
  for _ = 1, count do
    local id, place, is_open, row = string.match(line(), '^([^\t]*)\t([^\t]*)\t([^\t]*)\t(.*)$')
    if row == '' then
      remove(rows, list, open, id)
    else
      put(rows, list, open, id, place, is_open, row)
    end
  end
  if newest > 0 then trim(rows, list, open, newest) end
  if cutoff ~= '' then age(rows, list, cutoff) end
end
if ARGV[10] == '' then
  redis.call('HSET', KEYS[1], 'floor:' .. ARGV[2], ARGV[4])
else
  for entry in string.gmatch(ARGV[9], '[^\n]+') do
    local account, offset, kind, row = string.match(entry, '^([^\t]*)\t([^\t]*)\t([^\t]*)\t(.*)$')
    redis.call('XADD', prefix .. 'stream:' .. ARGV[2] .. ':' .. account,
      'MAXLEN', '~', ARGV[10], offset .. '-1', kind, row) -- 0-0 can't be
  end
end
if ARGV[7] ~= '' then redis.call('PUBLISH', ARGV[6], ARGV[7]) end
return 'written'
