#!/usr/bin/env bash
# Builds the image: from scratch, with buildah, without a daemon and without a base image to pull.
#
#   deploy/image/build.sh [--check] [--objects FOLDER] [ARCHIVE]
#
#   ARCHIVE           where to write the image, as `docker load`, `podman load`, `skopeo copy` and
#                     `ctr --namespace k8s.io images import` take it: .build/martlet-image.tar
#   --check           run what is in the image: its entry point, its own libraries, a daemon in a
#                     network namespace; exit 1 when anything did not hold
#   --objects FOLDER  link what was compiled there (swift build --show-bin-path) and do not compile
#
# Needs root on Debian. Installs the packages that are missing, and removes everything it made but
# the archive.
set -euo pipefail
cd "$(dirname "$0")/../.."
export PATH="$PATH:/usr/sbin:/sbin"

check=0 objects="" archive=""
while (($#)); do
    case $1 in
        --check) check=1 ;;
        --objects) objects=${2:?--objects needs a folder}; shift ;;
        -h | --help) sed -n '2,14s/^# \{0,1\}//p' "$0"; exit 0 ;;
        -*) echo "unknown option $1; see --help" >&2; exit 2 ;;
        *) archive=$1 ;;
    esac
    shift
done
if ((EUID != 0)); then
    echo "the image is built without user namespaces: run this as root" >&2
    exit 1
fi

source deploy/packages.sh
need_swift
need /usr/include/pcap/pcap.h=libpcap-dev g++=g++ git=git buildah=buildah objcopy=binutils \
    python3=python3 ip=iproute2 curl=curl

work=$(mktemp -d --suffix=-martlet-image)
context=$work/context root=$work/context/root
space=mtimage-$$
storage() { buildah --root "$work/storage" --runroot "$work/run" --storage-driver vfs "$@"; }
cleanup() {
    ip netns del "$space" 2>/dev/null || true
    storage umount --all >/dev/null 2>&1 || true
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# ------------------------------------------------------------------------------ the program

# The same build as the demo's and the benchmarks': only the last step, the linking, differs.
if [[ -z $objects ]]; then
    release=(-c release --static-swift-stdlib)
    mkdir -p .build
    archive=${archive:-.build/martlet-image.tar}
    echo "building (a first build takes some minutes)"
    swift build "${release[@]}" --product martlet >"$work/log" 2>&1 || {
        tail -n 40 "$work/log"
        exit 1
    }
    objects=$(swift build "${release[@]}" --show-bin-path)
fi
archive=${archive:-$work/martlet-image.tar}
list=$objects/martlet.product/Objects.LinkFileList
[[ -f $list ]] || { echo "nothing was compiled in $objects: $list is missing" >&2; exit 1; }

# Foundation comes with 34 MB of ICU data. An object that is named before the archive takes the
# place of the archive's member with the same symbol.
toolchain=$(dirname "$(dirname "$(readlink -f "$(command -v swiftc)")")")
member=icu_packaged_data.cpp.o
(cd "$work" && ar x "$toolchain/lib/swift_static/linux/lib_FoundationICU.a" "$member")
symbol=$(nm "$work/$member" | sed -n 's/.* R \(icudt[0-9]*_dat\)$/\1/p')
objcopy -O binary --only-section=.rodata "$work/$member" "$work/icu.dat"
python3 -B deploy/image/trim_icu.py "$work/icu.dat" "$symbol" >"$work/icu.s"
clang -c -o "$work/icu.o" "$work/icu.s"
clang -O2 -fPIC -c -o "$work/without_dbus.o" deploy/image/without_dbus.c

pcap=$(gcc -print-file-name=libpcap.a)
mkdir -p "$root/usr/bin" "$context/state"
link=(--gc-sections --icf=safe --no-export-dynamic --as-needed -z pack-relative-relocs -z relro
    -z now --strip-all --defsym main=martlet_main "$pcap")
swiftc -o "$root/usr/bin/martlet" -static-stdlib -emit-executable -use-ld=lld -L "$objects" \
    "$work/icu.o" "$work/without_dbus.o" "@$list" $(printf -- '-Xlinker %s ' "${link[@]}") -lstdc++ -lm -lz >"$work/log" 2>&1 || {
    tail -n 40 "$work/log"
    exit 1
}

# Each library at the path that the loader looks at, and the loader itself.
ldd "$root/usr/bin/martlet" >"$work/libraries"
if grep 'not found' "$work/libraries"; then exit 1; fi
grep -oE '/[^ ]+' "$work/libraries" | sort -u | while read -r library; do
    mkdir -p "$root$(dirname "$library")"
    cp -L "$library" "$root$library"
done

# -------------------------------------------------------------------------------- the image

version=$(sed -n 's/^ *newTag: *//p' deploy/kubernetes/kustomization.yaml)
name=docker.io/library/martlet:$version                     # what a kubelet makes of "martlet"
stamp=$(git log -1 --format=%ct 2>/dev/null || echo 0)
storage build --isolation chroot --timestamp "$stamp" --tag "$name" \
    --label org.opencontainers.image.title=martlet \
    --label "org.opencontainers.image.version=$version" \
    --file deploy/image/Containerfile "$context" >"$work/log" 2>&1 || {
    tail -n 40 "$work/log"
    exit 1
}
storage push --quiet "$name" "docker-archive:$work/image.tar:$name" >"$work/log" 2>&1 || {
    tail -n 40 "$work/log"
    exit 1
}
mkdir -p "$(dirname "$archive")"
[[ $archive == "$work"/* ]] || mv "$work/image.tar" "$archive"

size() { du --apparent-size -sb "$1" | awk '{printf "%.1f MB", $1 / 1e6}'; }
echo "martlet:$version: $(size "$root"), of which the program $(size "$root/usr/bin/martlet");" \
    "$(gzip -c "$root/usr/bin/martlet" | wc -c | awk '{printf "%.1f MB", $1 / 1e6}') compressed"
(cd "$root" && find . -type f -printf '  %s\t/%P\n' | sort -k 2)
[[ $archive == "$work"/* ]] || echo "written to $archive"
((check)) || exit 0

# -------------------------------------------------------------------------------- the check

source deploy/image/check.sh
