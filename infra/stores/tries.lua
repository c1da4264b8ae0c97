-- Remembers, tells and forgets tries, one after the other.
-- KEYS: a try each
-- ARGV: how long they are kept, ms; then for each what is done (first, keep, find, forget) and the try
-- Answers for each the try that was there before, '' if there was none
local act = {
  first = function(key, try) return redis.call('SET', key, try, 'NX', 'GET', 'PX', ARGV[1]) end,
  keep = function(key, try) redis.call('SET', key, try, 'PX', ARGV[1]) end,
  find = function(key) return redis.call('GET', key) end,
  forget = function(key) redis.call('DEL', key) end,
}

local answers = {}
for n, key in ipairs(KEYS) do
  answers[n] = act[ARGV[2 * n]](key, ARGV[2 * n + 1]) or ''
end
return answers
