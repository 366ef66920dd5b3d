-- SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
-- wrk: a new connection for each request, or with "-- keep" as long as the server
-- keeps it, paced, and the result as JSON in the last line.
local request_text = "GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"

function init(args)
	if args[1] == "keep" then
		request_text = "GET / HTTP/1.1\r\nHost: test\r\n\r\n"
	end
end

function request()
	return request_text
end

-- Milliseconds before each request.
function delay()
	return math.random(5, 50)
end

function done(summary)
	local e = summary.errors
	io.write(string.format(
		'{"requests":%d,"connect":%d,"read":%d,"write":%d,"timeout":%d,"status":%d}\n',
		summary.requests, e.connect, e.read, e.write, e.timeout, e.status))
end
