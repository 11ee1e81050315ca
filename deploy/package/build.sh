#!/usr/bin/env bash
# Packages of what is checked out: make package calls it.
#
#     OUT=bin/package            where they go
#     ARCHS="amd64 arm64 arm7"   for which machines
#     FORMATS="deb rpm apk archlinux targz sbom"
#     VERSION=                   as version.sh takes it; what git says
#     SOURCE_DATE_EPOCH=         when; that of the commit
#     NFPM=, GOMOD=              nfpm and cyclonedx-gomod
#
# The same commit gives the same files, byte by byte, wherever and whenever it is
# built with the same Go: times are those of the commit, no path is in them.
set -euo pipefail
umask 022
export LC_ALL=C TZ=UTC

out=${OUT:-bin/package}
mkdir -p "$out"
out=$(cd "$out" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
here=$PWD/deploy/package
VERSION=$("$here/version.sh" ${VERSION:+"$VERSION"})
export VERSION
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
export SOURCE_DATE_EPOCH

shared=$out/.shared
rm -rf "$shared" "$out"/.stage
mkdir -p "$shared"/{man,completions,docs}
go run -buildvcs=false -trimpath -tags man -ldflags "-X main.version=$VERSION" ./cmd/tailflux man "$shared/made"
for page in "$shared"/made/man/*.1; do
	gzip -9n <"$page" >"$shared/man/${page##*/}.gz"
done
mv "$shared"/made/completions/* "$shared/completions/"

cp -r "$here"/{deb,rpm,apk,archlinux,tailflux.yaml,sysusers.conf,lintian-overrides} LICENSE README.md CHANGELOG.md deploy/tailflux.service "$shared/"
cp deploy/tailflux.yaml "$shared/example.yaml"
cp docs/*.md "$shared/docs/"
gzip -9n <CHANGELOG.md >"$shared/CHANGELOG.md.gz"
{
	echo "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/"
	echo "Upstream-Name: tailflux"
	echo "Source: https://github.com/tailflux/tailflux"
	echo "Comment: What other modules in the program ask to be said is in third-party.gz."
	echo
	echo "Files: *"
	sed -n 's/^Copyright (c) /Copyright: /p' LICENSE
	echo "License: Expat"
	sed '1,/^Copyright/d' LICENSE | sed '1{/^$/d}' | sed 's/^$/./; s/^/ /'
} >"$shared/copyright"
gzip -9n >"$shared/changelog.gz" <<END
tailflux ($VERSION) stable; urgency=medium

  * What is new: /usr/share/doc/tailflux/CHANGELOG.md.gz

 -- The tailflux authors <tailflux@users.noreply.github.com>  $(date -R -d "@$SOURCE_DATE_EPOCH")
END
# Who gives a library away asks for its licence to come with every copy.
{
	echo "The program tailflux contains these, and Go's own library."
	printf '\n==== Go\n\n'
	cat "$(go env GOROOT)/LICENSE"
	go list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}} {{.Dir}}{{end}}{{end}}' ./cmd/tailflux | sort -u |
		while read -r module version dir; do
			printf '\n==== %s %s\n' "$module" "$version"
			for file in "$dir"/{LICEN[SC]E,COPYING,NOTICE}*; do
				[[ ! -f $file ]] || { echo; cat "$file"; }
			done
		done
} | gzip -9n >"$shared/third-party.gz"

long="tailflux follows nginx access logs and writes one point per request to
InfluxDB 1.x. Nothing is lost and nothing is doubled: through rotation,
kill -9, outages of InfluxDB and full disks, each line becomes one point, or
one entry in a reject file."

for ARCH in ${ARCHS:-amd64 arm64 arm7}; do
	export ARCH
	stage=$out/.stage/$ARCH
	mkdir -p "$stage"
	cp -r "$shared"/. "$stage/"
	GOOS=linux GOARCH=${ARCH%7} GOARM=7 GOAMD64=v1 GOARM64=v8.0 CGO_ENABLED=0 \
		go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=$VERSION" -o "$stage/tailflux" ./cmd/tailflux
	find "$stage" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
	for format in ${FORMATS:-deb rpm apk archlinux}; do
		name=tailflux_${VERSION//\~/-}_linux_${ARCH/arm7/armv7}
		case $format in
		targz)
			tree=$stage/tree/tailflux-${VERSION//\~/-}
			mkdir -p "$tree"
			cp -r "$stage"/{tailflux,tailflux.service,sysusers.conf,LICENSE,README.md,CHANGELOG.md,third-party.gz,docs,man,completions} "$tree/"
			cp "$stage/example.yaml" "$tree/tailflux.yaml"
			tar -C "${tree%/*}" --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX --format=gnu -c "${tree##*/}" |
				gzip -9n >"$out/$name.tar.gz"
			;;
		sbom) # of the binary itself: what go version -m says of it
			"$GOMOD" bin -json -noserial -notimestamp -std -version "v${VERSION/\~/-}" -output "$out/$name.cdx.json" "$stage/tailflux"
			;;
		*)
			DESCRIPTION="nginx access logs into InfluxDB 1.x, every line exactly once"
			[[ $format = a* ]] || DESCRIPTION+=$'\n'$long # the others have one line
			export DESCRIPTION
			made=$(cd "$stage" && VERSION=$("$here/version.sh" --for "$format" "$VERSION") \
				"$NFPM" package --config "$here/nfpm.yaml" --packager "$format" --target "$out/.stage/" 2>&1) || { echo "$made" >&2; exit 1; }
			made=${made##*created package: }
			mv "$made" "$out/$(basename "${made//\~/-}")" # a ~ becomes a dot where releases are offered
			;;
		esac
	done
done
rm -rf "$shared" "$out"/.stage
cd "$out"
rm -f SHA256SUMS
sha256sum -- * >SHA256SUMS.new
mv SHA256SUMS.new SHA256SUMS
