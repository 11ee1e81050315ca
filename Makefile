# Needs Linux, bash, GNU make and Go; e2e needs what e2e-deps installs.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

# Debian keeps nginx and logrotate there, and not on everybody's PATH.
export PATH := $(PATH):/usr/sbin:/sbin

VERSION   ?= $(shell deploy/package/version.sh)
ARCHS     ?= amd64 arm64 arm7#      package: for which machines
FORMATS   ?= deb rpm apk archlinux# package: which of these
OUT       ?= bin/package#           package, release: where they go
DURATION  ?=#      demo: how long, such as 30s; without it until Ctrl-C
TIMEOUT   ?= 20m#  test, e2e: of each package
TESTFLAGS ?=#      test, e2e: such as -count=1 or -run=Name
BENCH     ?= .#    bench: which
COUNT     ?= 1#    bench, bench-report: how often
DAYS      ?= 30#   bench-month: days
RATE      ?= 100#  bench-month: lines a second
MORE      ?= #     bench-month: more rollups, as in a list of the configuration: {…}, {…}
LOG_LINES ?= 10000000# bench-report: lines of the log
FUZZ      ?= .#    fuzz: which targets
FUZZTIME  ?= 10m#  fuzz: how long each
MODEL     ?= 20000# model: how many sequences
SCENES    ?= 1000000# scenes: how many
KILLS     ?= 50#   soak, soak-rollups: how often tailflux is killed
OUTAGES   ?= 10#   soak: how often influxd is killed
SEED      ?= 0#    soak: as an earlier one has printed it
KEEP      ?=#      soak: directory that gets the files of a run that failed
MUTANTS   ?= all#  mutants: ci is a part of them, internal/tail those of a package
SHOTS     ?= bin/screenshots#  screenshots: where they go
SUDO      ?= sudo# e2e-deps, unless root

tools    := $(CURDIR)/.cache/bin
lint     := $(tools)/golangci-lint-v2.15.0
nfpm     := $(tools)/nfpm-v2.45.2
gomod    := $(tools)/cyclonedx-gomod-v1.10.0

# What npm has, and what it must be.
uplot     := 1.6.32
uplot_sum := 4b8a8191e425658e3ea8c8c1314b0fc679c861ee3a1af2b20c7b16ba50b5133d
tsc_v     := 5.9.3
tsc_sum   := 10e108c9cf7d5f2879053dff18515fb405abf2ccef63eaaf017d9c571687a1d3
axe_v     := 4.14.1
axe_sum   := e6b0ce02b84d892e2e33e403485e7f3d6c29e2be6df65daf44d89ba564139745
axe       := $(CURDIR)/.cache/axe-core-$(axe_v)/axe.min.js
tsc       := $(CURDIR)/.cache/typescript-$(tsc_v)/lib/tsc.js

influxd_old := $(CURDIR)/.cache/influxdb-debian/usr/bin/influxd

# Debian's Docker engine, unpacked.
docker     := $(CURDIR)/.cache/docker-debian
docker_has := docker.io containerd runc tini iptables libip4tc2 libip6tc2 libxtables12 libnftnl11 libmnl0 libnetfilter-conntrack3 libnfnetlink0 libdevmapper1.02.1 busybox-static

# Debian's Prometheus, unpacked.
promtool := $(CURDIR)/.cache/prometheus-debian/usr/bin/promtool

# A Debian with systemd, in which tests install tailflux (internal/e2e/machine).
debian      := $(CURDIR)/.cache/debian-12.tar
debian_has  := systemd,systemd-sysv,dbus,libnss-systemd,procps,sudo,curl,logrotate,nginx-light

.PHONY: test-without-vectors screenshots vendor-uplot types typescript help build man package release demo compose prometheus-rules grafana-schema check fmt test model scenes mutants e2e e2e-influxd e2e-deps soak soak-rollups bench bench-month bench-report profile fuzz clean grafana influxd victoria-metrics

help: ## this list
	@sed -nE 's/^([a-z0-9-]+):[^#]*## (.*)/  make \1\t\2/p' Makefile | expand -t 20

