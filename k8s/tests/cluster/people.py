"""People who come by way of the ingress: they register, are verified, and pay."""

import base64
import json
import uuid

PIXEL = ("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
# The bytes of a document.
LARGEST = 8_000_000


def code(cluster, contact):
    """The one-time code of a contact, which one of svc-identity's pods wrote down."""
    files = [pod.volumes["state"] / "state/codes.jsonl" for pod in cluster.deployed["svc-identity"]]
    lines = [json.loads(line) for file in files if file.exists() for line in file.read_text().splitlines()]
    (found,) = [line["code"] for line in lines if line["contact"] == contact]
    return found


def register(cluster, contact, given):
    """Registers a person: contact, password, and a session's token."""
    token = cluster.call("/v1/registrations", {"contact": contact})["registrationToken"]
    cluster.call("/v1/registrations:verifyContact", {"registrationToken": token, "code": code(cluster, contact)})
    person = {"contact": contact, "password": f"a password of {given}"}
    cluster.call("/v1/registrations:complete", {
        "registrationToken": token, "givenNames": given, "familyName": "Example", "birthDate": "1990-01-31",
        "nationality": "KE", "password": person["password"]})
    return person | {"token": cluster.call("/v1/sessions", person)["accessToken"]}


def verify(cluster, person, staff, number):
    """Has a person verified, who has an account from then on."""
    token = person["token"]
    status, text = document(cluster, person, LARGEST)
    assert status == 200, text
    verification = cluster.call("/v1/verifications", {
        "documentType": "DOCUMENT_TYPE_PASSPORT", "documentCountry": "KE", "documentNumber": number,
        "documents": [json.loads(text)["document"]["name"]]}, token)["verification"]["name"]
    approved = cluster.call(f"/v1/{verification}:approve", {"requestId": str(uuid.uuid4())}, staff)
    done = cluster.call(f"/v1/{approved['operation']['name']}:wait", token=staff)["operation"]
    assert done["state"] == "OPERATION_STATE_SUCCEEDED", done
    return person | {"account": done["response"]["createAccount"]["account"]}


def transfer(cluster, payer, receiver):
    """One pays another 100 GX, who sees it."""
    paid = {"receiver": receiver["account"], "amountQirat": "100000000"}
    path = f"/v1/wallets/{payer['account']}"
    quote = cluster.call(f"{path}:quoteTransfer", paid, payer["token"])
    sent = cluster.call(f"{path}/transfers", paid | {
        "maxFeeQirat": quote["feeQirat"], "requestId": str(uuid.uuid4())}, payer["token"])
    done = cluster.call(f"/v1/{sent['operation']['name']}:wait", token=payer["token"])["operation"]
    assert done["state"] == "OPERATION_STATE_SUCCEEDED", done
    block = done["metadata"]["block"]
    wallet = cluster.call(f"/v1/wallets/{receiver['account']}?minBlock={block}", token=receiver["token"])["wallet"]
    assert wallet["balanceQirat"] == "600000000"


def document(cluster, person, size):
    """Uploads a picture of so many bytes; the status and the text of the answer."""
    picture = base64.b64decode(PIXEL).ljust(size, b"\0")
    body = {"contentType": "image/png", "content": base64.b64encode(picture).decode()}
    return cluster.ingress.call("/v1/documents", body, person["token"])
