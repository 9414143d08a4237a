"""What the deployment document gives in figures, its slips mended, and what GX adds."""

# replicas, CPU and memory that a pod's main container asks for
MAINNET = {
    "svc-identity": (3, "500m", "1Gi"),
    "svc-wallet": (3, "500m", "1Gi"),
    "svc-tokenomics": (3, "500m", "1Gi"),
    "api-gateway": (3, "500m", "1Gi"),
    "outbox-submitter": (2, "500m", "1Gi"),
    "projector": (2, "500m", "1Gi"),
    "gx-chaincode": (2, "250m", "256Mi"),
    "gx-tools": (1, "100m", "128Mi"),
}
TESTNET = {name: (1, *asked) for name, (_, *asked) in MAINNET.items()}
DEVNET = {name: (1, "200m", "512Mi") for name in MAINNET} | {
    "gx-chaincode": (1, "100m", "128Mi"), "gx-tools": (1, "100m", "128Mi"),
}
DEPLOYMENTS = {"mainnet": MAINNET, "testnet": TESTNET, "devnet": DEVNET}

# PostgreSQL and Redis: replicas, CPU and memory that a pod asks for, GiB of each volume.
STORES = {
    "mainnet": {"postgres": (3, 1.0, 2.0, 100), "redis": (3, 0.5, 1.0, 20)},
    "testnet": {"postgres": (1, 1.0, 2.0, 100), "redis": (1, 0.5, 1.0, 20)},
    "devnet": {"postgres": (1, 0.5, 1.0, 100), "redis": (1, 0.3, 0.5, 20)},
}
BACKUP_GIB = {"postgres-backup": 50, "redis-backup": 20}
# All of it, and one for the initial password.
VOLUMES_GIB = {"mainnet": 3 * 100 + 3 * 20 + 50 + 20 + 1} | dict.fromkeys(("testnet", "devnet"), 100 + 20 + 50 + 20 + 1)

QUOTAS = {
    "mainnet": ("16", "32Gi", "32", "64Gi", "10", "50", "500Gi"),
    "testnet": ("8", "16Gi", "16", "32Gi", "5", "30", "200Gi"),
    "devnet": ("4", "8Gi", "8", "16Gi", "5", "30", "200Gi"),
}
QUOTA_KEYS = (
    "requests.cpu", "requests.memory", "limits.cpu", "limits.memory",
    "persistentvolumeclaims", "pods", "requests.storage",
)
LIMITS = {
    "max": {"cpu": "4", "memory": "8Gi"},
    "min": {"cpu": "100m", "memory": "128Mi"},
    "default": {"cpu": "500m", "memory": "512Mi"},
    "defaultRequest": {"cpu": "250m", "memory": "256Mi"},
}
NAMESPACE_LABELS = {
    "mainnet": {"environment": "production", "component": "backend"},
    "testnet": {"environment": "testnet", "component": "backend"},
    "devnet": {"environment": "development", "component": "backend"},
}
# The label of what belongs together.
PART_OF = "app.kubernetes.io/part-of"
LOG_LEVELS = {"mainnet": "info", "testnet": "debug", "devnet": "trace"}
LOG_DAYS = {"mainnet": 90, "testnet": 30, "devnet": 7}
WORKER_NODE = "srv1117946"

PORTS = {
    "svc-identity": 3001, "svc-wallet": 3002, "svc-tokenomics": 3003,
    "api-gateway": 8080, "gx-chaincode": 9999,
}
METRICS = 9090
ENROLL_METRICS = 9091
# Services of the stores: whose pods, by which labels besides, and on which ports.
STORE_SERVICES = {
    "postgres-primary": ("postgres", {"role": "master"}, {5432}),
    "postgres-replica": ("postgres", {"role": "replica"}, {5432}),
    "postgres-headless": ("postgres", {}, {5432, 8008}),
    "redis-replica": ("redis", {}, {6379}),
    "redis-headless": ("redis", {}, {6379, 26379}),
}
# Where exporters show what they know.
EXPORTERS = {"postgres": 9187, "redis": 9121, "postgres-backup": 9100}
PEERS = {
    "mainnet": ("peer0-org1", "peer1-org1", "peer0-org2", "peer1-org2"),
    "testnet": ("peer0-org1", "peer0-org2"),
    "devnet": ("peer0-org1", "peer0-org2"),
}
GRACE_S = 30

# Whose pods have a token, since their work is with the API server: Patroni keeps there who
# leads, Prometheus finds whom to read, kube-state-metrics tells of what is there.
API_CLIENTS = {
    "postgres": [("Role", "postgres")],
    "prometheus": [("ClusterRole", "gx-prometheus")],
    "kube-state-metrics": [("ClusterRole", "gx-kube-state-metrics")],
}

# Jobs that are parts of something, under its label and account.
PARTS = dict.fromkeys(("postgres-dump", "postgres-base-backup"), "postgres-backup")

# What an operator makes, by the commands in k8s/README.md.
GIVEN_CONFIG = {
    "postgres-ca": {"ca.crt"},
    "redis-ca": {"ca.crt"},
    "fabric-trust": {"peers-tls.pem", "ca-tls.pem", "ca-root.pem"},
    "gx-chaincode-package": {"id"},
}
