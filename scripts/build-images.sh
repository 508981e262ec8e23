#!/usr/bin/env bash
# Builds the images in which live mode runs python actions: faassim-python:plain, :ai and :ai-video.
# Owns their recipes; must never rebuild what is up to date, nor leave a half-made image behind.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
    cat <<'END'
usage: scripts/build-images.sh [--from-debian] [--only FLAVOUR] [--force]

Builds faassim-python:plain (python and the runtime server), faassim-python:ai (also numpy and Pillow) and
faassim-python:ai-video (also ffmpeg). What is up to date is left alone.

  --from-debian   make the base from Debian packages (debootstrap, docker import), where no registry
                  can be reached; needs root
  --only FLAVOUR  build no more than this one (plain, ai, ai-video) and what it is based on
  --force         build also what is up to date

PYTHON  version of the official image [3.12-slim]
SUITE   Debian release [bookworm]
MIRROR  Debian mirror [http://deb.debian.org/debian]
END
}

say() { printf '%s\n' "$*"; }
fail() { printf 'error: %s\n' "$1" >&2; [ $# -lt 2 ] || printf '  help: %s\n' "$2" >&2; exit "${3:-1}"; }

from=slim only=ai-video force=no
while [ $# -gt 0 ]; do
    case $1 in
        --from-debian) from=debian ;;
        --only) [ $# -gt 1 ] || fail "--only needs a flavour" "plain, ai or ai-video" 2; only=$2; shift ;;
        --force) force=yes ;;
        -h | --help) usage; exit 0 ;;
        *) usage >&2; fail "unknown option $1" "see above" 2 ;;
    esac
    shift
done
case $only in
    plain) flavours=(plain) ;;
    ai) flavours=(plain ai) ;;
    ai-video) flavours=(plain ai ai-video) ;;
    *) fail "there is no flavour \`$only\`" "plain, ai or ai-video" 2 ;;
esac

command -v docker >/dev/null || fail "docker is missing" "install it (apt-get install docker.io), or use --backend process"
docker version >/dev/null 2>&1 || fail "no Docker engine answers" "start it, set DOCKER_HOST, or join the group docker"

PYTHON=${PYTHON:-3.12-slim} SUITE=${SUITE:-bookworm} MIRROR=${MIRROR:-http://deb.debian.org/debian}

# What a flavour adds, as Debian packages.
packages() {
    case $1 in
        plain) say python3 ;;
        ai) say python3-numpy python3-pil ;;
        ai-video) say ffmpeg ;;
    esac
}

# A checksum of everything an image is made from.
recipe() {
    {
        say "$1 $2 $PYTHON $SUITE"
        cat actions/images/*.Dockerfile actions/images/requirements.txt
        for flavour in "${flavours[@]}"; do
            packages "$flavour"
            [ "$flavour" != "$2" ] || break
        done
        [ "$1" != server ] || { say "$from"; cat actions/runtime/server.py; }
    } | sha256sum | cut -d' ' -f1
}

is_there() { # IMAGE RECIPE
    [ "$force" = no ] &&
        [ "$(docker image inspect --format '{{index .Config.Labels "faassim.recipe"}}' "$1" 2>/dev/null)" = "$2" ]
}

work=
root=
clean() {
    [ -z "$root" ] || { umount "$root/proc" 2>/dev/null || true; }
    [ -z "$work" ] || rm -rf "$work"
}
trap clean EXIT

# A Debian in a folder, with the packages of all flavours up to this one.
debian() { # FLAVOUR
    [ "$(id -u)" = 0 ] || fail "--from-debian needs root: it makes a Debian in a folder" "sudo scripts/build-images.sh --from-debian"
    command -v debootstrap >/dev/null || fail "debootstrap is missing" "apt-get install debootstrap"
    if [ -z "$root" ]; then
        work=$(mktemp -d)
        root=$work/root
        say "making a Debian $SUITE from $MIRROR (about a minute)"
        debootstrap --variant=minbase "$SUITE" "$root" "$MIRROR" >"$work/log" 2>&1 ||
            { tail -5 "$work/log" >&2; fail "debootstrap failed" "is $MIRROR reachable? MIRROR names another"; }
        # The machine's own way to its packages.
        for file in /etc/resolv.conf /etc/apt/apt.conf.d/*proxy*; do
            [ ! -f "$file" ] || install -Dm644 "$file" "$root$file"
        done
        mount -t proc proc "$root/proc"
        installed=
    fi
    for flavour in "${flavours[@]}"; do
        case " $installed " in *" $flavour "*) ;; *)
            say "installing $(packages "$flavour")"
            # shellcheck disable=SC2046  # one word a package
            DEBIAN_FRONTEND=noninteractive chroot "$root" sh -c 'apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@"' sh \
                $(packages "$flavour") >"$work/log" 2>&1 ||
                { tail -5 "$work/log" >&2; fail "$(packages "$flavour") cannot be installed" "is $MIRROR reachable from a chroot?"; }
            installed="$installed $flavour"
        ;; esac
        [ "$flavour" != "$1" ] || break
    done
    docker import --change "LABEL faassim.recipe=$2" - "$3" >/dev/null < <(
        tar -C "$root" --exclude='./proc/*' --exclude='./var/cache/apt/*' --exclude='./var/lib/apt/lists/*' \
            --exclude='./usr/share/doc/*' --exclude='./usr/share/man/*' --exclude='./usr/share/locale/*' \
            --exclude='./etc/resolv.conf' --exclude='./etc/apt/apt.conf.d/*proxy*' -c .
    )
}

slim() { # FLAVOUR RECIPE IMAGE
    docker build --quiet --build-arg "PYTHON=$PYTHON" --label "faassim.recipe=$2" --target "$1" --tag "$3" \
        --file actions/images/slim.Dockerfile actions >/dev/null ||
        fail "python:$PYTHON cannot be built on" "without a registry: scripts/build-images.sh --from-debian"
}

for flavour in "${flavours[@]}"; do
    image=faassim-python:$flavour
    base=faassim-base-$from:$flavour
    wanted=$(recipe server "$flavour")
    if is_there "$image" "$wanted"; then
        say "$image is up to date"
        continue
    fi
    made=$(recipe "base-$from" "$flavour")
    is_there "$base" "$made" || "$from" "$flavour" "$made" "$base"
    docker build --quiet --build-arg "BASE=$base" --label "faassim.recipe=$wanted" --tag "$image" \
        --file actions/images/server.Dockerfile actions >/dev/null || fail "$image cannot be built"
    size=$(docker image inspect --format '{{.Size}}' "$image")
    version=$(docker run --rm --entrypoint python3 "$image" --version)
    say "built $image: $version, $((size / 1000000)) MB"
done
