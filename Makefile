# A thin front: `swift build` builds oomlet, Tests/VM/build-kernel the test kernel.

PACKAGES = libbpf-dev libelf-dev zlib1g-dev libjansson-dev libseccomp-dev libyaml-dev pkg-config \
	linux-source-6.12 bc bison flex cpio dwarves rsync gcc make patch libssl-dev xz-utils \
	qemu-system-x86 busybox-static bpftool runc jq

help:
	@echo "make deps    install the Debian packages that building and testing need"
	@echo "make build   build oomlet and oomlet-hook (static, into .build/release)"
	@echo "make test    all tests: units, then the scenarios in the test kernel"
	@echo "make demo    a container's annotation decides its OOM, shown in the test kernel"

deps:
	@dpkg-query -W -f '' $(PACKAGES) 2>/dev/null || \
		{ apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends $(PACKAGES); }

kernel: deps
	Tests/VM/build-kernel

test: deps
	Tests/VM/check-interface

.PHONY: help deps kernel test
