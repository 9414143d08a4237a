#!/usr/bin/env python3
"""The three dashboards, from one table. `make dashboards` writes dashboards/*.json; a test
compares them with what this file says.
"""

import json
import pathlib

FOLDER = pathlib.Path(__file__).parent / "dashboards"
NS = 'namespace="$namespace"'

# Panels by row: (title, unit, [(expression, legend)]).
DASHBOARDS = {
    "backend": ("Backend Overview", [
        ("Pods", [
            ("Pods by phase", "short", [(f"sum by (phase) (kube_pod_status_phase{{{NS}}})", "{{phase}}")]),
            ("Restarts in an hour", "short", [
                (f"sum by (pod) (increase(kube_pod_container_status_restarts_total{{{NS}}}[1h])) > 0", "{{pod}}")]),
            ("Targets that do not answer", "short", [(f"sum by (app) (up{{{NS}}} == bool 0)", "{{app}}")]),
        ]),
        ("Processors and memory", [
            ("CPU by pod", "short", [
                (f'sum by (pod) (rate(container_cpu_usage_seconds_total{{{NS},container!=""}}[5m]))', "{{pod}}")]),
            ("Memory by pod", "bytes", [
                (f'sum by (pod) (container_memory_working_set_bytes{{{NS},container!=""}})', "{{pod}}")]),
            ("Nodes: CPU, memory", "percentunit", [
                ("node:cpu:ratio5m", "{{node}} CPU"), ("node:memory:ratio", "{{node}} memory")]),
            ("Nodes: disk free", "percentunit", [("node:disk_free:ratio", "{{node}} {{device}}")]),
            ("Nodes ready", "short", [
                ('kube_node_status_condition{condition="Ready",status="true"}', "{{node}}")]),
        ]),
        ("API", [
            ("Calls a second", "reqps", [(f"gx:http_requests:rate5m{{{NS}}}", "{{service}}")]),
            ("Latency", "s", [
                (f"gx:http_request_duration_seconds:p50{{{NS}}}", "{{service}} p50"),
                (f"gx:http_request_duration_seconds:p95{{{NS}}}", "{{service}} p95"),
                (f"gx:http_request_duration_seconds:p99{{{NS}}}", "{{service}} p99")]),
            ("Errors (5xx)", "percentunit", [(f"gx:http_errors:ratio5m{{{NS}}}", "{{service}}")]),
            ("Answers by code", "reqps", [(f"sum by (code) (rate(http_requests_total{{{NS}}}[5m]))", "{{code}}")]),
            ("Refused callers", "reqps", [
                (f"sum by (reason) (rate(gx_auth_failures_total{{{NS}}}[5m]))", "{{reason}}"),
                (f"sum by (kind) (rate(gx_rate_limited_total{{{NS}}}[5m]))", "rate of {{kind}}")]),
            ("Open streams", "short", [(f"sum by (method) (gx_watches_open{{{NS}}})", "{{method}}")]),
            ("Password verifications a second", "ops", [
                (f"sum(rate(gx_password_verifications_total{{{NS}}}[5m]))", "verifications")]),
        ]),
    ]),
    "cqrs": ("CQRS Health", [
        ("Commands", [
            ("Outbox queue depth", "short", [(f"gx:outbox_command_queue_depth:max{{{NS}}}", "commands")]),
            ("Commands a second", "ops", [
                (f"sum(rate(gx_intake_commands_total{{{NS}}}[5m]))", "made durable"),
                (f"sum(rate(gx_lane_batch_commands_sum{{{NS}}}[5m]))", "sent in batches")]),
            ("Database transactions of the intake", "ops", [
                (f"sum(rate(gx_intake_commits_total{{{NS}}}[5m]))", "commits")]),
            ("Batches a second by outcome", "ops", [
                (f"sum by (outcome) (rate(gx_lane_batches_total{{{NS}}}[5m]))", "{{outcome}}")]),
            ("Commands a batch", "short", [
                (f"histogram_quantile(0.5, sum by (le) (rate(gx_lane_batch_commands_bucket{{{NS}}}[5m])))", "p50"),
                (f"histogram_quantile(0.99, sum by (le) (rate(gx_lane_batch_commands_bucket{{{NS}}}[5m])))", "p99")]),
            ("Lanes that hold", "short", [(f"max by (lane) (gx_lane_held{{{NS}}}) > 0", "{{lane}}")]),
        ]),
        ("Failed transactions", [
            ("Failed batches in 15 minutes", "short", [
                (f'sum(increase(gx_lane_batches_total{{{NS},outcome="failed"}}[15m]))', "batches")]),
            ("Voided and abandoned commands", "short", [
                (f"max(gx_database_commands_voided{{{NS}}})", "voided"),
                (f"max(gx_database_commands_abandoned{{{NS}}})", "abandoned")]),
            ("Outcomes met a second time", "short", [
                (f"sum(increase(gx_settled_twice_total{{{NS}}}[1h]))", "outcomes")]),
            ("Repeated transactions", "ops", [(f"sum(rate(gx_deadlocks_total{{{NS}}}[5m]))", "transactions")]),
        ]),
        ("Events", [
            ("Projector lag", "ms", [(f"gx:projector_lag_milliseconds:max{{{NS}}}", "partition {{partition}}")]),
            ("Projector lag in blocks", "short", [
                (f"max by (partition) (projector_lag_blocks{{{NS}}})", "partition {{partition}}")]),
            ("Blocks applied a second", "ops", [(f"sum(rate(gx_projector_blocks_total{{{NS}}}[5m]))", "blocks")]),
            ("Partitions that stopped", "short", [
                (f"max by (partition) (gx_projector_stopped{{{NS}}})", "partition {{partition}}")]),
        ]),
        ("Ledger", [
            ("Ledger reached", "short", [(f"max(fabric_sdk_connection_status{{{NS}}})", "reached")]),
            ("Contract: transactions a second", "ops", [
                (f"sum by (outcome) (rate(gx_chaincode_transactions_total{{{NS}}}[5m]))", "{{outcome}}")]),
            ("Contract: time of a transaction", "s", [
                (f"histogram_quantile(0.95, sum by (le) (rate(gx_chaincode_transaction_duration_seconds_bucket{{{NS}}}[5m])))", "p95")]),
            ("Contract: questions a transaction", "short", [
                (f"sum(rate(gx_chaincode_round_trips_total{{{NS}}}[5m])) / sum(rate(gx_chaincode_transactions_total{{{NS}}}[5m]))", "questions")]),
            ("Contract: peers with a stream", "short", [(f"sum(gx_chaincode_streams{{{NS}}})", "streams")]),
            ("Supply", "short", [(f"max by (bucket) (gx_supply_qirat{{{NS}}}) / 1e6", "{{bucket}} in GX")]),
            ("Life of certificates", "s", [
                (f"min by (identity) (gx_identity_expires_seconds{{{NS}}})", "{{identity}}")]),
            ("Enrolments in a day", "short", [
                (f"sum by (identity, outcome) (increase(gx_enrolments_total{{{NS}}}[1d]))", "{{identity}} {{outcome}}")]),
            ("Audit log: not sealed", "s", [(f"max(gx_audit_seal_lag_seconds{{{NS}}})", "age")]),
            ("Audit log: dropped lines", "short", [
                (f"sum(increase(gx_audit_dropped_total{{{NS}}}[1h]))", "lines")]),
        ]),
    ]),
    "database": ("Database", [
        ("PostgreSQL", [
            ("Connections", "short", [
                (f"sum by (pod, state) (pg_stat_activity_count{{{NS}}})", "{{pod}} {{state}}")]),
            ("Query latency, by the mean of each statement", "s", [
                (f"histogram_quantile({q / 100}, sum by (le) (rate(gx_database_statement_seconds_bucket{{{NS}}}[5m])))", f"p{q}")
                for q in (50, 95, 99)]),
            ("Rows a second", "ops", [
                (f"sum by (pod) (rate(pg_stat_database_tup_returned{{{NS}}}[5m]))", "{{pod}} returned"),
                (f"sum by (pod) (rate(pg_stat_database_tup_fetched{{{NS}}}[5m]))", "{{pod}} fetched")]),
            ("Transactions a second", "ops", [
                (f"sum by (pod) (rate(pg_stat_database_xact_commit{{{NS}}}[5m]))", "{{pod}} committed"),
                (f"sum by (pod) (rate(pg_stat_database_xact_rollback{{{NS}}}[5m]))", "{{pod}} rolled back")]),
            ("Database size", "bytes", [
                (f'max(pg_database_size_bytes{{{NS},datname="gx_protocol"}})', "gx_protocol")]),
            ("Database growth a day", "bytes", [
                (f'max(delta(pg_database_size_bytes{{{NS},datname="gx_protocol"}}[1d]))', "gx_protocol")]),
            ("Servers that answer", "short", [(f"sum(pg_up{{{NS}}})", "servers")]),
            ("Standbys", "short", [
                (f"max(gx_database_replication_streaming{{{NS}}})", "streaming"),
                (f"max(gx_database_replication_synchronous{{{NS}}})", "synchronous")]),
            ("Standbys: lag", "s", [(f"max by (pod) (gx_database_replication_lag_seconds{{{NS}}})", "{{pod}}")]),
            ("Reads of a copy", "ops", [
                (f"sum by (outcome) (rate(gx_copy_reads_total{{{NS}}}[5m]))", "{{outcome}}")]),
        ]),
        ("Redis", [
            ("Clients", "short", [(f"redis_connected_clients{{{NS}}}", "{{pod}}")]),
            ("Memory", "bytes", [(f"redis_memory_used_bytes{{{NS}}}", "{{pod}}")]),
            ("Cache hit rate", "percentunit", [
                (f"sum(rate(redis_keyspace_hits_total{{{NS}}}[5m])) / (sum(rate(redis_keyspace_hits_total{{{NS}}}[5m])) + sum(rate(redis_keyspace_misses_total{{{NS}}}[5m])))", "of Redis"),
                (f'sum(rate(gx_answers_total{{{NS},from="redis"}}[5m])) / sum(rate(gx_answers_total{{{NS}}}[5m]))', "of answers of GX")]),
            ("Questions of GX", "ops", [
                (f"sum by (outcome) (rate(gx_redis_questions_total{{{NS}}}[5m]))", "{{outcome}}"),
                (f"sum by (path) (rate(gx_rate_checks_total{{{NS}}}[5m]))", "rate checks by {{path}}")]),
            ("Processes with Redis", "short", [(f"sum(gx_redis_connected{{{NS}}})", "processes")]),
            ("Primaries", "short", [(f'sum(redis_instance_info{{{NS},role="master"}})', "primaries")]),
        ]),
        ("Backups", [
            ("Age of the last backup", "s", [
                (f"time() - max by (kind) (gx_backup_success_timestamp_seconds{{{NS}}})", "{{kind}}")]),
            ("Size of the last backup", "bytes", [(f"max by (kind) (gx_backup_size_bytes{{{NS}}})", "{{kind}}")]),
            ("Age of the last restore", "s", [
                (f"time() - max by (kind) (gx_backup_verified_timestamp_seconds{{{NS}}})", "{{kind}}")]),
            ("Refused, damaged, different", "short", [
                (f"max by (kind) (gx_backup_refused{{{NS}}})", "{{kind}} refused"),
                (f"max by (kind) (gx_backup_damaged_files{{{NS}}})", "{{kind}} damaged"),
                (f"max by (kind) (gx_backup_differences{{{NS}}})", "{{kind}} different")]),
            ("WAL that is in no archive", "bytes", [(f"max(gx_wal_archive_behind_bytes{{{NS}}})", "behind")]),
        ]),
    ]),
}