build: ## bin/tailflux, static
	CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags '-s -w -X main.version=$(VERSION)' -o bin/tailflux ./cmd/tailflux

man: ## bin/man and bin/completions: manual pages, and what completes commands in bash, zsh and fish
	rm -rf bin/man bin/completions
	export SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct 2>/dev/null || echo 0) # the same pages whenever they are made
	go run -buildvcs=false -tags man -ldflags '-X main.version=$(VERSION)' ./cmd/tailflux man bin
	@ls bin/man bin/completions

package: $(nfpm) ## packages in OUT (bin/package); ARCHS="amd64 arm64 arm7", FORMATS="deb rpm apk archlinux", VERSION=v1.2.3
	@OUT='$(OUT)' ARCHS='$(ARCHS)' FORMATS='$(FORMATS)' VERSION='$(VERSION)' NFPM=$(nfpm) deploy/package/build.sh
	ls -l '$(OUT)'

release: $(nfpm) $(gomod) ## all packages, archives with the program, what is in it (CycloneDX), and SHA256SUMS
	@rm -rf '$(OUT)'
	OUT='$(OUT)' ARCHS='$(ARCHS)' FORMATS='deb rpm apk archlinux targz sbom' VERSION='$(VERSION)' NFPM=$(nfpm) GOMOD=$(gomod) deploy/package/build.sh
	ls -l '$(OUT)'

demo: build ## generator, tailflux and influxd on this machine; DURATION=30s ends and checks the sums
	@go build -buildvcs=false -o bin/demo ./internal/demo
	exec bin/demo $(if $(DURATION),-duration $(DURATION)) # exec: signals reach it, nothing stays behind

compose: influxd $(docker)/usr/sbin/dockerd ## builds and runs docker-compose.yml, as root, with stand-ins for the images (make e2e-deps)
	@type -P nginx curl >/dev/null || { echo "compose: no nginx or curl here; make e2e-deps installs them" >&2; exit 1; }
	docker compose version &>/dev/null || type -P docker-compose >/dev/null || { echo "compose: no docker-compose here; make e2e-deps installs it" >&2; exit 1; }
	quiet() { grep -vE '^ *(=== |--- PASS|PASS)'; }
	set -x
	go test -tags e2e -count=1 -timeout $(TIMEOUT) -v -run '^TestComposition$$' ./internal/e2e -composition $(docker) | quiet
	{ set +x; } 2>/dev/null
	echo "compose: passed"

check: $(lint) ## formatting, vet, linters, go.mod, shell syntax
	@echo "check: gofmt"
	bad=$$(find . -name '*.go' -not -path './.*/*' -exec gofmt -l {} +)
	[[ -z $$bad ]] || { printf 'not gofmt-ed: %s\n' $$bad; exit 1; }
	echo "check: shell syntax"
	for file in $$(grep -rIlE --exclude-dir=.git --exclude-dir=.cache --exclude-dir=bin '^#!.*[/ ](ba|da)?sh( |$$)' .); do
		case $$(head -n 1 "$$file") in
			'#!'*bash*) bash -n "$$file" ;;
			'#!'*) sh -n "$$file" ;;
		esac
	done
	echo "check: go mod tidy"
	go mod tidy -diff
	echo "check: go vet"
	go vet ./...
	go vet -tags e2e ./...
	go vet -tags man ./cmd/tailflux ./internal/help
	CGO_ENABLED=0 GOARCH=arm GOARM=7 go vet ./cmd/... ./internal/... # numbers of 32 bits
	echo "check: $(notdir $(lint))"
	$(lint) run ./...
	echo "check: passed"

grafana: ## deploy/grafana: dashboards and alert rules, as deploy/grafana/gen has them
	@go run ./deploy/grafana/gen
	git status --short deploy/grafana

prometheus-rules: $(promtool) ## the rules of docs/alerts.md, by Debian's promtool
	@$(promtool) --version
	TAILFLUX_PROMTOOL=$(promtool) go test -pgo=off -count=1 -run '^TestPrometheusTakesTheRules$$' ./internal/grafanatest

