-- Opens a session; of too many, the oldest end.
-- KEYS: the session, the account's sessions
-- ARGV: id, record, role, ms now, ms at which it ends, idle ms, refresh token's hash, how many an account may have, channel
-- Other sessions' keys are made from the account's list: this store is one server, not a cluster.
local now, ends = tonumber(ARGV[4]), tonumber(ARGV[5])
redis.call('HSET', KEYS[1], 'record', ARGV[2], 'role', ARGV[3], 'seen', now, 'ends', ends, 'refresh', ARGV[7])
redis.call('PEXPIRE', KEYS[1], math.max(1, math.min(tonumber(ARGV[6]), ends - now)))
redis.call('ZADD', KEYS[2], now, ARGV[1])
for _, id in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
  if redis.call('EXISTS', 'session:' .. id) == 0 then redis.call('ZREM', KEYS[2], id) end
end
for _, id in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1 - tonumber(ARGV[8]))) do
  redis.call('DEL', 'session:' .. id)
  redis.call('ZREM', KEYS[2], id)
  redis.call('PUBLISH', ARGV[9], id)
end
redis.call('PEXPIRE', KEYS[2], math.max(redis.call('PTTL', KEYS[2]), ends - now, 1))
