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
export TMPDIR=$work/tmp                                     # buildah's, too
mkdir "$TMPDIR"
had_cache=0
[[ ! -e /var/lib/containers/cache ]] || had_cache=1
storage() { buildah --root "$work/storage" --runroot "$work/run" --storage-driver vfs "$@"; }
cleanup() {
    local pid
    for pid in $(ip netns pids "$space" 2>/dev/null); do kill -KILL "$pid" 2>/dev/null || true; done
    [[ -z ${shell:-} ]] || wait "$shell" 2>/dev/null || true
    ip netns del "$space" 2>/dev/null || true
    # buildah's memory of registries, which has no flag; it holds nothing here.
    ((had_cache)) || rm -rf /var/lib/containers/cache
    rmdir /var/lib/containers 2>/dev/null || true
    # What buildah mounts is in a mount namespace of its own, and ends with its process.
    rm -rf --one-file-system "$work"
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

# Docs/Decisions/0020-image-without-ballast.md says why, and what was weighed. An object that is
# named takes the place of an archive's member with the same symbols; were there more in that member
# than we know of, both would be linked, and the linker refuses what is there twice.
toolchain=$(dirname "$(dirname "$(readlink -f "$(command -v swiftc)")")")
foundation=$toolchain/lib/swift_static/linux/lib_FoundationICU.a
member=icu_packaged_data.cpp.o
symbol=$(ar p "$foundation" $member >"$work/$member" &&
    nm "$work/$member" | sed -n 's/.* R \(icudt[0-9]*_dat\)$/\1/p') || true
if [[ $symbol != icudt*_dat ]]; then
    echo "$foundation: ICU's data is not where it was; see Docs/Decisions/0020" >&2
    exit 1
fi
objcopy -O binary --only-section=.rodata "$work/$member" "$work/all.dat"
python3 -B deploy/image/trim_icu.py "$work/all.dat" "$work/icu.dat"
clang -c -x assembler -o "$work/icu.o" - <<END
.section .rodata.icu, "a", @progbits
.balign 16
.global $symbol
.type $symbol, @object
$symbol:
.incbin "$work/icu.dat"
.size $symbol, . - $symbol
.section .note.GNU-stack, "", @progbits
END
clang -O2 -fPIC -c -o "$work/without_dbus.o" deploy/image/without_dbus.c
# The linker takes a library from the first folder that has it: these two become part of the
# program.
mkdir -p "$root/usr/bin" "$context/state" "$work/static"
for library in libpcap.a libstdc++.a; do
    file=$(g++ -print-file-name="$library")                 # the bare name when there is none
    [[ -f $file ]] || { echo "$library is missing; see Docs/Decisions/0020" >&2; exit 1; }
    ln -s "$file" "$work/static/"
done
link=(--gc-sections --icf=safe --no-export-dynamic -z pack-relative-relocs -z relro -z now
    --strip-all --defsym main=martlet_main)
# shellcheck disable=SC2046
swiftc -o "$root/usr/bin/martlet" -static-stdlib -emit-executable -use-ld=lld \
    "$work/icu.o" "$work/without_dbus.o" "@$list" $(printf -- '-Xlinker %s ' "${link[@]}") \
    -L "$work/static" -lpcap -lm -lz >"$work/log" 2>&1 || {
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
