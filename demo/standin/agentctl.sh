#!/bin/sh
# The stand-in's control program: what callers see is meant to be the same as with the real one.
# Usage: <home>/bin/<prefix>_agentctl start|stop|restart|status|version, or service start|stop NAME. The home is two levels above the path that it
# was called by, so a symbolic link elsewhere does not work. One line per call goes to <home>/log/commands.log.
set -u
case $0 in
    /*) bin=${0%/*} ;;
    *) bin=$(cd "$(dirname "$0")" && pwd) ;;
esac
home=${bin%/*} program=${0##*/}
prefix=${program%_agentctl}
verb=${1-}
version=4.2.2-standin
lock=$home/run/admin.lock
pid_file=$home/run/${prefix}_agentd.pid
locked=no
logged=no

note() {
    stamp=$(date +%s%3N)
    { printf '%s %s %s %s %s\n' "$stamp" $$ "$1" "$verb" "${OCPFLEET_CLAIM:--}" >>"$home/log/commands.log"; } 2>/dev/null ||
        printf 'write log failed: open %s/log/commands.log\n' "$home" >&2
}

# leave: gives the lock back and notes the end before anything is printed, as nobody may be reading any more.
leave() {
    [ "$locked" = no ] || rm -f "$lock"
    [ "$logged" = no ] || note end
}

# succeed JSON, fail TEXT (already escaped for JSON): the only two ways out.
succeed() {
    leave
    printf '{"successful":true,"message":%s,"error":""}' "$1"
    exit 0
}

fail() {
    leave
    printf '{"successful":false,"message":null,"error":"%s"}' "$1" >&2
    exit 255
}

# fail_agent CODE KIND DETAIL [CAUSE], in the grammar of the real program's errors.
fail_agent() {
    fail "Module=agent, kind=$2, code=$1; $3${4:+\\ncause:\\n$4}"
}

fail_api() {
    fail "Module=api/client, kind=INTERNAL, code=api_request_failed; api /api/v1/status\\ncause:\\n$1"
}

refuse_lock() {
    fail_agent fetch_admin_lock_failed INTERNAL "[$lock]" "open $lock: $1"
}

# clean_lock: removes a lock whose owner is gone. An empty one is given a moment: it may be just being written.
clean_lock() {
    first_line "$lock" || return 0
    if [ -z "$line" ]; then
        sleep 0.2
        first_line "$lock" || return 0
    fi
    owner=${line#*\"pid\":}
    owner=${owner%%[!0-9]*}
    if [ -z "$owner" ]; then
        rm -f "$lock"
        fail_agent clean_dangling_admin_lock_failed INTERNAL "[$lock]" "remove $lock: no such file or directory"
    fi
    if runs "$owner" "$program"; then refuse_lock "file exists"; fi
    rm -f "$lock"
}

take_lock() {
    [ -d "$home/run" ] || refuse_lock "no such file or directory"
    [ -w "$home/run" ] || refuse_lock "permission denied"
    [ ! -e "$lock" ] || clean_lock
    set -C  # the shell then opens with O_EXCL
    { printf '{"pid":%s,"exe":"%s"}' $$ "$bin/$program" >"$lock"; } 2>/dev/null || refuse_lock "file exists"
    set +C
    locked=yes
}

# read_pid: agentd's pid in $agentd, from its pid file.
read_pid() {
    first_line "$pid_file" ||
        fail_agent read_pid_failed INTERNAL "[$pid_file]" "open $pid_file: no such file or directory"
    case $line in
        '' | *[!0-9]*)
            fail_agent read_pid_failed INTERNAL "[$pid_file]" "strconv.Atoi: parsing \\\"$line\\\": invalid syntax"
            ;;
    esac
    agentd=$line
}

# terminate PID: TERM, then a look once per poll; it never sends KILL.
terminate() {
    if ! kill -TERM "$1" 2>/dev/null && runs "$1" "${prefix}_agentd"; then fail "operation not permitted"; fi
    polls=0
    while [ "$polls" -lt "$exit_polls" ]; do
        sleep "$poll"
        runs "$1" "${prefix}_agentd" || return 0
        polls=$((polls + 1))
    done
    fail_agent wait_for_exit_timeout DEADLINE_EXCEEDED ""
}

stop() {
    [ -e "$pid_file" ] || return 0
    read_pid
    ! runs "$agentd" "${prefix}_agentd" || terminate "$agentd"
}

# ready PID: both services run, and this agentd says that they are its own.
ready() {
    state_mgragent='' state_monagent=''
    if [ -e "$home/run/${prefix}_agentd.$1.sock" ]; then . "$home/run/${prefix}_agentd.$1.sock"; fi
    [ "$state_mgragent" = running ] && runs "$pid_mgragent" "${prefix}_mgragent" &&
        [ "$state_monagent" = running ] && runs "$pid_monagent" "${prefix}_monagent"
}

# launch: a new agentd in a session of its own, its output in log/, so that nothing of it holds the caller's channel.
launch() {
    setsid "$bin/${prefix}_agentd" "$home/lib/agentd.sh" "$home" "$prefix" </dev/null \
        >>"$home/log/agentd.out.log" 2>>"$home/log/agentd.err.log" &
    launched=$!
    polls=0
    while [ "$polls" -lt "$exit_polls" ]; do
        sleep "$poll"
        if ! look "$launched" || [ "$letter" = Z ]; then fail_agent agentd_exited_quickly INTERNAL "[$launched]"; fi
        if ready "$launched"; then return 0; fi
        polls=$((polls + 1))
    done
    fail_agent wait_for_ready_timeout DEADLINE_EXCEEDED ""
}

