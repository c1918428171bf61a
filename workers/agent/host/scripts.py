"""The shell scripts that run on a host. Their text is constant: all input follows as separate words.

They use only what dash, bash and busybox's sh have in common. An agent's process has one of the given names and an
executable under the agent's bin directory. Neither is taken from a pid file, which can be wrong or missing. To read the
executable of every process would cost a fork each, on a host with thousands of processes, so one grep over the names
comes first.
"""

from core.command import Script

MARK = "ocpfleet:"
"""Every line of ours begins with it, so that the greeting of a login script is not taken for output of ours."""

_COMMON = r"""
export LC_ALL=C
fields() { state=$1 start=${20}; }
inspect() {
  { IFS= read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
  name=${stat#*"("} name=${name%")"*}
  fields ${stat##*")"}
  case $state in Z | X | x) return 1 ;; esac
}
proved() {
  exe=$(readlink "/proc/$1/exe" 2>/dev/null) || return 1
  case ${exe%" (deleted)"} in "$bin"/* | "$real"/*) ;; *) return 2 ;; esac
}
resolve() { bin=$1 real=$(cd -P -- "$1" 2>/dev/null && pwd -P) || real=$1; }
"""
# stat's second field is the name in brackets. It may itself hold blanks and brackets, so it is cut at the last one.

_EACH = r"""
elsewhere() {
  argv=
  IFS= read -r argv <"/proc/$1/cmdline"
  case $argv in "$bin"/* | "$real"/*) return 1 ;; /*) return 0 ;; *) return 1 ;; esac
} 2>/dev/null
look() {
  [ -r "/proc/$$/stat" ] || { echo "/proc is not readable" >&2; exit 71; }
  resolve "$1"
  files=$(grep -lsxF -e "$2" -e "$3" -e "$4" /proc/[0-9]*/comm)
  [ $? -le 2 ] || exit 72
  echo "ocpfleet: look"
  [ -r /proc/1/comm ] || echo "ocpfleet: restricted"
  for file in $files; do
    pid=${file#/proc/} pid=${pid%/comm}
    inspect "$pid" || continue
    case $name in "$2" | "$3" | "$4") ;; *) continue ;; esac
    proved "$pid"
    case $? in
      0) echo "ocpfleet: agent $pid $name $state $start $exe" ;;
      1) inspect "$pid" && ! elsewhere "$pid" && echo "ocpfleet: unproved $pid $name $state $start" ;;
    esac
  done
}
look "$@"
"""

LOOK = Script("look at the agent's processes", (_COMMON + _EACH + 'echo "ocpfleet: end"\n').lstrip())
"""Words: the bin directory ("" for any) and three process names. grep also exits with 2 when a process ends meanwhile.

A process with a hidden executable belongs to another agent only where it was called by an absolute path elsewhere:
several users may each have an agent on one host. Any other such process stays unproved.
"""

STOP = Script(
    "look at the agent's processes, stop it, look again",
    (
        _COMMON
        + _EACH
        + r"""
echo "ocpfleet: call"
(unset LC_ALL && exec "$5" stop)
printf '\nocpfleet: status %s\n' "$?"
look "$@"
echo "ocpfleet: end"
"""
    ).lstrip(),
)
"""Words: those of `LOOK`, then the agent's control program. One command and not three, since most of the cost of a
host is what its sshd does for each command. Nothing is stopped where the first look fails."""

SURVEY = Script(
    "survey the agent's processes",
    (
        _COMMON
        + _EACH
        + r"""
for file in $files; do
  pid=${file#/proc/} pid=${pid%/comm}
  inspect "$pid" || continue
  owner=$(stat -c %U "/proc/$pid" 2>/dev/null)
  case $owner in UNKNOWN) owner=$(stat -c %u "/proc/$pid" 2>/dev/null) ;; esac
  argv=$({ tr -c '\041-\176' ' ' <"/proc/$pid/cmdline" | head -c 4000; } 2>/dev/null)
  echo "ocpfleet: about $pid $start ${owner:--} $argv"
done
IFS=' ' read -r uptime _ </proc/uptime
echo "ocpfleet: clock ${uptime%%.*} $(getconf CLK_TCK 2>/dev/null || echo 100)"
echo "ocpfleet: end"
"""
    ).lstrip(),
)
"""Words: those of `LOOK`. Writes what a look writes, and for each process its owner and the words that it was started
with; anything but printable ASCII becomes a blank, so that a line stays a line. Last it writes the host's uptime in
seconds and the clock ticks per second."""

SIGNAL = Script(
    "signal the agent's processes",
    _COMMON
    + r"""
signal=$1
resolve "$2"
shift 2
echo "ocpfleet: signal"
while [ $# -ge 3 ]; do
  if ! inspect "$1" || [ "$name" != "$2" ] || [ "$start" != "$3" ] || ! proved "$1"; then
    echo "ocpfleet: gone $1"
  elif kill -s "$signal" "$1" 2>/dev/null; then
    echo "ocpfleet: sent $1"
  elif inspect "$1"; then
    echo "ocpfleet: refused $1"
  else
    echo "ocpfleet: gone $1"
  fi
  shift 3
done
echo "ocpfleet: end"
""".lstrip(),
)
"""Words: the signal, the bin directory, then pid, name and start time of each process to signal."""
