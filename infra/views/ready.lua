-- Lets readers see a place, if it stands where its writer believes. Answers whether it does.
-- KEYS: the checkpoint. ARGV: a topic and its position, and so on
for n = 1, #ARGV, 2 do
  if (redis.call('HGET', KEYS[1], ARGV[n]) or '0') ~= ARGV[n + 1] then return 0 end
end
redis.call('HSET', KEYS[1], 'ready', 1)
return 1
