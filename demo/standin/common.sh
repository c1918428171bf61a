# What the stand-in's programs share. They set home and prefix before they read this file.
# Nothing here starts a process: everything is read from /proc by the shell itself.

services="mgragent monagent"
. "$home/conf/standin.conf"

# first_line FILE: its first line in $line, also where the newline is missing; fails when it cannot be read.
first_line() {
    line=
    { read -r line <"$1"; } 2>/dev/null || [ -r "$1" ]
}

# look PID: its state letter in $letter and its parent in $parent; fails when there is no such process.
look() {
    { read -r stat_line <"/proc/$1/stat"; } 2>/dev/null || return 1
    stat_line=${stat_line##*) }
    letter=${stat_line%% *}
    parent=${stat_line#* }
    parent=${parent%% *}
}

# lives PID: it exists and is no zombie. Where heed_zombies says so, a zombie lives too, as for the real program.
lives() {
    case $1 in '' | *[!0-9]*) return 1 ;; esac
    look "$1" || return 1
    case $letter in [ZX]) [ "$heed_zombies" = yes ] ;; esac
}

# runs PID NAME: it lives and is called NAME.
runs() {
    lives "$1" && first_line "/proc/$1/comm" && [ "$line" = "$2" ]
}
