#!/bin/sh
# Makes sure that the tests find libfaketime, which lets a process see another time of day: the machine's own, else
# Debian's package unpacked into var/faketime without installing it. Says nothing when it is there.
set -eu
cd "$(dirname "$0")/.."
store=$PWD/var/faketime
root=$store/root
. tools/unpack.sh

give_up() {
    echo "faketime: $1. Install it (Debian and Ubuntu: sudo apt-get install libfaketime) and try again." >&2
    exit 1
}

for library in /usr/lib/*/faketime/libfaketimeMT.so.1 /usr/lib*/faketime/libfaketimeMT.so.1 \
    "$root"/usr/lib/*/faketime/libfaketimeMT.so.1; do
    if [ -e "$library" ]; then exit 0; fi
done
command -v apt-get >/dev/null 2>&1 && command -v dpkg-deb >/dev/null 2>&1 ||
    give_up "there is no libfaketime here and no apt-get to fetch it with"
echo "faketime: unpacking libfaketime into var/faketime for the tests (nothing is installed)"
begin
fetch libfaketime
tidy
