# A thin front: `swift build` builds oomlet, Tests/VM/build-kernel the test kernel.

PACKAGES = libbpf-dev libelf-dev zlib1g-dev libjansson-dev libseccomp-dev libyaml-dev pkg-config \
	linux-source-6.12 bc bison flex cpio dwarves rsync gcc libc6-dev make patch libssl-dev xz-utils \
	qemu-system-x86 busybox-static bpftool runc crun jq curl prometheus iproute2 procps python3 python3-jsonschema python3-yaml

help:
	@echo "make deps     install the Debian packages that building and testing need (as root)"
	@echo "make build    build oomlet and oomlet-hook (static, into .build/release)"
	@echo "make demo     a container's annotation decides its OOM, shown in the test kernel"
	@echo "make test     all tests: lint, units, the kernel's interface, the scenarios in the test kernel"
	@echo "make lint unit kernel interface scenarios fuzz   one of these alone"

deps:
	@dpkg-query -W -f '' $(PACKAGES) 2>/dev/null || { \
		[ "$$(id -u)" = 0 ] || { echo "make: as root, once: make deps" >&2; exit 1; }; \
		apt-get update -q && \
		DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends $(PACKAGES); }

build: deps
	swift build -c release --product oomlet-hook
	swift build -c release --product oomlet

kernel: deps
	Tests/VM/build-kernel
	Tests/VM/build-kernel --config Tests/VM/no-bpf-oom.fragment

demo: build deps
	Tests/VM/build-kernel
	Tests/Scenarios/run demo

lint: deps
	swift format lint --strict --recursive Package.swift Sources Tests
	bash -n Tests/VM/build-kernel Tests/VM/vm Tests/VM/check-interface Tests/VM/boots Tests/Scenarios/run Tests/Fuzz/run
	for script in Tests/Scenarios/*.sh; do bash -n $$script || exit; done

unit: deps
	swift test

interface: kernel
	Tests/VM/check-interface

scenarios: build kernel
	Tests/Scenarios/run

fuzz: deps
	Tests/Fuzz/run --seconds 60

test: lint unit build kernel interface scenarios fuzz
	@echo "all tests passed"

.PHONY: help deps build kernel demo lint unit interface scenarios fuzz test
