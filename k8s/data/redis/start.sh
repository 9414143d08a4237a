#!/bin/bash
# Starts Redis or Sentinel of this pod: start.sh redis | sentinel. Both speak TLS alone, and
# know their users by hashes of the files $PASSWORDS/<user>. The Sentinels say who the
# primary is; where none answers this is the first start, and $FIRST is the primary.
set -euo pipefail
ROLE=$1
STATE=${STATE:-/data} RUN=${RUN:-/run/redis} PASSWORDS=${PASSWORDS:-/etc/redis-passwords}
TLS=${TLS:-/etc/redis-tls} CA=${CA:-/etc/redis-ca/ca.crt}
ME=${ME:-$(hostname).redis-headless} FIRST=${FIRST:-redis-0.redis-headless}
PORT=${PORT:-6379} SENTINEL_PORT=${SENTINEL_PORT:-26379}
FIRST_PORT=${FIRST_PORT:-$PORT} SENTINELS=${SENTINELS:-redis-0.redis-headless:26379 redis-1.redis-headless:26379 redis-2.redis-headless:26379}
QUORUM=${QUORUM:-2}
umask 0077

hash() { printf %s "$(< "$PASSWORDS/$1")" | sha256sum | cut -d' ' -f1; }

case $ROLE in
  redis)
    # Nobody is `default`, whom Redis asks all the same as it reads transactions in its AOF: without rights
    # it would leave them out.
    cat > "$RUN/redis.acl" <<END
user default off ~* &* +@all
user gx on #$(hash gx) ~gx* &gx* -@all +@connection +get +set +time +eval +evalsha +script|load +publish +subscribe +unsubscribe +role
user replica on #$(hash replica) -@all +@connection +psync +replconf
user sentinel on #$(hash sentinel) allchannels -@all +@connection +multi +exec +replicaof +slaveof +role +info +publish +subscribe +config|rewrite +script|kill +client
user monitor on #$(hash monitor) -@all +@connection +info +latency +slowlog|get +slowlog|len +config|get +dbsize
user backup on #$(hash backup) -@all +@connection +psync +sync +replconf +info
END
    ;;
  sentinel)
    cat > "$RUN/sentinel.acl" <<END
user default off
user gx on #$(hash gx) -@all +@connection +role +subscribe +sentinel|get-master-addr-by-name +sentinel|master +sentinel|masters +sentinel|replicas +sentinel|sentinels
user sentinel on #$(hash sentinel) allchannels +@all
END
    ;;
esac

common() {
  cat <<END
port 0
tls-port $1
tls-cert-file $TLS/tls.crt
tls-key-file $TLS/tls.key
tls-ca-cert-file $CA
tls-auth-clients no
tls-replication yes
aclfile $RUN/$ROLE.acl
dir $2
protected-mode no
END
}

# The primary as a Sentinel knows it, as "host port".
primary() {
  local one answer
  for one in $SENTINELS; do
    answer=$(REDISCLI_AUTH=$(< "$PASSWORDS/sentinel") timeout 3 redis-cli --tls --cacert "$CA" --user sentinel \
      -h "${one%:*}" -p "${one#*:}" sentinel get-master-addr-by-name gx 2> /dev/null | tr '\n' ' ') || continue
    [[ $answer != *" "*[0-9]* ]] || { echo "${answer% }"; return; }
  done
  echo "$FIRST $FIRST_PORT"
}

# A copy that is to be restored becomes the base of the AOF: with that on, Redis reads nothing else,
# and would begin empty beside a dump.rdb.
restore() {
  local base=appendonly.aof.1.base.rdb
  rm -rf "$STATE/restoring" && mkdir "$STATE/restoring"
  cp "$STATE/restore.rdb" "$STATE/restoring/$base"
  echo "file $base seq 1 type b" > "$STATE/restoring/appendonly.aof.manifest"
  rm -rf "$STATE/appendonlydir" && mv "$STATE/restoring" "$STATE/appendonlydir"
  rm "$STATE/restore.rdb"
}

read -r host port < <(primary)
case $ROLE in
  redis)
    [[ ! -e $STATE/restore.rdb ]] || restore
    {
      common "$PORT" "$STATE"
      cat <<END
replica-announce-ip $ME
replica-announce-port $PORT
masteruser replica
masterauth $(< "$PASSWORDS/replica")
appendonly yes
appendfsync everysec
save 900 1
repl-diskless-sync-delay 0
maxmemory 768mb
maxmemory-policy allkeys-lru
min-replicas-max-lag 10
END
      [[ $host == "$ME" && $port == "$PORT" ]] || echo "replicaof $host $port"
    } > "$RUN/redis.conf"
    exec redis-server "$RUN/redis.conf"
    ;;
  sentinel)
    {
      common "$SENTINEL_PORT" "$RUN"
      cat <<END
sentinel resolve-hostnames yes
sentinel announce-hostnames yes
sentinel announce-ip $ME
sentinel announce-port $SENTINEL_PORT
sentinel sentinel-user sentinel
sentinel sentinel-pass $(< "$PASSWORDS/sentinel")
sentinel monitor gx $host $port $QUORUM
sentinel auth-user gx sentinel
sentinel auth-pass gx $(< "$PASSWORDS/sentinel")
sentinel down-after-milliseconds gx ${DOWN_MS:-5000}
sentinel failover-timeout gx ${FAILOVER_MS:-30000}
sentinel parallel-syncs gx 1
END
    } > "$RUN/sentinel.conf"
    exec redis-sentinel "$RUN/sentinel.conf"
    ;;
esac