grafana-schema: ## the dashboards against the types of Grafana 11, 12 and 13, by tsc; needs node and npm, and the npm registry
	@type -P node npm >/dev/null || { echo "grafana-schema: no node or npm here; Debian has nodejs and npm" >&2; exit 1; }
	dir=$$(mktemp -d)
	trap 'rm -rf $$dir' EXIT
	for version in 11.6.16 12.4.11 13.2.3; do
		mkdir $$dir/$$version
		echo '{"private": true}' >$$dir/$$version/package.json
		npm --prefix $$dir/$$version install --silent --no-audit --no-fund --ignore-scripts @grafana/schema@$$version typescript@5.9.3
		node deploy/grafana/schema/check.mjs $$dir/$$version deploy/grafana/dashboards/*.json
		# A check that cannot fail is none.
		for key in schemaVersion allValue gridPos noValue drawStyle cellHeight; do
			sed "s/\"$$key\":/\"$${key}s\":/" deploy/grafana/dashboards/overview.json >$$dir/wrong.json
			! node deploy/grafana/schema/check.mjs $$dir/$$version $$dir/wrong.json >/dev/null || { echo "grafana-schema: $${key}s for $$key is not found" >&2; exit 1; }
		done
	done
	echo "grafana-schema: passed"

vendor-uplot: ## internal/page/web/uplot.js: the charts of the live page, from npm, as pinned here
	@dir=$$(mktemp -d)
	trap 'rm -rf $$dir' EXIT
	(cd $$dir && npm pack --silent uplot@$(uplot) >/dev/null && echo '$(uplot_sum)  uplot-$(uplot).tgz' | sha256sum --check --quiet && tar -xzf uplot-$(uplot).tgz)
	cd internal/page/web
	cp $$dir/package/LICENSE uplot.LICENSE
	cp $$dir/package/dist/uPlot.d.ts uplot.d.ts
	cp $$dir/package/dist/uPlot.min.css uplot.css
	# As a module, with its licence in it: the page and reports hand it on.
	{ echo '/*!'; cat uplot.LICENSE; echo '*/'; cat $$dir/package/dist/uPlot.iife.min.js; echo; echo 'export default uPlot;'; } >uplot.js
	git status --short .

types: $(tsc) ## the types of the live page's scripts, which its comments say (needs node)
	@node $(tsc) --project internal/page/web
	echo "types: passed"

fmt: $(lint) ## formats every Go file
	$(lint) fmt ./...

test: influxd ## everything that needs only Go, against a real influxd
	@if why=$$(go test -race -run '^$$' errors 2>&1); then
		race=-race
		state="race detector on"
	else
		race=
		state="race detector off, it needs a C compiler ($${why##*$$'\n'})"
	fi
	echo "test: $$state"
	# The race detector takes ten times as long. What has one goroutine needs none, and there are
	# no more races in the commands and the dashboards than in what they are made of. A program
	# that has it sleeps a second before it exits, unless it is told not to.
	export GORACE=atexit_sleep_ms=0
	plain='/(cmd/tailflux|internal/(grafanatest|logformat|logformat/scan|mutants|query|rollup))$$'
	apart="/internal/e2e$$|$$plain" # e2e mostly waits: more of it runs at once
	set -x
	go test -pgo=off $$race -timeout $(TIMEOUT) $(TESTFLAGS) $$(go list ./... | grep -vE "$$apart")
	go test -pgo=off $$race -timeout $(TIMEOUT) $(TESTFLAGS) -parallel 6 ./internal/e2e
	go test -pgo=off -timeout $(TIMEOUT) $(TESTFLAGS) $$(go list ./... | grep -E "$$plain")
	# The race detector allocates by itself, and what counts allocations skips.
	[[ -z $$race ]] || go test -pgo=off -timeout $(TIMEOUT) $(TESTFLAGS) -run '^TestNothingIsAllocated' ./internal/accesslog ./internal/parse
	# Numbers are of 32 bits where an ARMv7 is. This machine may do the same as a 386.
	[[ $$(uname -m) != x86_64 ]] || CGO_ENABLED=0 GOARCH=386 go test -timeout $(TIMEOUT) $(TESTFLAGS) ./internal/accesslog ./internal/lineproto ./internal/logtime
	{ set +x; } 2>/dev/null
	echo "test: passed, $$state"

