-- Lets requests in: for each, the session that it names and what its buckets say (GCRA, see limits.py).
-- KEYS: for each request its session, then its buckets
-- ARGV: idle and touch, ms; then for each request the number of its buckets, and the interval (µs) and burst of each
-- Answers for each request: record or false; role; which bucket is tightest, from 1, 0 if there is none; remaining;
-- retry; reset
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local ms = math.floor(now / 1000)
local idle, touch = tonumber(ARGV[1]), tonumber(ARGV[2])

local function session(key)
  local found = redis.call('HMGET', key, 'record', 'role', 'seen', 'ends')
  if not found[1] then return false, '' end
  if ms - found[3] >= touch then
    redis.call('HSET', key, 'seen', ms)
    redis.call('PEXPIRE', key, math.max(1, math.min(idle, found[4] - ms)))
  end
  return found[1], found[2]
end

local function take(first, count, at)
  if count == 0 then return 0, 0, 0, 0 end
  local after, late, refused, left, tightest = {}, 0, 0, nil, 0
  for n = 1, count do
    local interval, burst = tonumber(ARGV[at + 2 * n - 2]), tonumber(ARGV[at + 2 * n - 1])
    local empty = math.max(tonumber(redis.call('GET', KEYS[first + n - 1]) or now), now)
    after[n] = empty + interval
    local ends = after[n] - now - interval * burst
    if ends > late then late, refused = ends, n end
    local fits = math.floor(-ends / interval)
    if left == nil or fits < left then left, tightest = fits, n end
  end
  if refused > 0 then
    local interval, burst = tonumber(ARGV[at + 2 * refused - 2]), tonumber(ARGV[at + 2 * refused - 1])
    return refused, 0, late, late + interval * burst - interval
  end
  for n = 1, count do
    local px = math.ceil((after[n] - now) / 1000)
    redis.call('SET', KEYS[first + n - 1], string.format('%.0f', after[n]), 'PX', px)
  end
  return tightest, left, 0, after[tightest] - now
end

local answers, key, at = {}, 1, 3
while key <= #KEYS do
  local count = tonumber(ARGV[at])
  local record, role = session(KEYS[key])
  answers[#answers + 1] = { record, role, take(key + 1, count, at + 1) }
  key, at = key + 1 + count, at + 1 + 2 * count
end
return answers
