-- Gives an account's open sessions a role. KEYS: the account's sessions. ARGV: the role
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local key = 'session:' .. id
  if redis.call('EXISTS', key) == 1 then redis.call('HSET', key, 'role', ARGV[1]) end
end
