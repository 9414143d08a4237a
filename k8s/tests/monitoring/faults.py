"""For each alert a fault that makes it fire, and the cure that makes it resolve.

A fault is (minute at which the alert fires, minute at which it does not, series). Values are
written as promtool reads them: `0x10` is ten more zeros after the first, `0+60x10` grows. One
value a minute, or an hour where the cure comes after 2000 minutes; the minute 0 is the epoch.
"""

POD = 'namespace="backend-mainnet",pod="projector-0"'
MAIN = 'namespace="backend-mainnet"'
GX = POD + ',container="gx"'
NODE = 'node="node-1"'
DISK = NODE + ',device="/dev/vda1"'


def step(bad, good=0):
    """Good for half an hour, bad for an hour, good for two."""
    return f"{good}x29 {bad}x59 {good}x120"


def growth(a_minute=60):
    """A counter that stands for half an hour, grows for an hour, and stands again."""
    return f"0x29 {a_minute}+{a_minute}x59 {60 * a_minute}x120"


def while_bad(series, bad, good=0):
    """A gauge that is wrong from the minute 30 to 89."""
    return (85, 150, {series: step(bad, good)})


def share(series, values, whole, size):
    """What uses too much of something that stays as large as it is."""
    return (85, 150, {series: values, whole: f"{size}x210"})


