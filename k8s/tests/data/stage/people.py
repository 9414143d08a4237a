"""Two people of an environment, of whom one pays the other again and again, and what must be true afterwards."""

import itertools
import json
import subprocess
import sys
import uuid
from pathlib import Path

from stage.environment import PODS

PIXEL = ("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")


class People:
    """A payer and a receiver, verified by staff; their accounts."""

    def __init__(self, there):
        self.there = there
        password = (there.folder / "claims/bootstrap/initial-password").read_text().strip()
        root = {"contact": "root", "password": password}
        # The gateway looks every five seconds which services are healthy.
        there.wait(lambda: there.answer("/v1/sessions", root)[0] == 200, lambda: there.answer("/v1/sessions", root))
        staff = there.call("/v1/sessions", root)["accessToken"]
        self.payer, self.receiver = (self._person(name, staff) for name in ("first", "second"))
        self.accepted = []
        self.log_in()

    def _person(self, name, staff):
        """Registers somebody and has them verified; the account."""
        there, contact, password = self.there, f"{name}@example.org", f"a password of {name}"
        token = there.call("/v1/registrations", {"contact": contact})["registrationToken"]
        codes = (there.pods["svc-identity"].volumes["state"] / "state/codes.jsonl").read_text().splitlines()
        (code,) = [line["code"] for line in map(json.loads, codes) if line["contact"] == contact]
        there.call("/v1/registrations:verifyContact", {"registrationToken": token, "code": code})
        there.call("/v1/registrations:complete", {
            "registrationToken": token, "givenNames": name, "familyName": "Example", "birthDate": "1990-01-31",
            "nationality": "KE", "password": password})
        token = there.call("/v1/sessions", {"contact": contact, "password": password})["accessToken"]
        document = there.call("/v1/documents", {"contentType": "image/png", "content": PIXEL}, token)["document"]["name"]
        verification = there.call("/v1/verifications", {
            "documentType": "DOCUMENT_TYPE_PASSPORT", "documentCountry": "KE", "documentNumber": f"PASSPORT {name}",
            "documents": [document]}, token)["verification"]["name"]
        approved = there.call(f"/v1/{verification}:approve", {"requestId": str(uuid.uuid4())}, staff)
        done = there.call(f"/v1/{approved['operation']['name']}:wait", token=staff)["operation"]
        assert done["state"] == "OPERATION_STATE_SUCCEEDED", done
        return done["response"]["createAccount"]["account"]

    def log_in(self):
        """A session of the payer."""
        who = {"contact": "first@example.org", "password": "a password of first"}
        self.token = self.there.call("/v1/sessions", who)["accessToken"]

    def paying(self):
        """Pays from now on, until the block ends."""
        return Load(self)

    def count(self):
        """How many commands of the payer the database has."""
        owner = f"(select user_id::text from wallets where account = '{self.payer}')"
        return int(self.there.sql(f"select count(*) from operations where owner = {owner}"))

    def settled(self):
        """Every payment that was accepted is settled once, and there are no others; the books agree with the chain."""
        there, ids = self.there, {str(uuid.UUID(name.partition("/")[2])) for _, _, name in self.accepted}
        assert len(ids) == len(self.accepted)
        pending = "select count(*) from outbox"
        there.wait(lambda: there.sql(pending) == "0", lambda: f"{there.sql(pending)} commands are not settled")
        paid = f"select operation from entries where account = '{self.payer}' and delta_qirat = -1000"
        found = there.sql(paid).split()
        assert sorted(found) == sorted(ids), (len(found), len(ids), sorted(ids - set(found))[:5])
        states = there.sql(f"select distinct state from operations where id in ({paid})")
        assert states == "3", states
        assert "chain and read model agree" in there.gx("reconcile")


class Load:
    """A client that pays all the time."""

    def __init__(self, people):
        self.people = people
        self.told = None

    def __enter__(self):
        job = [f"http://{PODS['api-gateway']}:8080", self.people.token, self.people.payer, self.people.receiver]
        self.process = self.people.there.network.start(
            [sys.executable, Path(__file__).with_name("pay.py"), json.dumps(job)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "paying\n"
        return self

    def __str__(self):
        return f"{len(self.told['accepted'])} payments, sent again for {self.told['again']}"

    def goes_on(self, payments=30):
        """Waits until so many more payments are in the database."""
        before = self.people.count()
        self.people.there.wait(lambda: self.people.count() >= before + payments, "payments go on")

    def __exit__(self, failed, *_):
        told, _ = self.process.communicate("", timeout=120)
        self.told = json.loads(told)
        self.people.accepted += self.told["accepted"]
        assert failed or self.told["refused"] == [], self.told["refused"]

    def longest_pause(self, since=0.0, until=float("inf")):
        """Most seconds between two payments that were accepted, of which the later one was so in some time."""
        moments = sorted(at for at, _, _ in self.told["accepted"])
        return max(later - earlier for earlier, later in itertools.pairwise(moments) if since < later and earlier < until)
