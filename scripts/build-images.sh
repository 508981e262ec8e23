#!/usr/bin/env bash
# Builds the images of the actions: faassim-python:plain, :ai and :ai-video, each upon the one before. Leaves alone what
# is up to date, and all other images.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
    cat <<'END'
usage: scripts/build-images.sh [options]
  --from-debian    no image registry is needed: the base is made by debootstrap, the rest is Debian's packages
                   (as root, with debootstrap; environment MIRROR: where the packages come from)
  --only FLAVOUR   plain, ai or ai-video, and what it is built upon
  --force          build again what is up to date, too
  --help           this text
END
}

suite=bookworm
registry_base=python:3.12-slim
debian_base=faassim-debian-base
packages=pip only=ai-video force=""

say() { printf '%s\n' "$*"; }
die() { printf 'build-images.sh: %s\n' "$*" >&2; exit 1; }

while [ $# -gt 0 ]; do
    case $1 in
        --from-debian) packages=debian ;;
        --only) only=${2:-}; shift ;;
        --force) force=yes ;;
        --help | -h) usage; exit 0 ;;
        *) usage >&2; die "unknown option $1" ;;
    esac
    shift || break
done
case $only in plain | ai | ai-video) ;; *) usage >&2; die "there is no flavour '$only'" ;; esac

command -v docker >/dev/null || die "docker is missing: install Docker Engine (apt-get install docker.io)"
docker version >/dev/null 2>&1 || die "no Docker engine answers: start it, or join the group docker (docker version)"

work=$(mktemp -d)
trap 'rm -rf --one-file-system "$work"' EXIT
trap 'exit 130' INT TERM

# ----- what is there -----

hash_of() { sha256sum | cut -d ' ' -f 1; }
id_of() { docker image inspect --format '{{.Id}}' "$1" 2>/dev/null || true; }
recipe_of() { docker image inspect --format '{{index .Config.Labels "faassim.recipe"}}' "$1" 2>/dev/null || true; }
size_of() { docker image inspect --format '{{.Size}}' "$1" | awk '{ printf "%.0f MB", $1 / 1e6 }'; }
is_current() { [ -z "$force" ] && [ "$(recipe_of "$1")" = "$2" ]; }

# ----- the base -----

# The proxy and the mirror that this machine's apt is set up with.
proxy() { apt-config dump 2>/dev/null | sed -n 's/^Acquire::http::Proxy "\(.*\)";$/\1/p' | head -n 1; }
# shellcheck disable=SC2016 # the format is for apt, not for the shell
mirror() {
    local found
    found=${MIRROR:-$(apt-get indextargets --format '$(CODENAME) $(SITE)' 'Created-By: Packages' 2>/dev/null |
        awk -v suite=$suite '$1 == suite { print $2; exit }' || true)}
    echo "${found:-http://deb.debian.org/debian}"
}

# Debian with python, without what nobody reads in a container; its text is its recipe.
make_root() {
    local root=$1
    debootstrap --variant=minbase --include=python3 $suite "$root" "$(mirror)" || return 1
    cat > "$root/etc/dpkg/dpkg.cfg.d/faassim" <<'END'
path-exclude=/usr/share/doc/*
path-exclude=/usr/share/man/*
path-exclude=/usr/share/info/*
path-exclude=/usr/share/locale/*
END
    rm -rf "$root"/usr/share/{doc,man,info,locale}/* "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/* \
        "$root"/var/cache/debconf/*-old "$root"/var/log/* "$root"/debootstrap
    : > "$root/etc/resolv.conf"
    : > "$root/etc/hostname"
}

make_debian_base() {
    local recipe
    recipe=$({ echo $suite; declare -f make_root; } | hash_of)
    if is_current "$debian_base" "$recipe"; then
        say "$debian_base: up to date ($(size_of $debian_base))"
        return
    fi
    command -v debootstrap >/dev/null ||
        die "debootstrap is missing: apt-get install debootstrap debian-archive-keyring"
    [ "$(id -u)" = 0 ] || die "debootstrap must run as root: sudo scripts/build-images.sh --from-debian"
    say "$debian_base: building it from $(mirror) ($suite) ..."
    http_proxy=${http_proxy:-$(proxy)} make_root "$work/root" > "$work/log" 2>&1 ||
        { tail -n 20 "$work/log" >&2; die "debootstrap failed: is $(mirror) reachable? (MIRROR=... names another one)"; }
    tar -C "$work/root" --numeric-owner -c . |
        docker import --change "LABEL faassim.recipe=$recipe" - "$debian_base" >/dev/null
    rm -rf --one-file-system "$work/root"
    say "$debian_base: built ($(size_of $debian_base))"
}

pull_registry_base() {
    [ -n "$(id_of "$registry_base")" ] && return
    docker pull "$registry_base" ||
        die "the image registry does not give $registry_base; without one: scripts/build-images.sh --from-debian"
}

# ----- the flavours -----

versions() {
    docker run --rm --network none "$1" python3 -c '
import platform, shutil, subprocess
told = ["python " + platform.python_version()]
for name in ("numpy", "PIL"):
    try:
        told.append(name + " " + __import__(name).__version__)
    except ImportError:
        pass
if shutil.which("ffmpeg"):
    told.append(" ".join(subprocess.run(["ffmpeg", "-version"], capture_output=True, text=True).stdout.split()[0:3:2]))
print(", ".join(told))'
}

old=""
# build FLAVOUR BASE RECIPE-OF-BASE FILE...: the image of a flavour; its recipe is left in $recipe.
build() {
    local image=faassim-python:$1 base=$2 upon=$3 before
    local dockerfile=actions/images/$1.Dockerfile
    shift 3
    recipe=$({ echo "$upon $packages"; cat "$dockerfile" "$@"; } | hash_of)
    if is_current "$image" "$recipe"; then
        say "$image: up to date ($(size_of "$image"))"
        return
    fi
    say "$image: building it upon $base ..."
    before=$(id_of "$image")
    local arguments=(--file "$dockerfile" --tag "$image" --label "faassim.recipe=$recipe"
        --build-arg "BASE=$base" --build-arg "http_proxy=${http_proxy:-$(proxy)}")
    # Without --no-cache an install step of yesterday is taken as it was.
    [ -z "$force" ] || arguments+=(--no-cache)
    [ "$dockerfile" != actions/images/ai.Dockerfile ] || arguments+=(--build-arg "PACKAGES=$packages")
    docker build "${arguments[@]}" actions > "$work/log" 2>&1 ||
        { tail -n 20 "$work/log" >&2; die "$image cannot be built; has a build network access? (docker build above)"; }
    [ -z "$before" ] || [ "$before" = "$(id_of "$image")" ] || old="$before $old"
    say "$image: built ($(size_of "$image"); $(versions "$image"))"
}

if [ $packages = debian ]; then
    make_debian_base
    base=$debian_base upon=$(recipe_of $debian_base)
else
    pull_registry_base
    base=$registry_base upon=$registry_base
fi
build plain "$base" "$upon" actions/runtime/server.py
if [ "$only" != plain ]; then
    build ai faassim-python:plain "$recipe" actions/images/requirements-ai.txt
fi
if [ "$only" = ai-video ]; then
    build ai-video faassim-python:ai "$recipe"
fi
# What the new images have taken the names of, unless something still uses it.
for id in $old; do
    docker image rm "$id" >/dev/null 2>&1 || true
done
