# Unpacks Debian packages under var/ without installing them, which any user may do. Read by the scripts beside it, which
# have `store` and `root` set (where all of it goes, and where the files go) and a function `give_up REASON`.

# begin: an empty store.
begin() {
    rm -rf "$store"
    mkdir -p "$store/packages" "$root"
    export APT_CONFIG="$store/apt.conf"
    printf 'APT::Sandbox::User "%s";\n' "$(id -un)" >"$APT_CONFIG"
}

# tidy: only the unpacked files stay.
tidy() {
    rm -rf "$store/packages" "$store/state" "$store/cache" "$APT_CONFIG"
}

# own_lists: from here on apt keeps its lists in var/, since only root may fetch the machine's.
own_lists() {
    mkdir -p "$store/state/lists/partial" "$store/cache/archives/partial"
    cat >>"$APT_CONFIG" <<END
Dir::State "$store/state";
Dir::State::status "/var/lib/dpkg/status";
Dir::Cache "$store/cache";
END
    apt-get -qq update >/dev/null || give_up "the lists of packages could not be fetched"
}

# fetch PACKAGE: downloads and unpacks one package; when it cannot be had, once more with fresh lists of our own.
fetch() {
    if ! (cd "$store/packages" && apt-get -qq download "$1" >/dev/null 2>&1); then
        [ -d "$store/state" ] || own_lists
        (cd "$store/packages" && apt-get -qq download "$1" >/dev/null) ||
            give_up "the package $1 could not be downloaded"
    fi
    for package in "$store/packages/$1"_*.deb; do dpkg-deb -x "$package" "$root"; done
}
