# The stand-in's supervisor: keeps the services running, and on TERM stops them one after the other.
# Usage: <home>/bin/<prefix>_agentd agentd.sh <home> <prefix>, in a session of its own.
#
# It sleeps in wait or read, which a trapped signal interrupts. The traps only leave notes, as dash loses the exit code
# of what a trap interrupts inside another trap. But a note left between the last look at it and the wait would be
# overlooked; so each trap also has a short sleep started, whose end interrupts that wait soon after: the echo.
set -u
if [ -n "${BASH_VERSION-}" ]; then set -o posix; fi  # there bash's wait is interrupted by CHLD
home=$1 prefix=$2
. "$home/lib/common.sh"
cd "$home" || exit 1
quick_exit_limit=3  # lives shorter than min_live in a row, after which a service is given up
min_live=3          # seconds
agentd_state=running
stop_wanted=no asked=no echo= critical=no missed=no heard=
pid_mgragent=0 state_mgragent=stopped quick_mgragent=0
pid_monagent=0 state_monagent=stopped quick_monagent=0

# record: what status tells. It stands where the real agentd has its socket.
record() {
    printf 'agentd_state=%s\npid_mgragent=%s\nstate_mgragent=%s\npid_monagent=%s\nstate_monagent=%s\n' "$agentd_state" \
        "$pid_mgragent" "$state_mgragent" "$pid_monagent" "$state_monagent" >"run/${prefix}_agentd.$$.sock"
}

# drop PROGRAM PID: removes the pid file that names exactly this process, or the copy a restart made of it.
drop() {
    first_line "run/${prefix}_$1.pid" && [ "$line" = "$2" ] && rm -f "run/${prefix}_$1.pid"
    [ ! -e "run/${prefix}_$1.$2.pid" ] || [ "$1" = agentd ] || rm -f "run/${prefix}_$1.$2.pid"
}

# now: whole seconds since the machine started, in $seconds.
now() {
    read -r seconds _ </proc/uptime
    seconds=${seconds%%.*}
}

# mine PID: it is a child of this agentd and still running.
mine() {
    look "$1" && [ "$parent" = $$ ] && [ "$letter" != Z ]
}

poke() {
    case $echo in '')
        sleep 0.05 &
        echo=$!
        ;;
    esac
}

# on_signal: every trap's work. An echo that has ended is not answered by another one. In here only case decides.
on_signal() {
    case $critical in
        yes) missed=yes ;;
        *)
            echo_line=
            case $echo in ?*) { read -r echo_line <"/proc/$echo/stat"; } 2>/dev/null ;; esac
            case $echo:$echo_line in
                :*) poke ;;
                *: | *') Z '*) echo= ;;
            esac
            ;;
    esac
}

# settled: the end of what no echo may come into; one that was due is made up for.
settled() {
    critical=no
    case $missed in yes)
        missed=no
        poke
        ;;
    esac
}

# background COMMAND...: starts it, its pid in $started. A trap must not start its echo between the two lines.
background() {
    critical=yes
    "$@" &
    started=$!
    settled
}

enter() {
    exec setsid "$home/bin/${prefix}_$1" "$home/lib/service.sh" "$home" "$prefix" "$1" </dev/null \
        >>"log/$1.output.log" 2>&1
}

spawn() {
    background enter "$1"
    echo "$started" >"run/${prefix}_$1.pid"
    now
    eval "pid_$1=$started state_$1=running born_$1=$seconds"
}

# ended SERVICE CODE: what the watchdog does about a service that left by itself.
ended() {
    eval "born=\$born_$1 quick=\$quick_$1"
    now
    if [ $((seconds - born)) -lt "$min_live" ]; then quick=$((quick + 1)); else quick=0; fi
    eval "quick_$1=$quick"
    if [ "$2" = 0 ] || [ "$quick" -ge "$quick_exit_limit" ]; then
        eval "drop $1 \$pid_$1; state_$1=stopped"
    else
        spawn "$1"
    fi
}

