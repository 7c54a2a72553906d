-- Requests of test/bench/speed: `wrk -s load.lua URL -- redirect|manifest|identity|key|licence`. generator.ts makes the same.
local kind, count, body = "redirect", 0, string.rep("c", 2048)

function init(args)
  if args[1] then kind = args[1] end
end

function request()
  count = count + 1
  if kind == "key" then
    return wrk.format("GET", "/keys/?kid=f5d3c6c9-0d38-4f12-a1e6-35a1b9e7c0de&n=" .. count, { Authorization = "Bearer abcdefghij" })
  elseif kind == "licence" then
    return wrk.format("POST", "/keys/Widevine/?kid=f5d3c6c9-0d38-4f12-a1e6-35a1b9e7c0de", { ["Content-Type"] = "application/octet-stream" }, body)
  end
  local path = string.format("/8d7ab48c-5d43-4f31-9d52-%012d/video.ism/manifest(format=m3u8-cmaf)", count % 1000)
  if kind == "manifest" then return wrk.format("GET", path, { ["Accept-Encoding"] = "gzip, deflate, br" }) end
  if kind == "identity" then return wrk.format("GET", path) end
  return wrk.format("GET", path .. "?n=" .. count)
end