FAULTS = {
    # gx
    "ProjectorLagHigh": while_bad('projector_lag_milliseconds{%s,partition="0"}' % POD, 5001),
    "ProjectorStopped": while_bad('gx_projector_stopped{%s,partition="0"}' % POD, 1),
    "ProjectorAbsent": (85, 150, {'projector_lag_blocks{%s}' % POD: "0x29 _x60 0x120"}),
    "FabricConnectionLost": while_bad("fabric_sdk_connection_status{%s}" % POD, 0, 1),
    "LaneHeld": while_bad('gx_lane_held{%s,lane="partner/1"}' % POD, 1),
    "LaneStalled": (85, 150, {
        "outbox_command_queue_depth{%s}" % POD: "7x210",
        'gx_lane_batches_total{%s,outcome="valid"}' % MAIN: "0+5x29 145x60 150+5x120",
    }),
    "CommandVoided": (35, 150, {"gx_database_commands_voided{%s}" % POD: "2x29 3x180"}),
    "SettledTwice": (60, 150, {"gx_settled_twice_total{%s}" % POD: growth()}),
    "SupplyChanged": (85, 150, {
        'gx_supply_qirat{%s,bucket="POOL"}' % POD: "1.2e18x210",
        'gx_supply_qirat{%s,bucket="CIRCULATING"}' % POD: step("0.0500000001e18", "0.05e18"),
    }),
    "ReconcileDifference": (85, 150, {
        'kube_job_created{%s,job_name="reconcile-1"}' % MAIN: "_x29 1800x180",
        'kube_job_status_failed{%s,job_name="reconcile-1",reason="BackoffLimitExceeded"}' % MAIN: "_x29 1x180",
        'kube_job_created{%s,job_name="reconcile-2"}' % MAIN: "_x89 5400x120",
        'kube_job_status_succeeded{%s,job_name="reconcile-2"}' % MAIN: "_x89 1x120",
    }),
    "ReconcileMissing": (1600, 1700, {
        'kube_cronjob_status_last_successful_time{%s,cronjob="reconcile"}' % MAIN: "60x1649 99000x100"}),
    "CommandsQueue": while_bad("outbox_command_queue_depth{%s}" % POD, 10001),
    "AuditLogNotSealed": while_bad("gx_audit_seal_lag_seconds{%s}" % POD, 301),
    "AuditLinesDropped": (60, 150, {"gx_audit_dropped_total{%s}" % POD: growth()}),
    "LedgerCertificateEnds": while_bad('gx_identity_expires_seconds{%s,identity="admin"}' % POD, 604000, 900000),
    "LedgerCertificateEndsSoon": while_bad('gx_identity_expires_seconds{%s,identity="admin"}' % POD, 86000, 900000),
    "EnrolmentFails": (60, 180, {'gx_enrolments_total{%s,identity="admin",outcome="failed"}' % POD: growth()}),
    "ChaincodeWithoutPeers": while_bad("gx_chaincode_streams{%s}" % POD, 0, 4),
    "ChaincodeFails": (60, 150, {'gx_chaincode_transactions_total{%s,outcome="failed"}' % POD: growth()}),
    "DatabaseContention": (85, 150, {"gx_deadlocks_total{%s}" % POD: growth(120)}),
    "ApiErrorRateHigh": (85, 150, {
        'http_requests_total{%s,service="svc-wallet",code="OK"}' % POD: "0+1000x210",
        'http_requests_total{%s,service="svc-wallet",code="INTERNAL"}' % POD: growth(20),
    }),
    # stores
    "PostgreSQLUnavailable": while_bad("pg_up{%s}" % MAIN, 0, 1),
    "PostgreSQLWithoutPrimary": while_bad("gx_database_replication_standby{%s}" % MAIN, 1),
    "PostgreSQLTwoPrimaries": (85, 150, {
        'gx_database_replication_standby{%s,pod="postgres-0"}' % MAIN: "0x210",
        'gx_database_replication_standby{%s,pod="postgres-1"}' % MAIN: step(0, 1),
    }),
    "PostgreSQLReplicaMissing": while_bad("gx_database_replication_streaming{%s}" % MAIN, 1, 2),
    "PostgreSQLNotSynchronous": while_bad("gx_database_replication_synchronous{%s}" % MAIN, 0, 1),
    "PostgreSQLReplicaBehind": while_bad("gx_database_replication_lag_seconds{%s}" % POD, 31),
    "PostgreSQLConnectionsHigh": share(
        'pg_stat_activity_count{%s,state="active"}' % POD, step(170, 20),
        "pg_settings_max_connections{%s}" % POD, 200),
    "PostgreSQLNotScraped": while_bad("pg_exporter_last_scrape_error{%s}" % POD, 1),
    "RedisUnavailable": while_bad("redis_up{%s}" % POD, 0, 1),
    "RedisWithoutPrimary": (85, 150, {
        'redis_instance_info{%s,pod="redis-0",role="master"}' % MAIN: "1x210",
        'redis_instance_info{%s,pod="redis-1",role="master"}' % MAIN: "_x29 1x59 stale _x120",
    }),
    "RedisNotPersisted": while_bad("redis_aof_last_write_status{%s}" % POD, 0, 1),
    "RedisNotUsed": while_bad("gx_redis_connected{%s}" % POD, 0, 1),
    "BackupTooOld": (440, 460, {
        'gx_backup_success_timestamp_seconds{%s,kind="dump"}' % MAIN: "0x449 27000x60",
        'gx_backup_period_seconds{%s,kind="dump"}' % MAIN: "21600x509",
    }),
    "BackupAbsent": (85, 150, {'gx_backup_success_timestamp_seconds{%s,kind="dump"}' % MAIN: "0x29 _x60 0x120"}),
    "BackupRefused": while_bad('gx_backup_refused{%s,kind="dump"}' % MAIN, 1),
    "BackupTooSmall": while_bad('gx_backup_size_bytes{%s,kind="dump"}' % MAIN, 69, 100),
    "BackupDamaged": while_bad('gx_backup_damaged_files{%s,kind="dump"}' % MAIN, 1),
    "BackupNotVerified": (11640, 11760, {
        'gx_backup_verified_timestamp_seconds{%s,kind="dump"}' % MAIN: "0x194 699000x60"}),
    "BackupDiffers": while_bad('gx_backup_differences{%s,kind="dump"}' % MAIN, 2),
    "BackupJobFailed": (85, 1000, {
        'kube_job_status_failed{%s,job_name="postgres-dump-1"}' % MAIN: "0x29 1x1000",
        'kube_job_created{%s,job_name="postgres-dump-1"}' % MAIN: "1800x1030",
    }),
    "WalArchiveBehind": while_bad("gx_wal_archive_behind_bytes{%s}" % MAIN, 300000000),
    "WalArchiveDisconnected": while_bad("gx_wal_archive_connected{%s}" % MAIN, 0, 1),
    "StoreCertificateEnds": (85, 150, {
        'gx_certificate_end_timestamp_seconds{%s,certificate="postgres"}' % MAIN: step(1210000, 9000000)}),
    # platform
    "PodCrashLoop": (35, 150, {
        'kube_pod_container_status_restarts_total{%s,container="gx"}' % POD: "0x29 0+2x9 18x170"}),
    "PodNotReady": (85, 150, {'kube_pod_status_phase{%s,phase="Pending"}' % POD: step(1)}),
    "NodeNotReady": while_bad('kube_node_status_condition{%s,condition="Ready",status="true"}' % NODE, 0, 1),
    "TargetDown": while_bad('up{%s,app="projector"}' % POD, 0, 1),
    "HighCpuUsage": share(
        'container_cpu_usage_seconds_total{id="/",%s}' % NODE, growth(780), "machine_cpu_cores{%s}" % NODE, 16),
    "HighMemoryUsage": share(
        'container_memory_working_set_bytes{id="/",%s}' % NODE, step(60, 30), "machine_memory_bytes{%s}" % NODE, 64),
    "ContainerMemoryHigh": share(
        "container_memory_working_set_bytes{%s}" % GX, step(9, 3),
        'kube_pod_container_resource_limits{%s,resource="memory"}' % GX, 10),
    "ContainerCpuHigh": share(
        "container_cpu_usage_seconds_total{%s}" % GX, growth(55),
        'kube_pod_container_resource_limits{%s,resource="cpu"}' % GX, 1),
    "DiskSpaceLow": share(
        'container_fs_usage_bytes{id="/",%s}' % DISK, step(90, 50), 'container_fs_limit_bytes{id="/",%s}' % DISK, 100),
}
