-- Points readers to another generation, if the expected one is serving. Answers whether it was.
-- KEYS: the number of the serving generation. ARGV: the expected number, the new one, the first of all
if (redis.call('GET', KEYS[1]) or ARGV[3]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
return 1
