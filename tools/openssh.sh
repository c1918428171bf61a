#!/bin/sh
# Makes sure that the tests find a real OpenSSH server: the machine's own; else, as root, Debian's package; else that
# package unpacked into var/openssh without installing it, which any user may do. Says nothing when all is there.
# TEST_SSHD_UNPACK=1 goes the last way whatever the machine has.
set -eu
cd "$(dirname "$0")/.."
store=$PWD/var/openssh
root=$store/root
. tools/unpack.sh
sshd=$root/usr/sbin/sshd
force=${TEST_SSHD_UNPACK:-}

give_up() {
    echo "openssh: $1. Install an OpenSSH server (Debian and Ubuntu: sudo apt-get install openssh-server) and try again." >&2
    exit 1
}

installed() {
    [ -z "$force" ] || return 1
    [ -x /usr/sbin/sshd ] || [ -x /usr/local/sbin/sshd ] || command -v sshd >/dev/null 2>&1
}

# libraries: the folders of the unpacked libraries, joined by colons.
libraries() {
    find "$root" -name '*.so*' ! -type d -exec dirname {} \; | sort -u | paste -s -d : -
}

# missing: the shared libraries that the unpacked sshd still lacks.
missing() {
    for program in "$sshd" "$root"/usr/lib/openssh/sshd-*; do
        [ ! -x "$program" ] || LD_LIBRARY_PATH=$(libraries) ldd "$program" | sed -n 's/^[[:space:]]*\([^ ]*\) => not found.*/\1/p'
    done | sort -u
}

unpacked() {
    [ -x "$sshd" ] && [ -z "$(missing)" ]
}

# install: as root. A server that the package starts would be in the way of nobody's tests and of everybody's ports.
install() {
    policy=/usr/sbin/policy-rc.d
    made=
    if [ ! -e "$policy" ]; then
        made=$policy
        trap 'rm -f "$made"' EXIT
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
    fi
    echo "openssh: installing openssh-server for the tests (it is not started)"
    apt-get update -qq || give_up "apt-get update failed"
    said=$(DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends openssh-server 2>&1) || {
        echo "$said" >&2
        give_up "apt-get could not install openssh-server"
    }
    if [ -n "$made" ]; then rm -f "$made"; fi
}

# package_of LIBRARY: Debian names a library's package after its soname: libwrap.so.0 is in libwrap0. A name that ends
# in a digit gets a dash before the version, and those rebuilt for 64-bit time have t64 at the end.
package_of() {
    name=${1%%.so*}
    major=${1##*.so.}
    case $name in *[0-9]) name=$name- ;; esac
    plain=$(printf '%s%s' "$name" "$major" | tr '[:upper:]_' '[:lower:]-')
    if apt-cache show "${plain}t64" >/dev/null 2>&1; then echo "${plain}t64"; else echo "$plain"; fi
}

unpack() {
    command -v apt-get >/dev/null 2>&1 && command -v dpkg-deb >/dev/null 2>&1 ||
        give_up "there is no sshd here and no apt-get to fetch one with"
    echo "openssh: unpacking openssh-server into var/openssh for the tests (nothing is installed)"
    begin
    fetch openssh-server
    rounds=0
    while [ -n "$(missing)" ] && [ "$rounds" -lt 3 ]; do
        for library in $(missing); do fetch "$(package_of "$library")"; done
        rounds=$((rounds + 1))
    done
    unpacked || give_up "the unpacked sshd still lacks $(missing | paste -s -d ' ' -)"
    tidy
}

if installed || unpacked; then exit 0; fi
if [ "$(id -u)" = 0 ] && [ -z "$force" ] && command -v apt-get >/dev/null 2>&1; then install; else unpack; fi
