"""A running GX as on mainnet, in roles that meet in PostgreSQL, Redis and a devnet."""

import contextlib
import json
import os
import signal

import grpc
import psycopg
from google.protobuf import descriptor_pool, message_factory
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from kube import Jobs
from peer import Peer
from servers import LOOPBACK, Gx, Process, free_ports, get, postgres_exporter, run, settings_alone, wait_until

DATABASE = "gx_protocol"
SERVICES = ("identity", "wallet", "tokenomics")
PACKAGE_ID = "gx_1.0:" + "0" * 64


class System:
    """Everything by its name. `scraped` has the addresses of metrics by pod and container."""

    def __init__(self, binary, folder, postgres):
        self.binary, self.postgres, self.folder = binary, postgres, folder / "system"
        self.folder.mkdir()
        self.stack = contextlib.ExitStack()
        self.scraped = {}
        try:
            self._start()
        except BaseException:
            self.end()
            raise

    def _start(self):
        self._stores()
        self.devnet = self._role("devnet", {})
        self.projector = self._role("projector", self.settings, pod="projector-0")
        self.submitter = self._role("submitter", self.settings, pod="outbox-submitter-0")
        self.tool("bootstrap")
        self.services = {
            name: self._role(name, self.settings | {"GX_DATABASE__URL": self.url(name)}, pod=f"svc-{name}-0")
            for name in SERVICES}
        self._contract()
        self._enrolment()
        self.jobs = Jobs([self.binary, "reconcile"], self.environment())
        self.stack.callback(self.jobs.end)
        with self.caller("identity") as nobody:
            password = (self.folder / "initial-password").read_text().strip()
            login = nobody.call("gx.identity.v1.IdentityService/Login", contact="root", password=password)
        self.staff = self.stack.enter_context(self.caller("tokenomics", login.access_token))

    def _stores(self):
        """A database in which each service is another user, what watches it, and a Redis."""
        self.sql(f"create database {DATABASE}", database="postgres")
        for service in SERVICES:
            self.sql(f"create role {service} superuser login")
        self.sql(f"alter database {DATABASE} set deadlock_timeout = '20ms'")
        self.sql("create extension pg_stat_statements")
        exporter, redis = free_ports(2)
        self._process("postgres-exporter", postgres_exporter(exporter),
                      DATA_SOURCE_NAME=self.url("postgres") + "?sslmode=disable")
        self.scraped["postgres-0", ""] = f"{LOOPBACK}:{exporter}"
        self._process("redis", ["redis-server", "--port", redis, "--bind", LOOPBACK, "--save", "", "--dir", self.folder])
        self.settings = {
            "GX_DATABASE__URL": self.url("postgres"), "GX_DATABASE__READ_URL": self.url("postgres"),
            "GX_REDIS__URL": f"redis://{LOOPBACK}:{redis}", "GX_LANES__LEASE_MS": "3000",
        }

    def end(self):
        self.stack.close()

    def url(self, user):
        return self.postgres.address(DATABASE, user)

    def sql(self, *question, database=DATABASE):
        return self.postgres.ask(*question, database=database)

    def caller(self, service, token=None):
        """Who calls methods of a service."""
        return Caller(self.services[service].ports[service], token)

    def tool(self, *arguments):
        """Runs one of gx's tools to its end and answers its output."""
        return run([self.binary, *arguments], env=self.environment())

    def environment(self, **more):
        """The variables of one more process of it."""
        return settings_alone({"GX_DATA_DIR": str(self.folder)} | self.settings | more)

    def _process(self, name, command, **environment):
        process = Process(command, self.folder / f"{name}.log", env=settings_alone(environment))
        self.stack.callback(process.end)
        return process

    def _role(self, name, settings, pod=None):
        role = Gx(self.binary, self.folder, [name], settings)
        self.stack.callback(role.end)
        if pod:
            self.scraped[pod, ""] = role.metrics.removeprefix("http://")
        return role

    def _contract(self):
        """The contract, and a peer that has a stream to it."""
        port, metrics = free_ports(2)
        self._process("chaincode", [self.binary, "chaincode"], **self.environment(
            GX_CHAINCODE__PORT=str(port), GX_LISTEN__METRICS=str(metrics), GX_CHAINCODE__PACKAGE_ID=PACKAGE_ID))
        self.scraped["gx-chaincode-0", ""] = f"{LOOPBACK}:{metrics}"
        wait_until(lambda: get(f"http://{LOOPBACK}:{metrics}/readyz"), "the contract listens")
        self.contract = f"{LOOPBACK}:{port}"
        self.peer = Peer(self.contract)
        self.stack.callback(lambda: self.peer.end())

    def _enrolment(self):
        """A certificate authority that may be stopped, and who gets certificates from it."""
        self.authority = Authority(self.binary, self.folder / "authority")
        self.stack.callback(self.authority.end)
        (metrics,) = free_ports(1)
        self._process("enroll", [self.binary, "enroll"], **self.environment(
            GX_LISTEN__METRICS=str(metrics), GX_ENROLL__FOLDER=str(self.identities), GX_ENROLL__CHECK_S="1",
            GX_ENROLL__SUPER_ADMIN_ID="", **self.authority.settings))
        self.scraped["outbox-submitter-0", "enroll-"] = f"{LOOPBACK}:{metrics}"
        wait_until(lambda: get(f"http://{LOOPBACK}:{metrics}/readyz"), "there are certificates")

    @property
    def certificate(self):
        """That of a client of the ledger."""
        return self.folder / "devnet/identities/org1/partner/cert.pem"

    @property
    def identities(self):
        """Where `gx enroll` keeps what it gets."""
        return self.folder / "kept"

    @contextlib.contextmanager
    def standing_still(self, role):
        """A process of a role that does nothing meanwhile, as on a node that is gone."""
        os.kill(role.process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(role.process.pid, signal.SIGCONT)

    @contextlib.contextmanager
    def people(self):
        """Two people who register, are verified and pay meanwhile."""
        process = Process([self.binary, "demo"], self.folder / "demo.log", env=self.environment())
        try:
            yield
        finally:
            process.end(signal.SIGKILL)

    @contextlib.contextmanager
    def transaction(self):
        """A transaction of somebody at work in the database by hand."""
        with psycopg.connect(self.url("postgres")) as connection:
            try:
                yield connection
            finally:
                connection.rollback()


class Authority:
    """A Fabric CA, which a devnet brings, at a place that stays the same."""

    def __init__(self, binary, folder):
        self.binary, self.folder = binary, folder
        folder.mkdir()
        self.port, *ports = free_ports(5)
        names = ("DEVNET", "DEVNET_ORG2", "METRICS")
        self.environment = settings_alone({
            "GX_DATA_DIR": str(folder), "GX_LISTEN__DEVNET_CA": str(self.port),
            **{f"GX_LISTEN__{name}": str(port) for name, port in zip(names, ports)}})
        self.ready = f"http://{LOOPBACK}:{ports[2]}/readyz"
        self.process = None
        self.start()
        secrets = {one["id"]: one["secret"] for one in json.loads((folder / "devnet/registry.json").read_text())["ca-org1"]}
        self.settings = {
            "GX_ENROLL__URL": f"https://localhost:{self.port}", "GX_ENROLL__CA_NAME": "ca-org1",
            "GX_ENROLL__TLS_CA_FILE": str(folder / "devnet/tls/ca/cert.pem"),
            "GX_ENROLL__PARTNER_SECRET": secrets["partner"], "GX_ENROLL__ADMIN_SECRET": secrets["admin"],
        }

    def start(self):
        self.process = Process([self.binary, "devnet"], self.folder.parent / "authority.log", env=self.environment)
        wait_until(lambda: get(self.ready), "the authority answers")

    def end(self):
        self.process.end()


class Caller:
    """Calls methods by reflection; signed in where it has a token."""

    def __init__(self, port, token=None):
        self.channel = grpc.insecure_channel(f"{LOOPBACK}:{port}")
        self.pool = descriptor_pool.DescriptorPool(ProtoReflectionDescriptorDatabase(self.channel))
        self.metadata = [("authorization", f"Bearer {token}")] if token else []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.channel.close()

    def _method(self, path):
        service, name = path.split("/")
        method = self.pool.FindServiceByName(service).methods_by_name[name]
        classes = [message_factory.GetMessageClass(kind) for kind in (method.input_type, method.output_type)]
        return classes, {"request_serializer": classes[0].SerializeToString,
                         "response_deserializer": classes[1].FromString}

    def call(self, path, **fields):
        """The answer of a method."""
        (kind, _), codecs = self._method(path)
        return self.channel.unary_unary(f"/{path}", **codecs)(kind(**fields), metadata=self.metadata, timeout=10)

    def code(self, path, **fields):
        """The name of the code with which a method answers."""
        try:
            self.call(path, **fields)
        except grpc.RpcError as error:
            return error.code().name
        return "OK"

    def first(self, path, **fields):
        """The first message of a stream, which then is left."""
        (kind, _), codecs = self._method(path)
        stream = self.channel.unary_stream(f"/{path}", **codecs)(kind(**fields), metadata=self.metadata, timeout=30)
        try:
            return next(stream)
        finally:
            stream.cancel()