model: ## MODEL (20000) random sequences of what can happen to a log
	@quiet() { grep -vE '^ *(=== |--- PASS|PASS)'; }
	set -x
	go test -count=1 -timeout 0 -v -run '^TestModel$$' ./internal/tail -model $(MODEL) | quiet
	{ set +x; } 2>/dev/null
	echo "model: passed"

scenes: ## SCENES (1,000,000) random scenes of what can happen to a log, decided without a disk
	@quiet() { grep -vE '^ *(=== |--- PASS|PASS)'; }
	set -x
	go test -count=1 -timeout 0 -v -run '^TestModel$$' ./internal/scene -scenes $(SCENES) | quiet
	{ set +x; } 2>/dev/null
	echo "scenes: passed"

test-without-vectors: ## what has assembly, without it: with the tag purego, and as arm64 under qemu-aarch64 (apt-get install qemu-user); five minutes
	@type -P qemu-aarch64 >/dev/null || { echo "test-without-vectors: no qemu-aarch64 here; Debian's qemu-user has it" >&2; exit 1; }
	go test -tags purego -count=1 ./internal/logformat/... ./internal/parse
	CGO_ENABLED=0 GOARCH=arm64 go test -exec qemu-aarch64 -count=1 -timeout $(TIMEOUT) ./internal/logformat/scan/... ./internal/lineproto

mutants: influxd ## mistakes as patches, each of which a test must find; MUTANTS=internal/tail
	@go run ./internal/mutants -which '$(MUTANTS)'

e2e: influxd victoria-metrics $(nfpm) $(gomod) $(axe) ## with real nginx, Chromium, logrotate, wrk and systemd, and InfluxDB 1.6 (make e2e-deps)
	@[[ -x $(influxd_old) ]] || { echo "e2e: no InfluxDB 1.6 here; make e2e-deps unpacks it" >&2; exit 1; }
	[[ -e $(debian) ]] || { echo "e2e: no Debian to boot here; make e2e-deps makes it" >&2; exit 1; }
	for command in nginx chromium logrotate wrk zstd curl systemd-analyze systemd-nspawn lintian rpmlint rpm; do
		type -P $$command >/dev/null || { echo "e2e: no $$command here; make e2e-deps installs it" >&2; exit 1; }
	done
	quick=$$(go test -list '^Test' ./internal/e2e | sed -n '/^Test/p' | paste -sd '|') # make test runs them
	rm -rf bin/e2e
	mkdir -p bin/e2e # for what the tests leave to be looked at: pictures of the live page
	set -x
	go test -tags e2e -count=1 -timeout $(TIMEOUT) -artifacts -outputdir $(CURDIR)/bin/e2e $(TESTFLAGS) ./internal/e2e/... -skip "^($$quick|TestFiveMinutes|TestPowerCut)$$"
	# How long the one takes is to be seen, and whether the other could mount its disk. All is
	# printed: who filters it loses why one has failed.
	go test -tags e2e -count=1 -timeout $(TIMEOUT) -v -run '^Test(FiveMinutes|PowerCut)$$' ./internal/e2e
	# What is tested against a real influxd in make test, against Debian's too.
	TAILFLUX_INFLUXD=$(influxd_old) go test -pgo=off -count=1 -timeout $(TIMEOUT) $(TESTFLAGS) -skip '^Test(LongRange|Victoria|Top|Page|Health|Documented|Explain)' ./internal/influx ./internal/write ./cmd/tailflux
	{ set +x; } 2>/dev/null
	echo "e2e: passed"

screenshots: influxd ## pictures of the live page in SHOTS (bin/screenshots), and README's in docs/images
	@type -P pngquant >/dev/null || { echo "screenshots: no pngquant here; Debian has it" >&2; exit 1; }
	mkdir -p '$(SHOTS)'
	go test -tags e2e -count=1 -timeout $(TIMEOUT) -run '^TestLivePage$$/^(history|screenshots)$$' ./internal/e2e -screenshots "$$(realpath '$(SHOTS)')"
	mkdir -p docs/images
	pngquant --force --strip --output docs/images/live.png 256 '$(SHOTS)/live.png'
	ls -l '$(SHOTS)' docs/images/live.png