# exit_code PID: of a child that has ended, in $code. A signal may have interrupted the first wait; and what rest has
# waited for may be forgotten since.
exit_code() {
    critical=yes
    wait "$1"
    code=$?
    if [ "$code" -gt 128 ]; then
        wait "$1"
        second=$?
        [ "$second" = 127 ] || code=$second
    fi
    if [ "$code" = 127 ] && [ "${heard%:*}" = "$1" ]; then code=${heard#*:}; fi
    settled
}

# look_after: asks all services for their exit codes first, since starting a process makes the shell forget them.
look_after() {
    gone=
    for service in $services; do
        eval "pid=\$pid_$service state=\$state_$service"
        [ "$state" = running ] || continue
        mine "$pid" && continue
        exit_code "$pid"
        gone="$gone $service:$code"
    done
    for service in $gone; do ended "${service%:*}" "${service#*:}"; done
    [ -z "$gone" ] || record
}

stop_service() {
    eval "pid=\$pid_$1 state=\$state_$1"
    [ "$state" = running ] || return 0
    # It is asked for its status first where all are stopped, and never answers.
    if [ "${2-}" = query ] && look "$pid" && [ "$letter" = T ]; then sleep "$query_wait"; fi
    kill -TERM "$pid" 2>/dev/null
    drop "$1" "$pid"
    background sleep "$final_wait"
    timer=$started
    while mine "$pid" && mine "$timer"; do wait "$pid"; done
    if mine "$pid"; then
        kill -KILL "$pid"
        sleep "$notice"
    else
        kill "$timer" 2>/dev/null
    fi
    eval "state_$1=stopped"
    record
}

stop() {
    agentd_state=stopping
    record
    for service in $services; do stop_service "$service" query; done
    rm -f "run/${prefix}_agentd.$$.sock"
    drop agentd $$
    exit 0
}

# serve: does what control programs have asked for, and says so by removing the file. Like the real agentd it does not
# see whether a service that it is to start runs already.
serve() {
    asked=no
    for file in run/.ask.*; do
        case $file in *.new) continue ;; esac
        first_line "$file" || continue
        case $line in
            'stop '*) stop_service "${line#* }" ;;
            'start '*) spawn "${line#* }" ;;
        esac
        record
        rm -f "$file"
    done
}

# rest: until a signal comes. A wait for all children would make dash forget the exit codes of those that have ended.
rest() {
    for service in $services; do
        eval "pid=\$pid_$service state=\$state_$service"
        [ "$state" = running ] || continue
        wait "$pid"
        heard=$pid:$?
        return
    done
    read -r _ <&3
}

# sweep: removes what agentds that are gone have left in run/.
sweep() {
    for file in run/"${prefix}"_*.*.pid run/"${prefix}"_*.*.sock; do
        owner=${file%.*}
        owner=${owner##*.}
        if [ -e "$file" ] && ! lives "$owner"; then rm -f "$file"; fi
    done
}

# launch SERVICE: an orphan of an earlier agentd is told to leave, but its pid file blocks the new one for good.
launch() {
    if first_line "run/${prefix}_$1.pid" && runs "$line" "${prefix}_$1"; then
        first_line "run/${prefix}_$1.pid"
        kill -TERM "$line"
    else
        spawn "$1"
    fi
}

if first_line "run/${prefix}_agentd.pid" && lives "$line"; then
    echo "the pid file names a live process: $line" >&2
    exit 1
fi
printf '%s' $$ >"run/${prefix}_agentd.pid"
sweep
mkfifo "run/.idle.$$" && exec 3<>"run/.idle.$$" && rm -f "run/.idle.$$" || exit 1
trap 'stop_wanted=yes; on_signal' TERM INT
trap 'asked=yes; on_signal' USR1
trap on_signal CHLD
for service in $services; do launch "$service"; done
record
while :; do
    [ "$stop_wanted" = no ] || stop
    [ "$asked" = no ] || serve
    look_after
    rest
done
