"""Pays until its standard input ends, from several threads, as a client does that means it: a payment that is not
answered is sent again under its request id until it is. `pay.py JSON`: where, token, payer, receiver.

Says "paying" after the first; at the end when each was accepted (by the machine's own clock) under which request id
and name, and which answers were no success."""

import json
import sys
import threading
import time
import urllib.error
import urllib.request
import uuid

URL, TOKEN, PAYER, RECEIVER = json.loads(sys.argv[1])
STOP, FIRST = threading.Event(), threading.Event()
TOLD = {"accepted": [], "again": {}, "refused": []}
# Between two tries of one payment, and between two payments.
AGAIN_S, PAUSE_S = 0.2, 0.05
# What tells a client to send the same again: nobody answers, or UNAVAILABLE, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED.
PASSING = {429, 503, 504}


def accepted(body):
    """Sends a payment until it is accepted; None if it is refused."""
    headers = {"content-type": "application/json", "authorization": f"Bearer {TOKEN}", "x-forwarded-for": "198.51.100.7"}
    while True:
        try:
            request = urllib.request.Request(f"{URL}/v1/wallets/{PAYER}/transfers", json.dumps(body).encode(), headers)
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)["operation"]["name"]
        except urllib.error.HTTPError as error:
            said = error.read().decode()
            if error.code not in PASSING:
                TOLD["refused"].append(f"{error.code} {said}")
                return None
            why = json.loads(said).get("message", said) if said.startswith("{") else said
            TOLD["again"][f"{error.code} {why}"] = TOLD["again"].get(f"{error.code} {why}", 0) + 1
        except OSError as error:
            TOLD["again"][str(error)] = TOLD["again"].get(str(error), 0) + 1
        STOP.wait(AGAIN_S)


def work():
    """Pays again and again."""
    while not STOP.is_set():
        body = {"receiver": RECEIVER, "amountQirat": "1000", "maxFeeQirat": "1000", "requestId": str(uuid.uuid4())}
        if name := accepted(body):
            TOLD["accepted"].append((time.monotonic(), body["requestId"], name))
        FIRST.set()
        STOP.wait(PAUSE_S)


threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads:
    thread.start()
FIRST.wait()
print("paying", flush=True)
sys.stdin.read()
STOP.set()
for thread in threads:
    thread.join()
print(json.dumps(TOLD))