e2e-influxd: ## what is tested against influxd, against a VERSION (1.13.2) that you have: TAILFLUX_INFLUXD, or .cache/bin/influxd-VERSION
	@influxd=$${TAILFLUX_INFLUXD:-$(CURDIR)/.cache/bin/influxd-$(VERSION)}
	[[ -x $$influxd ]] || { echo "e2e-influxd: no influxd at $$influxd: put it there, or set TAILFLUX_INFLUXD=/path/of/influxd" >&2; exit 1; }
	version=$$("$$influxd" version)
	[[ $$version =~ [v\ ]$(subst .,\.,$(VERSION))( |$$) ]] || { echo "e2e-influxd: $$influxd says \"$$version\", want VERSION=$(VERSION)" >&2; exit 1; }
	set -x
	TAILFLUX_INFLUXD=$$influxd go test -pgo=off -count=1 -timeout $(TIMEOUT) $(TESTFLAGS) ./internal/influx ./internal/write ./cmd/tailflux
	{ set +x; } 2>/dev/null
	echo "e2e-influxd: passed with $$version"

soak: influxd ## real nginx under load, rotated; KILLS (50) of tailflux with -9, OUTAGES (10) of influxd; SEED=N again
	@quiet() { grep -vE '^(=== |--- PASS|PASS)'; }
	echo "soak: commit $$(git describe --always --dirty), $$(date -u +'%F %R') UTC"
	set -x
	go test -tags e2e -count=1 -timeout 0 -v -run '^TestCrashRun$$' ./internal/e2e \
		-crash.kills $(KILLS) -crash.outages $(OUTAGES) -crash.seed $(SEED) -crash.keep '$(KEEP)' | quiet
	{ set +x; } 2>/dev/null
	echo "soak: passed"

soak-rollups: influxd ## rollups through KILLS (50) of tailflux with -9, and a quarter of it in each way a log can go
	@quiet() { grep -vE '^ *(=== |--- PASS|PASS)'; }
	echo "soak-rollups: commit $$(git describe --always --dirty), $$(date -u +'%F %R') UTC"
	set -x
	go test -pgo=off -count=1 -timeout 0 -v -run '^TestRollups(Survive|Of)' ./internal/e2e -rollups.kills $(KILLS) | quiet
	{ set +x; } 2>/dev/null
	echo "soak-rollups: passed"

