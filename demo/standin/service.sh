# One service of the stand-in: waits for TERM without using the processor, then leaves the way the real one does.
# Usage: <home>/bin/<prefix>_<service> service.sh <home> <prefix> <service>; descriptor 3 is a pipe nobody writes to.
set -u
if [ -n "${BASH_VERSION-}" ]; then set -o posix; fi  # there bash's read is interrupted by a trapped signal
home=$1 prefix=$2
. "$home/lib/common.sh"
case $3 in
    mgragent) linger=0.1 code=1 ;;
    *) linger=$monagent_linger code=0 ;;
esac

leave() {
    trap '' TERM INT
    sleep "$linger"
    exit "$code"
}

trap leave TERM INT
while :; do read -r _ <&3; done
