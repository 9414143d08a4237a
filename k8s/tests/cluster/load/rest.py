"""Pays over REST without ever trying twice, until its standard input ends, from several
threads; then tells how many payments there were and what failed. `rest.py JSON`: where,
token, payer, receiver."""

import json
import sys
import threading
import urllib.error
import urllib.request
import uuid

URL, TOKEN, PAYER, RECEIVER = json.loads(sys.argv[1])
STOP, FIRST, LOCK = threading.Event(), threading.Event(), threading.Lock()
COUNTS = {"paid": 0, "failed": []}


def call(path, body=None):
    """A call's answer; what is no success is an error."""
    headers = {"content-type": "application/json", "authorization": f"Bearer {TOKEN}"}
    request = urllib.request.Request(URL + path, body and json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def pay():
    """One payment, waited for, and a look at what is left."""
    body = {"receiver": RECEIVER, "amountQirat": "1000", "maxFeeQirat": "1000", "requestId": str(uuid.uuid4())}
    sent = call(f"/v1/wallets/{PAYER}/transfers", body)["operation"]
    done = call(f"/v1/{sent['name']}:wait")["operation"]
    if done["state"] != "OPERATION_STATE_SUCCEEDED":
        raise ValueError(done)
    call(f"/v1/wallets/{PAYER}?minBlock={done['metadata']['block']}")


def work():
    """Pays again and again."""
    while not STOP.is_set():
        try:
            pay()
            with LOCK:
                COUNTS["paid"] += 1
        except urllib.error.HTTPError as error:
            with LOCK:
                COUNTS["failed"].append(f"{error.url}: {error.code} {error.read().decode()}")
        except (OSError, ValueError) as error:
            with LOCK:
                COUNTS["failed"].append(str(error))
        FIRST.set()


threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads:
    thread.start()
FIRST.wait()
print("paying", flush=True)
sys.stdin.read()
STOP.set()
for thread in threads:
    thread.join()
print(json.dumps(COUNTS))
