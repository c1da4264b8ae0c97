-- Notes a failure. KEYS: the name's failures
-- ARGV: failures that are free, first and longest wait, ms until they are forgotten
local time = redis.call('TIME')
local now = math.floor(time[1] * 1000 + time[2] / 1000)
local count = redis.call('HINCRBY', KEYS[1], 'count', 1)
local over = count - ARGV[1]
if over >= 0 then
  local wait = math.min(ARGV[2] * 2 ^ math.min(over, 10), tonumber(ARGV[3]))
  redis.call('HSET', KEYS[1], 'until', string.format('%.0f', now + wait))
end
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return count
