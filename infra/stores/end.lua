-- Ends sessions of an account: one, or all but one.
-- KEYS: the account's sessions
-- ARGV: channel, the one that ends ('': all), the one that stays ('': none)
-- Answers how many ended. Their keys are made from the list: this store is one server, not a cluster.
local ended = 0
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  if id == ARGV[2] or (ARGV[2] == '' and id ~= ARGV[3]) then
    ended = ended + redis.call('DEL', 'session:' .. id)
    redis.call('ZREM', KEYS[1], id)
    redis.call('PUBLISH', ARGV[1], id)
  end
end
return ended
