-- Gives a session its next refresh token, if it is shown the newest.
-- KEYS: the session, the account's sessions
-- ARGV: id, the given token's hash, the next one's, ms now, ms in which two may race, how many old ones are known,
--       channel, idle ms
-- Answers 'rotated', 'racing', 'reused' (the session is over then), 'unknown' or 'over'
local found = redis.call('HMGET', KEYS[1], 'refresh', 'rotated', 'used', 'ends')
if not found[1] then return 'over' end
local now, used = tonumber(ARGV[4]), found[3] or ''
if found[1] == ARGV[2] then
  used = ARGV[2] .. ' ' .. used
  used = string.sub(used, 1, tonumber(ARGV[6]) * (#ARGV[2] + 1))
  redis.call('HSET', KEYS[1], 'refresh', ARGV[3], 'rotated', now, 'used', used, 'seen', now)
  redis.call('PEXPIRE', KEYS[1], math.max(1, math.min(tonumber(ARGV[8]), found[4] - now)))
  return 'rotated'
end
local at = string.find(used, ARGV[2], 1, true)
if not at then return 'unknown' end
if at == 1 and now - found[2] < tonumber(ARGV[5]) then return 'racing' end
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('PUBLISH', ARGV[7], ARGV[1])
return 'reused'
