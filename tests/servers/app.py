# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""What gunicorn serves: the process that answers."""
import os


def app(_environ, start_response):
    answer = b"%d\n" % os.getpid()
    start_response("200 OK", [("Content-Length", str(len(answer)))])
    return [answer]
