-- KEYS: a name's failures. Answers for how many ms nobody may try
local time = redis.call('TIME')
local till = tonumber(redis.call('HGET', KEYS[1], 'until') or 0)
return math.max(0, till - math.floor(time[1] * 1000 + time[2] / 1000))
