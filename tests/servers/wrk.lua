-- SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
-- wrk: a new connection for each request, paced, and the result as JSON in the
-- last line.
local request_text = "GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"

function request()
	return request_text
end

-- Milliseconds between connect and request.
function delay()
	return math.random(2, 20)
end

function done(summary)
	local e = summary.errors
	io.write(string.format(
		'{"requests":%d,"connect":%d,"read":%d,"write":%d,"timeout":%d,"status":%d}\n',
		summary.requests, e.connect, e.read, e.write, e.timeout, e.status))
end