start() {
    if first_line "$pid_file" && runs "$line" "${prefix}_agentd"; then return 0; fi
    launch
}

# restart: the new agentd comes up before the old one goes; the old pid files are put aside meanwhile.
restart() {
    first_line "$pid_file"
    old=$line
    if ! runs "$old" "${prefix}_agentd"; then
        launch
        return
    fi
    for name in agentd $services; do
        first_line "$home/run/${prefix}_$name.pid" || continue
        mv "$home/run/${prefix}_$name.pid" "$home/run/${prefix}_$name.$line.pid"
    done
    launch
    terminate "$old"
}

# started PID: when it started, in nanoseconds since the epoch, in $started.
started() {
    while read -r key booted _; do [ "$key" != btime ] || break; done </proc/stat
    look "$1"
    set -- $stat_line
    started=$((booted * 1000000000 + ${20} * 10000000))
}

# describe SERVICE PID STATE PORT: its part of the status document in $document.
describe() {
    shown=$3 ports=null shown_version= service_started=0
    if [ "$3" = running ]; then
        if runs "$2" "${prefix}_$1"; then
            if [ "$letter" = T ]; then sleep "$query_wait"; shown=unknown; fi
            if [ ! -e "$home/run/${prefix}_$1.pid" ]; then shown=unknown; fi
            started "$2"
            service_started=$started shown_version=$version ports="[$4]"
        else
            shown=stopped
        fi
    fi
    [ "$shown" = running ] || ready=false
    document=$(printf '"%s":{"state":"%s","version":"%s","pid":%s,"startAt":%s,"ports":%s,"socket":"%s","endAt":%s}' \
        "${prefix}_$1" "$shown" "$shown_version" "$2" "$service_started" "$ports" \
        "$home/run/${prefix}_$1.$2.sock" -6795364578871345152)
}

status() {
    reach
    if [ "$letter" = T ]; then
        sleep "$request_wait"
        fail_api "context deadline exceeded"
    fi
    agentd_state=unknown pid_mgragent=0 state_mgragent=unknown pid_monagent=0 state_monagent=unknown ready=true
    . "$socket"
    describe mgragent "$pid_mgragent" "$state_mgragent" 62888
    both=$document
    describe monagent "$pid_monagent" "$state_monagent" 62889
    both="$both,$document"
    [ "$agentd_state" = running ] || ready=false
    started "$agentd"
    succeed "$(printf '{"state":"%s","ready":%s,"version":"%s","pid":%s,"socket":"%s","services":{%s},%s,"startAt":%s}' \
        "$agentd_state" "$ready" "$version" "$agentd" "$socket" "$both" '"dangling":null' "$started")"
}

# reach: agentd's pid in $agentd; fails as every request to its socket does where there is none.
reach() {
    read_pid
    socket=$home/run/${prefix}_agentd.$agentd.sock
    [ -e "$socket" ] || fail_api "dial unix $socket: connect: no such file or directory"
    runs "$agentd" "${prefix}_agentd" || fail_api "dial unix $socket: connect: connection refused"
}

# serve VERB NAME: has agentd start or stop a service. agentd's yes has no result, which the program takes for a fault.
serve() {
    reach
    request=/api/v1/${1}Service
    case $2 in
        "${prefix}_mgragent" | "${prefix}_monagent") ;;
        *)
            fail "Module=api/client, kind=INTERNAL, code=api_request_got_fail_result; api $request\\ncause:\\n$(
                printf 'Module=agentd, kind=NOT_FOUND, code=service_not_round; service %s' "$2"
            )"
            ;;
    esac
    ask=$home/run/.ask.$$
    { printf '%s %s\n' "$1" "${2#"${prefix}_"}" >"$ask.new"; } 2>/dev/null && mv "$ask.new" "$ask" &&
        kill -USR1 "$agentd" 2>/dev/null || fail_api "dial unix $socket: connect: permission denied"
    sleep "$request_wait" &
    timer=$!
    while [ -e "$ask" ] && kill -0 "$timer" 2>/dev/null; do sleep 0.05; done
    kill "$timer" 2>/dev/null
    if [ -e "$ask" ]; then
        rm -f "$ask"
        fail_api "context deadline exceeded"
    fi
    answer='{\"successful\":true,\"timestamp\":\"\",\"duration\":0,\"status\":200,\"traceId\":\"\",\"server\":\"\"}'
    fail "Module=api/client, kind=INTERNAL, code=decode_result_failed; api $request, decode resp $answer\\ncause:\\n$(
        printf 'unexpected end of JSON input'
    )"
}

case $verb in
    '' | -h | --help | help)
        echo "Usage: $program start|stop|restart|status|version|service"
        exit 0
        ;;
    start | stop | restart | status | version) ;;
    service)
        case ${2-} in
            start | stop) verb=service-$2 ;;
            '')
                echo "Usage: $program service start|stop NAME"
                exit 0
                ;;
            *)
                echo "Error: unknown command \"$2\" for \"$program service\"" >&2
                exit 1
                ;;
        esac
        ;;
    *)
        echo "Error: unknown command \"$verb\" for \"$program\"" >&2
        exit 1
        ;;
esac
[ -r "$home/conf/agentctl.yaml" ] || fail "open $home/conf/agentctl.yaml: no such file or directory"
. "$home/lib/common.sh"
logged=yes
note start
case $verb in
    status) status ;;
    service-*)
        [ -n "${3-}" ] || fail "missing service name"
        serve "${verb#service-}" "$3"
        ;;
    version) succeed "\"$version\"" ;;
    *)
        take_lock
        "$verb"
        succeed '"ok"'
        ;;
esac