def panel(number, title, unit, targets, x, y):
    """A graph over time."""
    return {
        "id": number,
        "type": "timeseries",
        "title": title,
        "datasource": {"type": "prometheus", "uid": "prometheus"},
        "gridPos": {"h": 8, "w": 8, "x": x, "y": y},
        "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
        "options": {
            "legend": {"showLegend": True, "displayMode": "list", "placement": "bottom", "calcs": []},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
        "targets": [
            {"refId": chr(ord("A") + index), "expr": expression, "legendFormat": legend}
            for index, (expression, legend) in enumerate(targets)
        ],
    }


def dashboard(uid, title, rows):
    """One dashboard: rows of three panels each, of one namespace that is chosen above."""
    panels, y = [], 0
    for name, members in rows:
        panels.append({"id": len(panels) + 1, "type": "row", "title": name, "collapsed": False,
                       "gridPos": {"h": 1, "w": 24, "x": 0, "y": y}, "panels": []})
        y += 1
        for index, (label, unit, targets) in enumerate(members):
            panels.append(panel(len(panels) + 1, label, unit, targets, index % 3 * 8, y + index // 3 * 8))
        y += -(-len(members) // 3) * 8
    namespace = {
        "name": "namespace", "type": "query", "datasource": {"type": "prometheus", "uid": "prometheus"},
        "query": 'label_values(up{job="backend"}, namespace)', "refresh": 1,
        "current": {"text": "backend-mainnet", "value": "backend-mainnet"},
    }
    return {
        "uid": f"gx-{uid}", "title": title, "tags": ["gx"], "timezone": "utc", "schemaVersion": 39,
        "refresh": "30s", "time": {"from": "now-6h", "to": "now"}, "editable": False,
        "templating": {"list": [namespace]}, "panels": panels,
    }


def files():
    """Every file with its text."""
    return {
        FOLDER / f"{uid}.json": json.dumps(dashboard(uid, title, rows), indent=1) + "\n"
        for uid, (title, rows) in DASHBOARDS.items()
    }


if __name__ == "__main__":
    for path, text in files().items():
        path.write_text(text)