e2e-deps: ## installs nginx, logrotate, wrk and what else the tests run from Debian; starts no service
	@missing=
	type -P nginx >/dev/null || missing+=" nginx-light"
	type -P chromium >/dev/null || missing+=" chromium fonts-dejavu-core"
	type -P logrotate >/dev/null || missing+=" logrotate"
	type -P wrk >/dev/null || missing+=" wrk"
	type -P zstd >/dev/null || missing+=" zstd"
	type -P curl >/dev/null || missing+=" curl"
	type -P systemd-analyze >/dev/null || missing+=" systemd"
	type -P lintian >/dev/null || missing+=" lintian"
	type -P rpmlint >/dev/null || missing+=" rpmlint"
	type -P rpm >/dev/null || missing+=" rpm"
	docker compose version &>/dev/null || type -P docker-compose >/dev/null || missing+=" docker-compose"
	type -P node >/dev/null || missing+=" nodejs"
	type -P npm >/dev/null || missing+=" npm"
	type -P gcc >/dev/null || missing+=" gcc"
	[[ -e /usr/include/stdlib.h ]] || missing+=" libc6-dev"
	[[ -x $(influxd_old) ]] || missing+=" influxdb"
	type -P systemd-nspawn >/dev/null || missing+=" systemd-container"
	type -P debootstrap >/dev/null || missing+=" debootstrap"
	[[ $$missing ]] || { $(MAKE) -s $(debian); echo "e2e-deps: all there"; exit 0; }
	echo "e2e-deps: installing$$missing"
	sudo=; (( EUID == 0 )) || sudo='$(SUDO)'
	policy=/usr/sbin/policy-rc.d # 101: the packages' scripts may start nothing
	if [[ ! -e $$policy ]]; then
		trap '$$sudo rm -f $$policy' EXIT
		printf '#!/bin/sh\nexit 101\n' | $$sudo tee $$policy >/dev/null
		$$sudo chmod 755 $$policy
	fi
	apt() { $$sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$$@"; }
	apt update
	if [[ $$missing = *influxdb* ]]; then # only unpacked
		missing=$${missing/ influxdb}
		mkdir -p .cache/influxdb-debian
		(cd .cache/influxdb-debian && apt-get -qq -o Acquire::Retries=3 download influxdb && dpkg -x influxdb_*.deb . && rm influxdb_*.deb)
		"$(influxd_old)" version
	fi
	[[ -z $$missing ]] || apt install --no-install-recommends $$missing
	if [[ $$missing = *nginx* ]] && type -P systemctl >/dev/null; then
		$$sudo systemctl --quiet disable nginx # nor at the next boot
	fi
	$(MAKE) -s $(debian)

typescript: $(tsc)

$(tsc):
	@type -P node npm >/dev/null || { echo "types: no node and npm here; make e2e-deps installs them" >&2; exit 1; }
	dir=$$(mktemp -d)
	trap 'rm -rf $$dir' EXIT
	cd $$dir
	for try in 1 2 3; do
		if npm pack --silent typescript@$(tsc_v) >/dev/null; then break; fi
		(( try < 3 )) || { echo "types: npm has no typescript@$(tsc_v) for us" >&2; exit 1; }
		sleep 5
	done
	echo '$(tsc_sum)  typescript-$(tsc_v).tgz' | sha256sum --check --quiet
	tar -xzf typescript-$(tsc_v).tgz
	mkdir -p $(CURDIR)/.cache
	rm -rf $(CURDIR)/.cache/typescript-$(tsc_v)
	mv package $(CURDIR)/.cache/typescript-$(tsc_v)

# Its licence is MPL-2.0: it is used here and part of nothing that is given away.
$(axe):
	@type -P npm >/dev/null || { echo "e2e: no npm here; make e2e-deps installs it" >&2; exit 1; }
	dir=$$(mktemp -d)
	trap 'rm -rf $$dir' EXIT
	cd $$dir
	npm pack --silent axe-core@$(axe_v) >/dev/null
	echo '$(axe_sum)  axe-core-$(axe_v).tgz' | sha256sum --check --quiet
	tar -xzf axe-core-$(axe_v).tgz
	mkdir -p $(CURDIR)/.cache
	rm -rf $(@D)
	mv package $(@D)

$(docker)/usr/sbin/dockerd:
	@mkdir -p $(docker).new
	cd $(docker).new
	apt-get -qq -o Acquire::Retries=3 download $(docker_has)
	for deb in *.deb; do dpkg -x $$deb .; rm $$deb; done
	mv $(docker).new $(docker)

$(promtool):
	@rm -rf $(CURDIR)/.cache/prometheus-debian.new
	mkdir -p $(CURDIR)/.cache/prometheus-debian.new
	cd $(CURDIR)/.cache/prometheus-debian.new
	apt-get -qq -o Acquire::Retries=3 download prometheus
	dpkg -x prometheus_*.deb .
	rm prometheus_*.deb
	mv $(CURDIR)/.cache/prometheus-debian.new $(CURDIR)/.cache/prometheus-debian

$(debian):
	@echo "e2e-deps: a Debian for the tests, a minute…"
	sudo=; (( EUID == 0 )) || sudo='$(SUDO)'
	mkdir -p $(@D)
	dir=$$(mktemp -d)
	trap '$$sudo rm -rf $$dir' EXIT
	$$sudo debootstrap --variant=minbase --include=$(debian_has) bookworm $$dir/root >$$dir/log || { tail $$dir/log >&2; exit 1; }
	# Nothing listens when it is booted: it has the network of this machine.
	$$sudo rm $$dir/root/etc/systemd/system/multi-user.target.wants/nginx.service
	$$sudo mkdir -p $$dir/root/var/log/journal
	$$sudo rm -rf $$dir/root/var/cache/apt/* $$dir/root/var/lib/apt/lists/*
	$$sudo tar -C $$dir/root -cpf - . >$@.new
	mv $@.new $@

bench: ## Go benchmarks; BENCH=regexp COUNT=10
	@dirs=$$(grep -rlE --include='*_test.go' --exclude-dir='.?*' '^func Benchmark' . | xargs -r dirname | sort -u || true)
	[[ $$dirs ]] || { echo "bench: there are none"; exit 0; }
	go test -run '^$$' -bench '$(BENCH)' -benchmem -count $(COUNT) -timeout 0 $$dirs

bench-month: influxd ## ten panels over DAYS (30) of RATE (100) lines/s: generated, imported, asked; 5 GB in TMPDIR, 15 minutes
	@go test -count=1 -timeout 0 -v -run '^TestLongRange$$' ./cmd/tailflux -long.days $(DAYS) -long.rate $(RATE) -long.more '$(MORE)' | grep -vE '^(=== |--- PASS|PASS)'

bench-report: build ## tailflux report beside GoAccess, COUNT rounds on LOG_LINES (10,000,000) lines; 3 GB in TMPDIR, ten minutes
	@BENCH_LINES=$(LOG_LINES) internal/bench/report.sh $(COUNT)

profile: ## cmd/tailflux/default.pgo, by which the compiler inlines, from the whole program at work
	go test -trimpath -run '^$$' -bench 'Once/(timed|combined)' -benchtime 30x -cpuprofile $(CURDIR)/cmd/tailflux/default.pgo -o bin/profile.test ./cmd/tailflux

fuzz: ## every fuzz target for FUZZTIME (10m); FUZZ=regexp
	@targets=$$(grep -roE --include='*_test.go' --exclude-dir='.?*' '^func Fuzz[A-Za-z0-9_]*' . | sed 's/:func /:/' | sort || true)
	[[ $$targets ]] || { echo "fuzz: there are none"; exit 0; }
	for target in $$targets; do # ./path/file_test.go:FuzzName
		name=$${target#*:} dir=$${target%/*}
		[[ $$name =~ $(FUZZ) ]] || continue
		echo "fuzz: $$name in $$dir for $(FUZZTIME)"
		log=$$(mktemp)
		go test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) -timeout 0 $$dir 2>&1 | tee $$log && failed= || failed=1
		says=$$(sed -n '/^--- FAIL/{n;s/^ *//;p}' $$log)
		rm $$log
		# Go before 1.27 may call the end of the time a failure (golang/go#75804).
		# A finding says more.
		[[ ! $$failed || $$says == 'context deadline exceeded' ]] || exit 1
	done

