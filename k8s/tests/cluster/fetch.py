"""Makes one request, which stands as JSON on the standard input: URL, body, headers. With a
body it is a POST of JSON. Tells status and text of the answer; 0 if nobody answers."""

import json
import sys
import urllib.error
import urllib.request

url, body, headers = json.load(sys.stdin)
request = urllib.request.Request(
    url, body and json.dumps(body).encode(), {"content-type": "application/json"} | headers)
try:
    with urllib.request.urlopen(request, timeout=60) as answer:
        told = answer.status, answer.read().decode()
except urllib.error.HTTPError as error:
    told = error.code, error.read().decode()
except OSError as error:
    told = 0, str(error)
print(json.dumps(told))