clean: ## removes what was built, InfluxDB 1.6 and the demo's data; the tools in .cache/bin stay
	rm -rf bin
	! test -d .cache || find .cache -mindepth 1 -maxdepth 1 ! -name bin -exec rm -rf {} +

# Built here, so that no test's time limit has to include it.
influxd:
	@go run ./internal/influxdtest/fetch >/dev/null

victoria-metrics:
	@go run ./internal/influxdtest/fetch victoria-metrics >/dev/null

# Other people's programs, whose modules are none of ours: each is built on its own.
$(lint) $(nfpm) $(gomod):
	@mkdir -p $(tools)
	exec 9>$@.lock
	flock 9
	if [[ -x $@ ]]; then exit 0; fi # somebody else's, while we waited
	name=$(@F)
	version=v$${name##*-v} name=$${name%-v*}
	declare -A module=(
		[golangci-lint]=github.com/golangci/golangci-lint/v2/cmd/golangci-lint
		[nfpm]=github.com/goreleaser/nfpm/v2/cmd/nfpm
		[cyclonedx-gomod]=github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod
	)
	echo "building $$name $$version from the Go module registry, some minutes…"
	trap 'rm -rf $@.build' EXIT
	rm -rf $@.build
	cd / # in no module
	export CGO_ENABLED=0 GOFLAGS=-buildvcs=false GOWORK=off GOBIN=$@.build
	log=$$(go install $${module[$$name]}@$$version 2>&1) || { echo "$$log" >&2; exit 1; }
	mv $@.build/$$name $@
